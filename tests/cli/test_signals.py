"""Signals and closed streams: a whole table stays, what was killed is cleared, nothing needs a terminal."""

import csv
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gadoscope.labels import Phase
from gadoscope.results.journal import journal_path
from gadoscope.results.tables import part_path
from tests.support.commands import run_command
from tests.support.dicom_files import classic_series, write_series

GADOSCOPE = [sys.executable, "-m", "gadoscope"]
PATIENCE_SECONDS = 60.0
MANY = 5000
"""Times that one folder is named: work for longer than a test waits."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")


def wait_for(is_so: Callable[[], bool], running: "subprocess.Popen[str]") -> None:
    """Wait until something is so, or fail."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def started(*arguments: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """Start the command, and end it whatever happens."""
    command = [*GADOSCOPE, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


@contextmanager
def classifying(slices: Path, bundle: Path, output: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a long run, and wait until it has written rows."""
    with started("classify", *[slices] * MANY, "--model", bundle, "--output", output) as running:
        wait_for(lambda: any(size(path) for path in output.parent.glob(".*.partial")), running)
        yield running


def size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def count_rows(table: Path) -> int:
    with table.open(encoding="utf-8", newline="") as stream:
        return len(list(csv.DictReader(stream)))


def run(*arguments: str | Path, shell_tail: str = "") -> "subprocess.CompletedProcess[str]":
    """Run the command to its end, as a process where ``shell_tail`` closes its streams."""
    if not shell_tail:
        return run_command(*arguments)
    words = [*GADOSCOPE, *map(str, arguments)]
    command = ["sh", "-c", f'"$@" {shell_tail}', "sh", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupted_run_writes_beside_a_table_that_is_there_and_says_so(
    tmp_path: Path, slices: Path, tiny_bundle: Path, number: signal.Signals, code: int
) -> None:
    output = tmp_path / "out" / "r.csv"
    assert run("classify", slices, "--model", tiny_bundle, "--output", output).returncode == 0
    whole = output.read_bytes()
    with classifying(slices, tiny_bundle, output) as running:
        running.send_signal(number)
        _, said = running.communicate(timeout=PATIENCE_SECONDS)
    part = part_path(output)
    assert running.returncode == code
    assert output.read_bytes() == whole
    assert part.name == "r.interrupted.csv"
    n_rows = count_rows(part)
    assert f"Interrupted: {part} holds the first {n_rows} inputs only. {output} stays as it was." in said
    assert f"table: {part}" in said
    assert sorted(output.parent.iterdir()) == sorted([output, part, journal_path(output)])


def test_a_run_that_is_interrupted_before_its_first_row_leaves_a_whole_table_as_it_was(
    tmp_path: Path, tiny_bundle: Path, slices: Path
) -> None:
    output = tmp_path / "r.csv"
    assert run("classify", slices, "--model", tiny_bundle, "--output", output).returncode == 0
    whole = output.read_bytes()
    journal_path(output).unlink()
    series = tmp_path / "series"  # rows of DICOM come when all files have been looked at
    write_series(classic_series(Phase.PRE_CONTRAST), series)
    arguments = ("--model", tiny_bundle, "--output", output)
    with started("classify", *[series] * MANY, *arguments) as running:
        wait_for(journal_path(output).exists, running)
        time.sleep(0.3)  # the walk has begun
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 143
    assert output.read_bytes() == whole
    assert "table:" not in said
    assert not part_path(output).exists()


def test_what_killed_runs_left_is_cleared_by_the_next_with_the_same_output(
    tmp_path: Path, slices: Path, tiny_bundle: Path
) -> None:
    output = tmp_path / "out" / "r.csv"
    for _ in range(2):
        with classifying(slices, tiny_bundle, output) as running:
            running.kill()
    assert list(output.parent.glob(".*.partial"))
    assert run("classify", slices, "--model", tiny_bundle, "--output", output).returncode == 0
    assert sorted(output.parent.iterdir()) == [output, journal_path(output)]


def test_a_run_that_hangs_up_leaves_no_stray_and_its_rows(
    tmp_path: Path, slices: Path, tiny_bundle: Path
) -> None:
    output = tmp_path / "out" / "r.csv"
    with classifying(slices, tiny_bundle, output) as running:
        running.send_signal(signal.SIGHUP)
        running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 129
    assert count_rows(output) > 0
    assert sorted(output.parent.iterdir()) == [output, journal_path(output)]


def test_under_nohup_a_hangup_is_not_heard(tmp_path: Path, slices: Path, tiny_bundle: Path) -> None:
    output = tmp_path / "r.csv"
    script = (
        "import os, signal, threading, time; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "threading.Thread(target=lambda: [time.sleep(0.3) or os.kill(os.getpid(), signal.SIGHUP)]).start()\n"
        "from gadoscope.cli.main import main; main()"
    )
    paths = [str(path) for path in (*[slices] * 20, "--model", tiny_bundle, "--output", output)]
    ended = subprocess.run(
        [sys.executable, "-c", script, "classify", *paths], capture_output=True, check=False
    )
    assert ended.returncode == 0
    assert count_rows(output) == 200


def test_with_standard_error_closed_the_table_is_written_all_the_same(
    tmp_path: Path, slices: Path, tiny_bundle: Path
) -> None:
    output = tmp_path / "r.csv"
    ended = run("classify", slices, "--model", tiny_bundle, "--output", output, shell_tail="2>&-")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert count_rows(output) == 10


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_standard_error_that_takes_nothing_ends_no_run(
    tmp_path: Path, slices: Path, tiny_bundle: Path
) -> None:
    output = tmp_path / "r.csv"
    ended = run("classify", slices, "--model", tiny_bundle, "--output", output, shell_tail="2>/dev/full")
    assert ended.returncode == 0
    assert count_rows(output) == 10


def test_with_all_streams_closed_the_table_holds_nothing_but_rows(
    tmp_path: Path, slices: Path, tiny_bundle: Path
) -> None:
    output = tmp_path / "r.csv"
    arguments = ("classify", slices, slices / "none.png", "--model", tiny_bundle, "--output", output)
    assert run(*arguments, shell_tail="<&- >&- 2>&-").returncode == 3
    assert count_rows(output) == 11
    assert run(*arguments, "--resume").returncode == 3  # the journal is whole, too


@pytest.mark.parametrize("command", ["classify", "audit"])
def test_with_standard_output_closed_and_no_output_named_it_is_one_sentence(
    slices: Path, command: str
) -> None:
    ended = run(command, slices, shell_tail=">&-")
    assert ended.returncode == 1
    assert ended.stderr == "Error: the standard output is closed. Name a file with --output.\n"


def test_phantoms_workers_end_with_their_parent_and_the_next_run_clears_what_it_made(tmp_path: Path) -> None:
    output = tmp_path / "heads"
    options = ("--subjects", "200", "--slices", "1", "--matrix", "64", "--jobs", "2")
    with started("phantom", output, *options) as running:
        wait_for(lambda: any(tmp_path.glob(".heads.*.partial/**/*.png")), running)
        workers = list_children(running.pid)
        assert len(workers) >= 2
        running.kill()
        running.wait()
    end = time.monotonic() + PATIENCE_SECONDS
    while any(is_alive(pid) for pid in workers):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert list(tmp_path.glob(".heads.*.partial"))
    small = ("--subjects", "4", "--slices", "1", "--matrix", "32", "--jobs", "1")
    assert run("phantom", output, *small).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["heads"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])  # SIGHUP ends as SIGTERM does
def test_phantom_ends_soon_after_a_signal_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    options = ("--subjects", "200", "--slices", "1", "--matrix", "32", "--jobs", "2")
    with started("phantom", tmp_path / "heads", *options) as running:
        wait_for(lambda: any(tmp_path.glob(".heads.*.partial/**/*.png")), running)
        running.send_signal(number)
        _, said = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 128 + number
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


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
