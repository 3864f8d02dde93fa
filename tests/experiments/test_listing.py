"""`gadoscope runs`: a row a run, also of one that was killed or whose files are damaged."""

import csv
import json
import os
from pathlib import Path

import pytest

from gadoscope.errors import UsageError
from gadoscope.evaluation.openings import OPENINGS_NAME
from gadoscope.experiments.listing import COLUMNS, RunRow, list_runs
from gadoscope.files import hash_file
from tests.support.commands import run_command

CONFIG = {"name": "mine", "network": "siim", "epochs": 3}


def write_run(run: Path, *, auc: float, day: int, losses: tuple[float, ...] = (0.5, 0.3, 0.4)) -> Path:
    """Write what a training leaves of which a list is made."""
    run.mkdir(parents=True)
    rows = [
        {"epoch": n, "validation_loss": loss, "validation_accuracy": 0.8} for n, loss in enumerate(losses, 1)
    ]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run / "model.onnx").write_bytes(run.name.encode())
    record = {
        "config": CONFIG,
        "kept_epoch": 2,
        "performance": {"validation": {"accuracy": 0.9, "auc": auc}},
    }
    (run / "record.json").write_text(json.dumps(record))
    os.utime(run / "record.json", (day * 86_400, day * 86_400))
    return run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Return two finished runs, one that was killed, one that is damaged, and a folder that is none."""
    folder = tmp_path / "runs"
    first = write_run(folder / "a", auc=0.95, day=2)
    openings = [{"accuracy": 0.7, "auc": 0.8}, {"accuracy": 0.75, "auc": 0.85}]
    (first / OPENINGS_NAME).write_text("".join(json.dumps(line) + "\n" for line in openings))
    write_run(folder / "folds" / "fold-1", auc=0.99, day=3)
    killed = write_run(folder / "killed", auc=0.5, day=1)
    (killed / "record.json").unlink()
    (killed / "model.onnx").unlink()
    (killed / "config.toml").write_text('name = "mine"\nnetwork = "siim"\nepochs = 9\n')
    os.utime(killed / "metrics.jsonl", (86_400, 86_400))
    broken = write_run(folder / "broken", auc=0.5, day=0)
    (broken / "record.json").write_text("{")
    (folder / "notes").mkdir()
    (folder / "a" / "prepared" / "record.json").parent.mkdir()
    (folder / "a" / "prepared" / "record.json").write_text("{}")  # nobody looks there
    return folder


def test_a_finished_run_has_its_figures_its_bundle_and_the_last_look_at_its_test(runs: Path) -> None:
    row = next(row for row in list_runs(runs) if row.run == "a")
    assert row == RunRow(
        run="a",
        state="finished",
        name="mine",
        date="1970-01-03 00:00",
        network="siim",
        epochs=3,
        planned=3,
        kept_epoch=2,
        validation_loss=0.3,
        validation_accuracy=0.9,
        validation_auc=0.95,
        test_accuracy=0.75,
        test_auc=0.85,
        n_openings=2,
        bundle=f"mine@{hash_file(runs / 'a' / 'model.onnx')[:8]}",
    )


def test_an_unfinished_and_a_damaged_run_are_rows_that_say_so(runs: Path) -> None:
    rows = {row.run: row for row in list_runs(runs)}
    assert rows.keys() == {"a", "folds/fold-1", "killed", "broken"}
    assert (rows["killed"].state, rows["killed"].epochs, rows["killed"].planned) == ("unfinished", 3, 9)
    assert "go on with --resume" in rows["killed"].note
    assert rows["killed"].validation_loss == 0.4
    assert rows["broken"].state == "damaged"
    assert rows["broken"].note


@pytest.mark.parametrize(
    "content", ["[]", "null", '{"config": 3, "performance": []}', '{"kept_epoch": 99}', "\xff"]
)
def test_no_record_ends_the_list(runs: Path, content: str) -> None:
    (runs / "broken" / "record.json").write_bytes(content.encode("latin-1"))
    assert len(list_runs(runs)) == 4


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("date", ["folds/fold-1", "a", "killed", "broken"]),
        ("folder", ["a", "broken", "folds/fold-1", "killed"]),
        ("validation", ["folds/fold-1", "a", "broken", "killed"]),
        ("test", ["a", "broken", "folds/fold-1", "killed"]),
    ],
)
def test_the_rows_come_in_the_order_that_is_asked_for(runs: Path, order: str, names: list[str]) -> None:
    assert [row.run for row in list_runs(runs, order)] == names


def test_the_command_prints_a_table_and_writes_all_that_is_known(runs: Path, tmp_path: Path) -> None:
    said = run_command("runs", runs, "--output", tmp_path / "runs.csv")
    assert said.returncode == 0
    lines = said.stdout.splitlines()
    assert lines[0].split()[:3] == ["run", "model", "date"]
    assert "3/3, kept 2" in lines[1]
    assert lines[-1].startswith("broken: damaged; ")
    with (tmp_path / "runs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert {row["run"]: row["test_auc"] for row in rows}["a"] == "0.85"


def test_a_run_alone_a_folder_without_one_and_no_folder(runs: Path, tmp_path: Path) -> None:
    assert [row.state for row in list_runs(runs / "a")] == ["finished"]
    assert "holds no run" in run_command("runs", runs / "notes").stdout
    with pytest.raises(UsageError, match="there is no folder"):
        list_runs(tmp_path / "nowhere")
