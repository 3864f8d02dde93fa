"""`gadoscope classify`: where the table goes, the ledger, and how the command ends."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from gadoscope.errors import OutputError
from gadoscope.inference.default import find_default
from gadoscope.inference.session import Session
from gadoscope.labels import Phase
from gadoscope.results.journal import journal_path
from tests.support.commands import run_command
from tests.support.copies import start_copy_of_command
from tests.support.dicom_files import classic_series, write_series
from tests.support.rights import as_nobody

LEDGER = re.compile(r"inputs (\d+) = answered (\d+) \+ indeterminate (\d+) \+ refused (\d+) \+ failed (\d+)")

MANY = 200
"""Times that one folder is named: its rows are more than a pipe holds, which are 64 KiB."""


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run_command("classify", *arguments)


def test_all_answered_is_exit_code_0_with_csv_on_a_pipe_and_the_ledger_beside_it(
    slices: Path, tiny_bundle: Path
) -> None:
    ended = _run(slices, "--model", tiny_bundle)
    assert ended.returncode == 0
    rows = list(csv.DictReader(io.StringIO(ended.stdout)))
    assert [row["path"] for row in rows] == [str(slices / f"{index}.png") for index in range(10)]
    n_post = sum(row["phase"] == Phase.POST_CONTRAST for row in rows)
    assert ended.stderr == (
        "inputs 10 = answered 10 + indeterminate 0 + refused 0 + failed 0\n"
        f"  answers: pre-contrast {10 - n_post}, post-contrast {n_post}\n"
    )


def test_a_failed_input_is_exit_code_3_and_the_ledger_adds_up(slices: Path, tiny_bundle: Path) -> None:
    (slices / "bad.png").write_bytes(b"")
    Image.new("L", (40, 40)).save(slices / "blank.png")
    ended = _run(slices, "--model", tiny_bundle)
    assert ended.returncode == 3
    match = LEDGER.search(ended.stderr)
    assert match is not None
    total, *parts = map(int, match.groups())
    assert (total, parts) == (12, [10, 0, 1, 1])
    assert total == sum(parts) == len(ended.stdout.splitlines()) - 1
    assert "refused: blank 1" in ended.stderr
    assert "failed: empty_file 1" in ended.stderr


def test_a_refused_input_is_no_failure(slices: Path, tiny_bundle: Path) -> None:
    Image.new("L", (40, 40)).save(slices / "blank.png")
    assert _run(slices, "--model", tiny_bundle).returncode == 0


def test_json_is_one_object_a_line(slices: Path, tiny_bundle: Path) -> None:
    ended = _run(slices, "--model", tiny_bundle, "--json")
    assert [json.loads(line)["status"] for line in ended.stdout.splitlines()] == ["answered"] * 10


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_with_an_output_nothing_but_the_ledger_is_printed(
    tmp_path: Path, slices: Path, tiny_bundle: Path, suffix: str
) -> None:
    output = tmp_path / "new folder" / f"r{suffix}"
    ended = _run(slices, "--model", tiny_bundle, "--output", output)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert output.stat().st_size > 0
    assert sorted(output.parent.iterdir()) == [output, journal_path(output)]


def test_the_file_and_the_pipe_get_the_same_bytes(tmp_path: Path, slices: Path, tiny_bundle: Path) -> None:
    piped = _run(slices, "--model", tiny_bundle, "--jobs", "1").stdout
    _run(slices, "--model", tiny_bundle, "--jobs", "3", "--output", tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text("utf-8") == piped


def _one_error(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("Error: ")
    assert ended.stderr.count("\n") == 1
    return ended.stderr


def test_an_empty_folder_is_one_sentence_and_no_file(tmp_path: Path, tiny_bundle: Path) -> None:
    (tmp_path / "empty").mkdir()
    output = tmp_path / "r.csv"
    error = _one_error(_run(tmp_path / "empty", "--model", tiny_bundle, "--output", output))
    assert "there is no input in" in error
    assert not output.exists()


def test_an_empty_text_is_not_the_folder_that_one_is_in(tiny_bundle: Path) -> None:
    assert "an empty text names no path" in _one_error(_run("", "--model", tiny_bundle))


def test_without_a_model_the_default_answers_and_the_table_names_it(slices: Path, tiny_bundle: Path) -> None:
    first = slices / "0.png"
    for options, bundle in (((), find_default()), (("--model", tiny_bundle), tiny_bundle)):
        (row,) = csv.DictReader(io.StringIO(_run(first, *options).stdout))
        assert row["model"] == Session(bundle).bundle.model_id


def test_an_output_of_unknown_form_is_refused_before_the_model_is_looked_at(slices: Path) -> None:
    error = _one_error(_run(slices, "--model", "none.onnx", "--output", "r.xlsx"))
    assert "something.csv, something.jsonl, something.parquet" in error


def test_json_and_output_together_are_refused(slices: Path, tiny_bundle: Path) -> None:
    assert "--json" in _one_error(_run(slices, "--model", tiny_bundle, "--json", "--output", "r.csv"))


def test_a_file_that_is_no_bundle_is_one_sentence(tmp_path: Path, slices: Path) -> None:
    (tmp_path / "x.onnx").write_text("no")
    assert "is not an ONNX file" in _one_error(_run(slices, "--model", tmp_path / "x.onnx"))


def test_an_output_that_cannot_be_written_is_one_sentence(slices: Path, tiny_bundle: Path) -> None:
    ended = _run(slices, "--model", tiny_bundle, "--output", slices / "0.png" / "r.csv")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: cannot write ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
def test_a_full_disk_behind_the_standard_output_is_one_sentence(
    tmp_path: Path, slices: Path, tiny_bundle: Path
) -> None:
    said = tmp_path / "stderr"
    with Path("/dev/full").open("w") as full, said.open("w") as error, Path(os.devnull).open() as given:
        streams = [given.fileno(), full.fileno(), error.fileno()]
        copy = start_copy_of_command(["classify", slices, "--model", tiny_bundle], streams)
        assert copy.wait() == 1
    assert said.read_text() == (
        "Error: cannot write to the standard output: No space left on device. Name a file with --output.\n"
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a process that can be copied")
def test_a_reader_that_has_enough_ends_the_run_without_a_word(
    tmp_path: Path, slices: Path, tiny_bundle: Path
) -> None:
    said = tmp_path / "stderr"
    ours, theirs = os.pipe()
    with said.open("w") as error, Path(os.devnull).open() as given:
        words = ["classify", *[slices] * MANY, "--model", tiny_bundle]
        copy = start_copy_of_command(
            words, [given.fileno(), theirs, error.fileno()], before=partial(os.close, ours)
        )
    os.close(theirs)
    with os.fdopen(ours, encoding="utf-8") as table:
        assert table.readline().startswith("path,")
    assert copy.wait() == 1
    assert said.read_text() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal_there_is_a_table_for_people(tmp_path: Path, slices: Path, tiny_bundle: Path) -> None:
    ours, theirs = pty.openpty()
    words = ["classify", slices / "0.png", "--model", tiny_bundle]
    with (tmp_path / "stderr").open("w") as error:
        copy = start_copy_of_command(
            words, [theirs, theirs, error.fileno()], environment={"COLUMNS": "200", "TERM": "dumb"}
        )
    os.close(theirs)
    code = copy.wait()
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert code == 0
    assert "PRE_CONTRAST" in shown
    assert "path,study_instance_uid" not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_on_a_terminal_the_run_is_watched_and_ends_with_a_summary(
    slices: Path, tmp_path: Path, tiny_bundle: Path
) -> None:
    for phase in Phase.PRE_CONTRAST, Phase.POST_CONTRAST:
        write_series(classic_series(phase), slices / "dicom" / phase)
    (slices / "bad.png").write_bytes(b"")
    ours, theirs = pty.openpty()
    words = ["classify", slices, "--model", tiny_bundle, "--output", tmp_path / "r.csv"]
    with Path(os.devnull).open("r+") as nothing:
        streams = [nothing.fileno(), nothing.fileno(), theirs]
        copy = start_copy_of_command(words, streams, environment={"COLUMNS": "120", "TERM": "xterm"})
    os.close(theirs)
    shown = b"".join(iter(lambda: _read_terminal(ours), b"")).decode()
    os.close(ours)
    assert copy.wait() == 3
    assert "DICOM" in shown
    assert "of 2 series" in shown
    assert re.search(r"failed +1 +empty_file 1", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown))
    assert "inputs 13 = answered 11 + indeterminate 1 + refused 0 + failed 1" in shown
    assert "headers and pixels: conflict in" in shown
    assert "studies to look at: 1 with one phase before and after enhancement" in shown


def _read_terminal(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 100_000)
    except OSError:  # Linux's way to say that the other end was closed
        return b""


def test_the_help_shows_an_example_and_the_exit_codes() -> None:
    shown = _run("--help").stdout
    assert "gadoscope classify archive/ --model lesson.onnx --output results.csv" in shown
    assert "3 some inputs" in shown


def test_an_output_in_a_folder_that_may_not_be_entered_is_one_sentence(
    tmp_path: Path, slices: Path, tiny_bundle: Path
) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    arguments = (slices, "--model", tiny_bundle, "--output")
    ended = _run(*arguments, tmp_path / "a.csv")  # imports what nobody may not read
    assert ended.returncode == 0
    for name in ("r.csv", "new/r.jsonl"):
        with as_nobody(tmp_path):
            ended = _run(*arguments, tmp_path / "closed" / name)
        assert ended.returncode == OutputError.exit_code
        assert ended.stderr.startswith("Error: ")
        assert ended.stderr.count("\n") == 1
        assert "You have no permission to write in" in ended.stderr


def test_a_start_that_failed_leaves_nothing(tmp_path: Path, tiny_bundle: Path) -> None:
    (tmp_path / "empty").mkdir()
    output = tmp_path / "out" / "r.csv"
    (tmp_path / "out").mkdir()
    _one_error(_run(tmp_path / "empty", "--model", tiny_bundle, "--output", output))
    assert list(output.parent.iterdir()) == []


def test_without_an_input_no_header_is_printed(tmp_path: Path, tiny_bundle: Path) -> None:
    (tmp_path / "empty").mkdir()
    for options in ((), ("--output", "-"), ("--json",)):
        assert "there is no input in" in _one_error(
            _run(tmp_path / "empty", "--model", tiny_bundle, *options)
        )


def test_a_dash_is_the_standard_output_as_csv(slices: Path, tiny_bundle: Path) -> None:
    piped = _run(slices, "--model", tiny_bundle)
    dashed = _run(slices, "--model", tiny_bundle, "--output", "-")
    assert (dashed.returncode, dashed.stdout) == (0, piped.stdout)
    assert "--resume goes on" in _one_error(_run(slices, "--output", "-", "--resume"))


@pytest.mark.parametrize("name", ["r.CSV", "r.Tsv", "r.JSON", "r.JsonL"])
def test_a_suffix_in_any_capitals_says_the_form(
    tmp_path: Path, slices: Path, tiny_bundle: Path, name: str
) -> None:
    output = tmp_path / "out" / name
    ended = _run(slices, "--model", tiny_bundle, "--output", output)
    assert ended.returncode == 0
    assert f"\ntable: {output}\n" in ended.stderr
    text = output.read_text(encoding="utf-8")
    form = output.suffix.lower()
    if form == ".json":
        rows = json.loads(text)
    elif form == ".jsonl":
        rows = [json.loads(line) for line in text.splitlines()]
    else:
        rows = list(csv.DictReader(io.StringIO(text), delimiter="\t" if form == ".tsv" else ","))
    assert len(rows) == 10
    assert {row["status"] for row in rows} == {"answered"}
