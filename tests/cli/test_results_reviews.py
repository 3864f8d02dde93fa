"""`gadoscope results --reviews`: what readers decided comes out as rows, and as a manifest to train on."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gadoscope.labels import Label, Phase, Verdict
from gadoscope.preparation.manifest import read_manifest
from gadoscope.results.store.reviews import Decision
from gadoscope.results.store.room import Room
from tests.support.bundles import write_tiny_bundle
from tests.support.commands import run_command
from tests.support.dicom_files import classic_series, write_series
from tests.support.slices import write_slice

STORE = "sqlite:///answers.db"


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with a store in whose room two readers decided."""
    folder = tmp_path_factory.mktemp("decided")
    for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST):
        write_series(classic_series(phase, n_slices=3, matrix=32), folder / "scans" / phase.lower())
    for seed, name in enumerate(("one", "two", "three")):
        write_slice(folder / "scans" / f"{name}.png", seed)
    write_tiny_bundle(folder / "tiny.onnx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        words = ["--model", "tiny.onnx", "--store", STORE, "--jobs", "1", "--output", "rows.csv"]
        ended = run_command("classify", "scans", *words, folder=folder)
        assert ended.returncode == 0, ended.stderr
        with Room(str(folder / "answers.db")) as room:
            _sit(room)
        yield folder


def _sit(room: Room) -> None:
    places = {item.result.path.removeprefix("scans/"): item.place for item in room.queue().items}
    sitting = (
        ("ann", "pre_contrast", Verdict.POST),
        ("ann", "pre_contrast", Verdict.PRE),
        ("ann", "post_contrast", Verdict.POST),
        ("bob", "post_contrast", Verdict.POST),
        ("ann", "one.png", Verdict.NOT_T1),
        ("bob", "one.png", Verdict.PRE),
        ("ann", "two.png", Verdict.UNSURE),
        ("bob", "three.png", Verdict.NOT_T1),
    )
    for number, (reader, start, verdict) in enumerate(sitting):
        place = next(place for path, place in places.items() if path.startswith(start))
        room.decide(place, Decision(verdict=verdict, reader=reader, token=f"key-{number}", note="=1+1"))
    token = f"key-{len(sitting)}"
    room.decide(place, Decision(verdict=Verdict.PRE, reader="bob", token=token, is_blind=True))
    room.withdraw("back", token, "bob")


def ask(folder: Path, *words: str) -> str:
    """Return what is printed of the reviews."""
    ended = run_command("results", STORE, "--reviews", *words, folder=folder)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_decisions_come_out_as_they_were_made_and_say_which_hold(decided: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(ask(decided))))
    assert [row["state"] for row in rows] == ["replaced", *["holds"] * 7, "withdrawn"]
    assert [row["reader"] for row in rows[:4]] == ["ann", "ann", "ann", "bob"]
    assert rows[0]["path"].startswith("scans/pre_contrast")
    assert rows[0]["series_instance_uid"]
    assert rows[0]["note"] == "'=1+1"  # no formula of a spreadsheet
    assert rows[8]["is_blind"] == "True"
    printed = [json.loads(line) for line in ask(decided, "--json", "--reader", "bob").splitlines()]
    assert [one["verdict"] for one in printed] == ["post", "pre", "not_t1", "pre"]
    assert ask(decided, "--output", "decisions.csv") == ""
    assert list(csv.DictReader(io.StringIO((decided / "decisions.csv").read_text()))) == rows
    assert list(csv.DictReader(io.StringIO(ask(decided, "--until", "2020-01-01")))) == []


def test_a_manifest_of_decisions_is_one_to_train_on_without_what_is_in_dispute(decided: Path) -> None:
    said = ask(decided, "--manifest", "labels.csv")
    assert said.splitlines() == [
        "3 series: labels.csv",
        "2 left out: 1 on which readers disagree (--reader takes the word of one), "
        "1 that readers call unsure",
    ]
    items = read_manifest(decided / "labels.csv").items
    assert sorted(item.label for item in items) == [Label.OTHER, Label.POST, Label.PRE]
    by_label = {item.label: item for item in items}
    assert by_label[Label.OTHER].path.name == "three.png"
    assert "pre_contrast" in str(by_label[Label.PRE].path)
    assert by_label[Label.POST].extra["label_source"] == "ann, bob"
    assert ask(decided, "--reader", "ann", "--manifest", "ann.csv").startswith(
        "3 series: ann.csv\n1 left out"
    )
    assert {item.label for item in read_manifest(decided / "ann.csv").items} == set(Label)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--reader", "ann"], "--reader is one of --reviews"),
        (["--reviews", "--runs"], "are three questions"),
        (["--reviews", "--plane", "axial"], "--plane narrows rows"),
        (["--reviews", "--output", "x.parquet"], "decisions are written as CSV; name x.csv"),
    ],
)
def test_what_makes_no_sense_together_is_a_sentence(decided: Path, words: list[str], sentence: str) -> None:
    ended = run_command("results", STORE, *words, folder=decided)
    assert ended.returncode == 2
    assert sentence in ended.stderr
