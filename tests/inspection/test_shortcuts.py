"""What gives the label away is measured in seconds, once, or taken from an audit of the same data."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gadoscope.files import hash_file
from gadoscope.inspection import shortcuts
from gadoscope.inspection.audited import DataDigests, find_audit_of
from gadoscope.inspection.run import audit
from gadoscope.inspection.shortcuts import describe_data, find_shortcuts, is_current, measure_shortcuts, warn
from gadoscope.labels import Label
from gadoscope.preparation.data_digest import digest_files, digest_labelled
from gadoscope.preparation.items import Item
from gadoscope.preparation.manifest import read_manifest
from gadoscope.statistics.predictors import MIN_SUBJECTS
from tests.support.traps import N_FEW, write_trap

FEW = MIN_SUBJECTS - 1
"""Images of a class for which no predictor is tried: a claim on digests does without a second's forests."""


def read(folder: Path) -> tuple[tuple[Item, ...], list[str]]:
    items = read_manifest(folder).items
    return items, [hash_file(item.path) for item in items]


def digests_of(items: tuple[Item, ...], digests: list[str]) -> DataDigests:
    return DataDigests(digest_labelled(items, digests), digest_files(digests))


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["verdict"] for one in found["predictors"]}


def name_trap(folder: Path, trap: str) -> str:
    """Return the sentence on images with a trap."""
    items, digests = read(write_trap(folder, trap=trap))
    (sentence,) = warn(measure_shortcuts(items, digests, jobs=1))
    return sentence.casefold()


@pytest.mark.parametrize("trap", ["size", "border"])
def test_a_trap_is_named(tmp_path: Path, trap: str) -> None:
    sentence = name_trap(tmp_path / "data", trap)
    assert trap in sentence
    assert "give" in sentence


@pytest.mark.slow
@pytest.mark.usefixtures("whole_forests")
def test_whole_forests_name_a_trap_too(tmp_path: Path) -> None:
    """In small: `test_a_trap_is_named`."""
    assert "image size" in name_trap(tmp_path / "data", "size")


@pytest.mark.usefixtures("whole_forests")
def test_images_without_a_trap_are_not_accused(tmp_path: Path) -> None:
    items, digests = read(write_trap(tmp_path / "clean", trap="none"))
    assert warn(measure_shortcuts(items, digests, jobs=1)) == []


def test_of_many_images_a_part_is_measured_the_same_one_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shortcuts, "MAX_IMAGES", 30)
    items, digests = read(write_trap(tmp_path / "data"))
    found = measure_shortcuts(items, digests, jobs=1)
    assert (found["n_images"], found["n_measured"]) == (48, 30)
    assert verdicts(found)["image size"] == "strong"
    assert "Measured on 30 of the 48 images." in warn(found)[0]
    turned = measure_shortcuts(items[::-1], digests[::-1], jobs=1)
    assert turned["data_sha256"] == found["data_sha256"]
    assert verdicts(turned) == verdicts(found)


def test_what_was_measured_is_kept_until_a_label_or_a_column_changes(tmp_path: Path) -> None:
    items, digests = read(write_trap(tmp_path / "data", n=FEW))
    kept = {**measure_shortcuts(items, digests, jobs=1), "predictors": []}
    assert find_shortcuts(items, digests, near=[], kept=[None, {"version": "x"}, kept]) == kept
    relabelled = (replace(items[0], label=Label.POST), *items[1:])
    described = (replace(items[0], extra={"vendor": "A"}), *items[1:])
    noted = (replace(items[0], extra={"note": "blurred"}), *items[1:])
    assert not is_current(kept, describe_data(relabelled, digests))
    assert not is_current(kept, describe_data(described, digests))
    assert is_current(kept, describe_data(noted, digests))


def test_an_audit_is_found_by_the_hash_of_its_data_wherever_it_lies_near(tmp_path: Path) -> None:
    data = write_trap(tmp_path / "data", n=N_FEW)
    audit(data, output=tmp_path / "audits" / "first", jobs=1)
    audit(write_trap(tmp_path / "other", n=FEW), output=tmp_path / "audits" / "a-decoy", jobs=1)
    (tmp_path / "audits" / "broken").mkdir()
    (tmp_path / "audits" / "broken" / "audit.json").write_text('{"format": "gadoscope au')
    items, digests = read(data)
    expected = tmp_path / "audits" / "first" / "audit.json"
    assert find_audit_of(digests_of(items, digests), [tmp_path / "data"]) == expected
    found = find_shortcuts(items, digests, near=[tmp_path / "run"])
    written = json.loads(expected.read_text())["predictors"]
    assert [one["auc"] for one in found["predictors"]] == [one["auc"] for one in written]
    assert warn(found)[0].startswith("Image size")


def test_an_audit_of_other_labels_is_not_of_these_data(tmp_path: Path) -> None:
    data = write_trap(tmp_path / "data", n=FEW)
    audit(data, output=tmp_path / "audit", jobs=1)
    items, digests = read(data)
    relabelled = (replace(items[0], label=Label.POST), *items[1:])
    assert find_audit_of(digests_of(items, digests), [data]) is not None
    assert find_audit_of(digests_of(relabelled, digests), [data]) is None


def test_an_audit_with_images_labelled_other_is_of_the_run_that_leaves_them_out(tmp_path: Path) -> None:
    items, digests = read(write_trap(tmp_path / "data", n=FEW))
    other = (replace(items[0], label=Label.OTHER), *items[1:])
    assert digest_labelled(other, digests) == digest_labelled(items[1:], digests[1:])


def test_the_search_for_an_audit_ends_where_the_neighbours_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items, digests = read(write_trap(tmp_path / "data", n=FEW))
    monkeypatch.setattr("gadoscope.inspection.audited.MAX_FOLDERS", 3)
    for number in range(9):
        (tmp_path / f"a{number}").mkdir()
    audit(tmp_path / "data", output=tmp_path / "z", jobs=1)
    assert find_audit_of(digests_of(items, digests), [tmp_path / "data"]) is None
    assert find_audit_of(digests_of(items, digests), [tmp_path / "z"]) == tmp_path / "z" / "audit.json"
