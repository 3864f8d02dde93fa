"""`classify --store` and `gadoscope results`: what runs answered is asked for again, by another command."""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gadoscope.labels import RESULT_COLUMNS, Phase
from gadoscope.preparation.manifest import read_manifest
from tests.support.bundles import with_band, write_tiny_bundle
from tests.support.commands import run_command
from tests.support.dicom_files import classic_series, write_series
from tests.support.slices import write_slice


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with scans, two bundles, a store of two runs, and the table of each."""
    folder = tmp_path_factory.mktemp("answered")
    for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST):
        write_series(classic_series(phase, n_slices=3, matrix=32), folder / "scans" / phase.lower())
    write_slice(folder / "scans" / "slice.png")
    (folder / "scans" / "empty.png").write_bytes(b"")
    write_tiny_bundle(folder / "tiny.onnx")
    write_tiny_bundle(folder / "unsure.onnx", with_band(0.0, 1.0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        for model in ("tiny", "unsure"):
            words = ["scans", "--model", f"{model}.onnx", "--store", "sqlite:///answers.db", "--jobs", "1"]
            ended = run_command("classify", *words, "--output", f"{model}.csv", folder=folder)
            assert ended.returncode == 3, ended.stderr
        yield folder


def ask(folder: Path, *words: str) -> str:
    """Return what is printed of the store."""
    ended = run_command("results", "sqlite:///answers.db", *words, folder=folder)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def sort_rows(table: str) -> list[str]:
    return sorted(table.splitlines())


def test_no_journal_lies_beside_the_table_of_a_run_with_a_store(answered: Path) -> None:
    assert [one.name for one in answered.glob("*.journal")] == []


def test_the_rows_of_a_model_are_those_of_its_table(answered: Path) -> None:
    for model in ("tiny", "unsure"):
        (name,) = {row["model"] for row in read_table(answered / f"{model}.csv")}
        said = ask(answered, "--model", name)
        assert sort_rows(said) == sort_rows((answered / f"{model}.csv").read_text())
        assert ask(answered, "--model", name.partition("@")[2], "--json").count("\n") == 4


def test_a_second_run_takes_over_what_the_store_knows_and_asks_no_network(
    answered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "gadoscope.inference.session.Session.slice_answers", lambda *_: pytest.fail("the network is asked")
    )
    shutil.copytree(answered / "scans", tmp_path / "moved")
    for name in ("tiny.onnx", "answers.db"):
        shutil.copy(answered / name, tmp_path)
    words = ["moved", "--model", "tiny.onnx", "--store", "answers.db", "--jobs", "1", "--output", "again.csv"]
    ended = run_command("classify", *words, folder=tmp_path)
    assert ended.returncode == 3, ended.stderr
    table = (answered / "tiny.csv").read_text()
    assert (tmp_path / "again.csv").read_text() == table.replace("scans/", "moved/")


def test_rows_are_asked_for_by_the_words_of_their_columns(answered: Path) -> None:
    rows = [json.loads(line) for line in ask(answered, "--status", "failed", "--json").splitlines()]
    assert {(row["status"], row["reason"].partition(":")[0]) for row in rows} == {("failed", "empty_file")}
    assert list(rows[0]) == list(RESULT_COLUMNS)
    assert ask(answered, "--since", "2100-01-01").count("\n") == 1
    assert ask(answered, "--until", "2100-01-01", "--run", "1", "--plane", "sagittal").count("\n") >= 2


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_query_is_written_as_a_table_of_any_form(answered: Path, suffix: str) -> None:
    ask(answered, "--model", "tiny", "--output", f"query{suffix}")
    assert (answered / f"query{suffix}").stat().st_size > 100


def test_two_models_are_held_side_by_side(answered: Path) -> None:
    names = [read_table(answered / f"{model}.csv")[0]["model"] for model in ("tiny", "unsure")]
    said = ask(answered, "--compare", *names)
    assert "say the same" in said
    assert "-> INDETERMINATE" in said
    ask(answered, "--compare", *names, "--output", "differences.csv")
    differences = read_table(answered / "differences.csv")
    assert {row["other_phase"] for row in differences} == {"INDETERMINATE"}


def test_answered_series_become_a_manifest_that_is_read(answered: Path) -> None:
    ask(answered, "--run", "1", "--manifest", "manifest.csv")
    manifest = read_manifest(answered / "manifest.csv")
    assert {item.extra["label_source"].partition("@")[0] for item in manifest.items} == {"tiny"}


def test_runs_are_listed(answered: Path) -> None:
    first, second = [json.loads(line) for line in ask(answered, "--runs", "--json").splitlines()]
    assert (first["state"], second["state"]) == ("finished", "finished")
    assert json.loads(first["counts"])["failed"] == 1


def test_what_does_not_go_together_is_told(answered: Path) -> None:
    for words, said in (
        (("results", "answers.db", "--runs", "--manifest", "m.csv"), "ask one at a time"),
        (("results", "answers.db", "--json", "--output", "a.csv"), "--json prints"),
        (("results", "nowhere.db"), "there is no store"),
        (
            ("classify", "scans", "--store", "answers.db", "--resume", "--output", "a.csv"),
            "leave --resume out",
        ),
        (("classify", "scans", "--store", "answers"), "is no store"),
    ):
        ended = run_command(*words, folder=answered)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert said in ended.stderr
