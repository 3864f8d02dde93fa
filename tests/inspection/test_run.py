"""Planted leaks and giveaways are found and told; clean data are not accused; bad data are one sentence."""

import csv
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gadoscope.errors import ManifestError, OutputError
from gadoscope.inspection.run import JSON_NAME, Audit, audit
from gadoscope.labels import Label, Plane, Split
from gadoscope.preparation.items import Item, Manifest
from gadoscope.preparation.manifest import read_manifest, write_manifest
from gadoscope.records import Data
from gadoscope.run_folder import HTML_NAME
from gadoscope.statistics.predictors import MIN_SUBJECTS
from tests.support.heads import write_heads
from tests.support.slices import grey_values, write_classes, write_slice

BLANK = "TCGA_DU_A5TW"
"""Of the real subjects the one that has two slices without a picture."""
VOLUMES = ("tcga-lgg-volume", "tcga-lgg")
"""Of the real collections the one whose slices are those of the other."""
EVERY, MOST_IMAGES = 8, 24
"""Of the real subjects, and of each: an eighth of the images, and the same traps."""
SUBJECTS_OF_TEST = ("person-5", "person-6")
FEW = MIN_SUBJECTS - 1
"""Images of a class for which no predictor is tried, where a claim is on something else."""


def clean_heads(folder: Path) -> list[Item]:
    """Write the phantom slices and divide them by subject."""
    return [
        replace(
            item,
            plane=Plane.SAGITTAL,
            split=Split.TEST if item.subject_id in SUBJECTS_OF_TEST else Split.TRAIN,
        )
        for item in write_heads(folder)
    ]


def write_table(folder: Path, items: list[Item]) -> Path:
    write_manifest(Manifest(items=tuple(items), origin=folder), folder / "manifest.csv")
    return folder / "manifest.csv"


def copy_of(item: Item, name: str, **changes: Any) -> Item:
    """Write a smaller JPEG of an image and return its row."""
    path = item.path.with_name(name)
    image = Image.open(item.path)
    image.resize((120, 120)).save(path, quality=70)
    return replace(item, path=path, **changes)


@cache
def audit_clean() -> Audit:
    with TemporaryDirectory() as folder:
        return audit(write_table(Path(folder), clean_heads(Path(folder))), output=None)


@cache
def audit_planted() -> tuple[Data, str]:
    """Audit heads with one leak of each kind, and return the report and the page."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        items = clean_heads(folder)
        for item in items:
            if item.label is Label.POST:
                pixels = np.array(Image.open(item.path))
                pixels[2:12, 3:13] = 220
                Image.fromarray(pixels).save(item.path)
        of_train = [item for item in items if item.split is Split.TRAIN]
        items[0] = replace(items[0], split=Split.TEST)  # its subject's other images are in train
        items += [
            copy_of(of_train[4], "reencoded.jpg", split=Split.TEST, subject_id="person-new"),
            copy_of(of_train[7], "relabelled.jpg", label=Label.OTHER),
        ]
        Image.fromarray(np.zeros((64, 64), np.uint8)).save(folder / "blank.png")
        (folder / "broken.png").write_bytes(items[1].path.read_bytes()[:200])
        for spoiled in ("blank.png", "broken.png"):
            items.append(replace(of_train[0], path=folder / spoiled))
        done = audit(write_table(folder, items), output=folder / "audit", n_cases=3)
        written = json.loads((folder / "audit" / JSON_NAME).read_text(encoding="utf-8"))
        assert written == json.loads(json.dumps(done.report))
        return done.report, (folder / "audit" / HTML_NAME).read_text(encoding="utf-8")


def codes(report: Data, severity: str | None = None) -> list[str]:
    return [one["code"] for one in report["findings"] if severity in (None, one["severity"])]


def test_clean_heads_are_not_accused() -> None:
    report = audit_clean().report
    assert codes(report, "serious") == []
    assert (report["copies"]["n_groups"], report["copies"]["groups"]) == (0, [])
    assert report["text"]["n_images"] == 0
    assert {one["verdict"] for one in report["predictors"] if one["nature"] == "circumstance"} == {"none"}
    assert "no_leak" in codes(report)


def test_every_planted_fault_is_found() -> None:
    report, _ = audit_planted()
    assert codes(report, "serious") == [
        "subject_on_two_sides", "copies_across_splits", "copies_across_labels", "strong_predictor",
    ]  # fmt: skip
    assert {"copies_across_subjects", "constant_images", "unreadable_images", "burned_in_text"} <= set(
        codes(report)
    )
    assert report["subjects_on_two_sides"]["n_subjects"] == 1
    pairs = [
        {image["name"].split("/")[1] for image in group["images"]} for group in report["copies"]["groups"]
    ]
    assert [len(pair) for pair in pairs] == [2, 2]
    assert [pair & {"reencoded.jpg", "relabelled.jpg"} for pair in pairs] == [
        {"reencoded.jpg"},
        {"relabelled.jpg"},
    ]
    assert [(row["name"].split("/")[1], row["status"], row["reason"]) for row in report["unusable"]] == [
        ("blank.png", "refused", "blank"),
        ("broken.png", "failed", "truncated"),
    ]


def test_a_tag_that_gives_the_label_away_is_a_strong_predictor_with_its_place() -> None:
    report, _ = audit_planted()
    strong = {one["name"] for one in report["predictors"] if one["verdict"] == "strong"}
    assert "burned-in text" in strong
    assert report["text"]["n_post"] == 18 + 1  # and the copy of one
    assert report["text"]["n_pre"] == 0
    (mark,) = report["text"]["cases"][0]["marks"]
    assert mark["top"] * 192 == pytest.approx(2)
    assert mark["right"] * 192 == pytest.approx(13)


def test_every_finding_and_every_list_stands_on_the_page() -> None:
    report, page = audit_planted()
    text = re.sub(r"\s+", " ", page)
    for finding in report["findings"]:
        assert finding["title"] in text
    for name in ("reencoded.jpg", "relabelled.jpg", "blank.png", "broken.png"):
        assert name in text
    assert 'class="box"' in page  # around the tag


class _Elements(HTMLParser):
    VOID = ("meta", "img", "br", "input")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    _, page = audit_planted()
    elements = _Elements()
    elements.feed(page)
    assert elements.open == []
    assert "<script" not in page
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in elements.addresses)


def test_no_subjects_name_and_no_folder_above_the_data_is_told() -> None:
    report, page = audit_planted()
    assert "person-" not in page + json.dumps(report)
    assert "/tmp" not in page + json.dumps(report)  # noqa: S108 # what must not be there


def test_copies_of_unknown_subjects_are_found_in_the_lessons_folders(tmp_path: Path) -> None:
    write_classes(tmp_path / "Train", FEW)
    write_classes(tmp_path / "Test", FEW)  # the same pictures again
    report = audit(tmp_path, output=None).report
    assert report["copies"]["n_across_splits"] == 2 * FEW
    assert {group["kind"] for group in report["copies"]["groups"]} == {"same file"}
    assert "subjects_unknown" in codes(report)


def test_a_predictor_does_not_learn_the_label_from_a_copy(tmp_path: Path) -> None:
    """Each picture is there twice under two subjects; its own mean would tell its copy's label."""
    items = []
    for number in range(20):
        for twin in ("a", "b"):
            path = write_slice(tmp_path / f"{number}{twin}.png", seed=number)
            label = Label.POST if number % 2 else Label.PRE
            items.append(Item(path=path, label=label, subject_id=f"{number}{twin}", source="s"))
    report = audit(write_table(tmp_path, items), output=None).report
    (mean,) = (one for one in report["predictors"] if one["name"] == "mean")
    assert mean["verdict"] == "none"


def test_one_class_has_counts_but_no_predictors(tmp_path: Path) -> None:
    items = [
        Item(path=write_slice(tmp_path / f"{n}.png", n), label=Label.PRE, subject_id=str(n))
        for n in range(12)
    ]
    report = audit(write_table(tmp_path, items), output=tmp_path / "audit").report
    assert codes(report, "serious") == ["one_class"]
    assert all(one["auc"] is None for one in report["predictors"])
    assert report["majority"] == {"label": "pre", "accuracy": 1.0}


def test_images_of_neither_class_are_told(tmp_path: Path) -> None:
    write_classes(tmp_path, FEW)
    items = list(read_manifest(tmp_path).items)
    items[0] = replace(items[0], label=Label.OTHER)
    report = audit(write_table(tmp_path, items), output=None).report
    assert report["data"]["notices"] == [
        f"1 of {len(items)} images are labelled other: neither class uses them; "
        "with gate.use_other they train the gate."
    ]


def test_ten_rows_are_enough_for_an_audit(tmp_path: Path) -> None:
    write_classes(tmp_path)
    report = audit(tmp_path, output=tmp_path / "audit").report
    assert report["counts"]["all"]["n_images"] == 10
    assert json.dumps(report, allow_nan=False)


def test_a_strong_predictor_of_the_manifest_is_named_with_its_column(tmp_path: Path) -> None:
    items = []
    for number in range(40):
        label, vendor = (Label.POST, "A") if number % 2 else (Label.PRE, "B")
        path = write_slice(tmp_path / f"{number}.png", number)
        items.append(Item(path=path, label=label, subject_id=str(number), extra={"manufacturer": vendor}))
    report = audit(write_table(tmp_path, items), output=None).report
    (finding,) = (one for one in report["findings"] if one["code"] == "strong_predictor")
    assert finding["title"] == "Manufacturer alone gives the label away"


def test_sources_of_one_label_are_named_with_those_to_believe(tmp_path: Path) -> None:
    items = []
    for number in range(60):
        label = Label.POST if number % 2 else Label.PRE
        source = "paired" if number < 8 else str(label)
        path = write_slice(tmp_path / f"{number}.png", number)
        items.append(Item(path=path, label=label, subject_id=str(number), source=source))
    report = audit(write_table(tmp_path, items), output=None).report
    (finding,) = (one for one in report["findings"] if one["code"] == "strong_predictor")
    assert "Believe figures on sources that hold both labels: paired." in finding["text"]


def test_the_digest_names_the_files_whatever_their_order(tmp_path: Path) -> None:
    write_classes(tmp_path, FEW)
    items = list(read_manifest(tmp_path).items)
    one = audit(write_table(tmp_path, items), output=None).report["data"]["sha256"]
    other = audit(write_table(tmp_path, items[::-1]), output=None).report["data"]["sha256"]
    assert one == other
    Image.fromarray(grey_values(seed=99)).save(items[0].path)
    assert audit(tmp_path, output=None).report["data"]["sha256"] != one


def test_data_without_a_readable_image_are_one_sentence(tmp_path: Path) -> None:
    rows = [["path", "subject_id", "label", "plane", "source"], ["a.png", "1", "pre", "", ""]]
    (tmp_path / "a.png").touch()
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with pytest.raises(ManifestError, match=r"none of the 1 images of .* can be read; the first: empty_file"):
        audit(tmp_path, output=None)


def test_a_file_in_the_place_of_the_folder_is_refused_first(tmp_path: Path) -> None:
    (tmp_path / "audit").touch()
    with pytest.raises(OutputError, match="is a file; name a folder for the audit"):
        audit(tmp_path, output=tmp_path / "audit")


def thin_out(items: Sequence[Item], kept: Collection[str | None]) -> list[Item]:
    """Return a share of each source: few images of few subjects, and all of the subjects that are kept."""
    images: dict[str, dict[str | None, list[Item]]] = {}
    for item in items:
        images.setdefault(item.source, {}).setdefault(item.subject_id, []).append(item)
    few = []
    for subjects in images.values():
        for index, (subject, its) in enumerate(subjects.items()):
            few += its if subject in kept else its[:MOST_IMAGES] if index % EVERY == 0 else []
    return few


@pytest.mark.slow
def test_the_known_traps_of_the_real_slices_are_found(shared: Path, tmp_path: Path) -> None:
    items = read_manifest(shared / "data" / "manifest.csv").items
    of_volumes = {item.subject_id for item in items if item.source == VOLUMES[0]}
    few = thin_out(items, {BLANK, *of_volumes})
    report = audit(write_table(tmp_path, few), output=None, jobs=2).report
    strong = {one["name"] for one in report["predictors"] if one["verdict"] == "strong"}
    assert "source" in strong  # one collection is all pre-contrast, another all post-contrast
    assert sum(row["reason"] == "blank" for row in report["unusable"]) == 2
    of = [image["source"] for group in report["copies"]["groups"] for image in group["images"]]
    others = {
        "feltrin-t2",
        "volunteer-t2",
        "volunteer-flair",
        "tcga-lgg-flair",
        "openms-long",
        "vqamed2019-other",
    }
    assert set(of) <= {"feltrin", *others, *VOLUMES}
    assert set(of) >= set(VOLUMES)
