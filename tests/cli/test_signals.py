"""Signals and closed streams: a whole table stays, what was killed is cleared, nothing needs a terminal."""

import csv
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from gadoscope.labels import Phase
from gadoscope.results.journal import journal_path
from gadoscope.results.tables import part_path
from tests.support.commands import GADOSCOPE, run_command
from tests.support.copies import Copy, signal_at_row, start_copy_of_command, start_with_files
from tests.support.dicom_files import classic_series, write_series

PATIENCE_SECONDS = 60.0
MANY = 5000
"""Times that one folder is named: work for longer than a test waits."""
ROWS = 3
"""A copy ends at this one of the ten that it would write."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs the signals of POSIX")


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, and what it said on the standard error."""

    code: int
    said: str


End = Callable[[signal.Signals, Path, Path, Path], Ended]


def in_a_copy(number: signal.Signals, slices: Path, bundle: Path, output: Path) -> Ended:
    """End a copy of this process, at its third row; gadoscope is loaded in it already."""
    words = ("classify", slices, "--model", bundle, "--output", output)
    folder = output.parent.parent / "said"
    copy = start_with_files(words, folder, before=partial(signal_at_row, number, ROWS))
    code = copy.wait()
    return Ended(code, (folder / "stderr").read_text(encoding="utf-8"))


def as_typed(number: signal.Signals, slices: Path, bundle: Path, output: Path) -> Ended:
    """End what a user has typed, from outside, in the midst of its rows."""
    command = [*GADOSCOPE, "classify", *[str(slices)] * MANY, "--model", str(bundle), "--output", str(output)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        try:
            wait_for(lambda: any(size(path) for path in output.parent.glob(".*.partial")), running)
            running.send_signal(number)
            _, said = running.communicate(timeout=PATIENCE_SECONDS)
        finally:
            running.kill()
    return Ended(running.returncode, said)


# The slow ones' quicker twin spares them a process that loads gadoscope; they are what a user types.
ENDS = pytest.mark.parametrize("end", [in_a_copy, pytest.param(as_typed, marks=pytest.mark.slow)])


def wait_for(is_so: Callable[[], bool], running: "subprocess.Popen[str] | Copy") -> None:
    """Wait until something is so, or fail."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert running.poll() is None, running.returncode
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def started(words: Sequence[object], said: Path) -> Iterator[Copy]:
    """Start the command in a copy of this process, and end it whatever happens."""
    copy = start_with_files(words, said)
    try:
        yield copy
    finally:
        copy.kill()


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def count_rows(table: Path) -> int:
    with table.open(encoding="utf-8", newline="") as stream:
        return len(list(csv.DictReader(stream)))


@ENDS
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupted_run_writes_beside_a_table_that_is_there_and_says_so(
    tmp_path: Path, slices: Path, tiny_bundle: Path, number: signal.Signals, code: int, end: End
) -> None:
    output = tmp_path / "out" / "r.csv"
    assert run_command("classify", slices, "--model", tiny_bundle, "--output", output).returncode == 0
    whole = output.read_bytes()
    ended = end(number, slices, tiny_bundle, output)
    part = part_path(output)
    assert ended.code == code
    assert output.read_bytes() == whole
    assert part.name == "r.interrupted.csv"
    n_rows = count_rows(part)
    assert n_rows > 0
    assert (
        f"Interrupted: {part} holds the first {n_rows} inputs only. {output} stays as it was." in ended.said
    )
    assert f"table: {part}" in ended.said
    assert sorted(output.parent.iterdir()) == sorted([output, part, journal_path(output)])


@ENDS
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupted_run_keeps_its_rows_leaves_no_stray_and_says_so(
    tmp_path: Path, slices: Path, tiny_bundle: Path, number: signal.Signals, code: int, end: End
) -> None:
    output = tmp_path / "out" / "r.csv"
    ended = end(number, slices, tiny_bundle, output)
    assert ended.code == code
    with output.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert 0 < len(rows) < 10 * MANY
    assert end is as_typed or len(rows) == ROWS
    assert None not in rows[-1].values()
    assert (
        f"Interrupted: {output} holds the first {len(rows)} inputs only. --resume goes on from here."
        in ended.said
    )
    assert f"inputs {len(rows)} = answered {len(rows)}" in ended.said
    assert sorted(output.parent.iterdir()) == [output, journal_path(output)]


def test_a_run_that_is_interrupted_before_its_first_row_leaves_a_whole_table_as_it_was(
    tmp_path: Path, tiny_bundle: Path, slices: Path
) -> None:
    output = tmp_path / "r.csv"
    assert run_command("classify", slices, "--model", tiny_bundle, "--output", output).returncode == 0
    whole = output.read_bytes()
    journal_path(output).unlink()
    series = tmp_path / "series"  # rows of DICOM come when all files have been looked at
    write_series(classic_series(Phase.PRE_CONTRAST), series)
    words = ("classify", series, "--model", tiny_bundle, "--output", output)
    copy = start_with_files(words, tmp_path / "said", before=partial(signal_at_look, signal.SIGTERM))
    assert copy.wait() == 143
    assert output.read_bytes() == whole
    assert "table:" not in (tmp_path / "said" / "stderr").read_text()
    assert not part_path(output).exists()


def signal_at_look(number: signal.Signals) -> None:
    """Send this process a signal when the first files of a walk have been looked at."""
    from gadoscope.cli import classify  # noqa: PLC0415 — in the copy

    show = classify._show

    def show_and_signal(*shown: object) -> None:
        os.kill(os.getpid(), number)
        show(*shown)  # type: ignore[arg-type]  # what the command gives

    classify._show = show_and_signal  # type: ignore[assignment]  # in a copy, which ends


@ENDS
def test_what_killed_runs_left_is_cleared_by_the_next_with_the_same_output(
    tmp_path: Path, slices: Path, tiny_bundle: Path, end: End
) -> None:
    output = tmp_path / "out" / "r.csv"
    for _ in range(2):
        assert end(signal.SIGKILL, slices, tiny_bundle, output).code == -signal.SIGKILL
    assert list(output.parent.glob(".*.partial"))
    assert run_command("classify", slices, "--model", tiny_bundle, "--output", output).returncode == 0
    assert sorted(output.parent.iterdir()) == [output, journal_path(output)]


def test_under_nohup_a_hangup_is_not_heard(tmp_path: Path, slices: Path, tiny_bundle: Path) -> None:
    output = tmp_path / "r.csv"

    def hang_up() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal_at_row(signal.SIGHUP, ROWS)

    words = ("classify", slices, "--model", tiny_bundle, "--output", output)
    assert start_with_files(words, tmp_path / "said", before=hang_up).wait() == 0
    assert count_rows(output) == 10


def test_with_standard_error_closed_the_table_is_written_all_the_same(
    tmp_path: Path, slices: Path, tiny_bundle: Path
) -> None:
    output, printed = tmp_path / "r.csv", tmp_path / "stdout"
    with printed.open("w") as out, Path(os.devnull).open() as given:
        words = ("classify", slices, "--model", tiny_bundle, "--output", output)
        copy = start_copy_of_command(words, [given.fileno(), out.fileno(), None])
        assert copy.wait() == 0
    assert printed.read_text() == ""
    assert count_rows(output) == 10


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_standard_error_that_takes_nothing_ends_no_run(
    tmp_path: Path, slices: Path, tiny_bundle: Path
) -> None:
    output = tmp_path / "r.csv"
    with Path("/dev/full").open("w") as full, Path(os.devnull).open("r+") as nothing:
        words = ("classify", slices, "--model", tiny_bundle, "--output", output)
        streams = [nothing.fileno(), nothing.fileno(), full.fileno()]
        assert start_copy_of_command(words, streams).wait() == 0
    assert count_rows(output) == 10


def test_with_all_streams_closed_the_table_holds_nothing_but_rows(
    tmp_path: Path, slices: Path, tiny_bundle: Path
) -> None:
    output = tmp_path / "r.csv"
    words = ("classify", slices, slices / "none.png", "--model", tiny_bundle, "--output", output)
    in_a_shell = ["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *GADOSCOPE, *map(str, words)]
    assert subprocess.run(in_a_shell, check=False, timeout=PATIENCE_SECONDS).returncode == 3
    assert count_rows(output) == 11
    assert run_command(*words, "--resume").returncode == 3  # the journal is whole, too


@pytest.mark.parametrize("command", ["classify", "audit"])
def test_with_standard_output_closed_and_no_output_named_it_is_one_sentence(
    tmp_path: Path, slices: Path, command: str
) -> None:
    said = tmp_path / "stderr"
    with said.open("w") as error, Path(os.devnull).open() as given:
        copy = start_copy_of_command([command, slices], [given.fileno(), None, error.fileno()])
        assert copy.wait() == 1
    assert said.read_text() == "Error: the standard output is closed. Name a file with --output.\n"


def test_phantoms_workers_end_with_their_parent_and_the_next_run_clears_what_it_made(tmp_path: Path) -> None:
    output = tmp_path / "out" / "heads"
    options = ("--subjects", "200", "--slices", "1", "--matrix", "64", "--jobs", "2")
    with started(["phantom", output, *options], tmp_path / "said") as running:
        wait_for(lambda: any(output.parent.glob(".heads.*.partial/**/*.png")), running)
        workers = list_children(running.pid)
        assert len(workers) >= 2
        running.kill()
    end = time.monotonic() + PATIENCE_SECONDS
    while any(is_alive(pid) for pid in workers):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert list(output.parent.glob(".heads.*.partial"))
    small = ("--subjects", "4", "--slices", "1", "--matrix", "32", "--jobs", "1")
    assert run_command("phantom", output, *small).returncode == 0
    assert [path.name for path in output.parent.iterdir()] == ["heads"]


# SIGHUP ends as SIGTERM does. The slow ones' quicker twins spare them two workers that load gadoscope.
@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_phantom_ends_soon_after_a_signal_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals, jobs: int
) -> None:
    output, said = tmp_path / "out" / "heads", tmp_path / "said"
    options = ("--subjects", "200", "--slices", "1", "--matrix", "32", "--jobs", jobs)
    with started(["phantom", output, *options], said) as running:
        wait_for(lambda: any(output.parent.glob(".heads.*.partial/**/*.png")), running)
        os.kill(running.pid, number)
        assert running.wait() == 128 + number
    assert "Traceback" not in (said / "stderr").read_text()
    assert list(output.parent.iterdir()) == []


def list_children(pid: int) -> list[int]:
    """Return the children of a process, as the system lists them."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.exists():
        pytest.skip("needs a system that lists the children of a process")
    return [int(word) for word in listed.read_text().split()]


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
