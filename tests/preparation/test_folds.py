"""Whoever is held out is held out whole: by fold, or by source; and every image is held out once."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gadoscope.errors import ConfigError, ManifestError
from gadoscope.labels import Label, Plane, Split
from gadoscope.preparation.manifest import Item, Manifest, read_manifest
from gadoscope.preparation.split import check_leaks, list_sources, split_manifest
from tests.preparation.test_split import MIXED, manifest_of, subject_items
from tests.support.slices import grey_values, write_classes


def hold_out_fold(manifest: Manifest, fold: int, folds: int = 5, seed: int = 1020) -> Manifest:
    return split_manifest(manifest, method="kfold", folds=folds, fold=fold, seed=seed)


def hold_out_source(manifest: Manifest, source: str) -> Manifest:
    return split_manifest(manifest, method="leave_source_out", source=source, seed=1020)


def validation_of(manifest: Manifest) -> set[Path]:
    return {item.path for item in manifest.with_split(Split.VALIDATION)}


def test_every_image_is_in_one_fold_and_no_subject_in_two() -> None:
    divided = [hold_out_fold(MIXED, fold) for fold in range(1, 6)]
    for manifest in divided:
        check_leaks(manifest)
        assert all(item.split in (Split.TRAIN, Split.VALIDATION) for item in manifest.items)
    held = Counter(path for manifest in divided for path in validation_of(manifest))
    assert held == Counter(item.path for item in MIXED.items)


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_every_fold_holds_its_share_of_each_label_plane_and_source(folds: int) -> None:
    items = [
        replace(item, plane=(Plane.SAGITTAL, Plane.AXIAL)[int(str(item.subject_id)[-1]) % 2])
        for item in MIXED.items
    ]
    total = Counter((item.label, item.plane, item.source) for item in items)
    largest = 7  # slices of one subject
    for fold in range(1, folds + 1):
        held = hold_out_fold(manifest_of(*items), fold, folds).with_split(Split.VALIDATION)
        drawn = Counter((item.label, item.plane, item.source) for item in held)
        for stratum, n in total.items():
            assert abs(drawn[stratum] - n / folds) <= largest


def test_folds_do_not_depend_on_the_order_of_the_rows_but_on_the_seed() -> None:
    shuffled = list(MIXED.items)
    random.Random(3).shuffle(shuffled)  # noqa: S311 - an order for a test, no secret
    assert validation_of(hold_out_fold(manifest_of(*shuffled), 2)) == validation_of(hold_out_fold(MIXED, 2))
    assert validation_of(hold_out_fold(MIXED, 2, seed=1)) != validation_of(hold_out_fold(MIXED, 2, seed=2))


def test_many_small_strata_still_give_both_classes_to_every_fold() -> None:
    items = [
        item
        for number in range(10)
        for label in (Label.PRE, Label.POST)
        for item in subject_items(1, label, source=f"hospital-{number}")
    ]
    for fold in range(1, 6):
        held = hold_out_fold(manifest_of(*items), fold).with_split(Split.VALIDATION)
        assert Counter(item.label for item in held) == {Label.PRE: 6, Label.POST: 6}


def test_test_images_are_in_no_fold_and_stated_validation_is_dealt_with_the_rest() -> None:
    test = [replace(item, split=Split.TEST) for item in subject_items(5, Label.POST, "held-out")]
    stated = [
        replace(item, split=Split.VALIDATION if index < 60 else Split.TRAIN)
        for index, item in enumerate(MIXED.items)
    ]
    divided = hold_out_fold(manifest_of(*stated, *test), 1)
    assert [item.path for item in divided.with_split(Split.TEST)] == [item.path for item in test]
    assert divided.notices[-1].startswith("60 images that the data call validation were dealt into folds")


def test_more_folds_than_subjects_of_a_class_are_refused() -> None:
    manifest = manifest_of(*subject_items(3, Label.PRE), *subject_items(9, Label.POST))
    with pytest.raises(
        ManifestError, match=r"fold \d of 5 of /data has no pre-contrast image: .*fewer folds"
    ):
        hold_out_fold(manifest, 1)


@pytest.mark.parametrize(("fold", "folds"), [(0, 5), (6, 5), (1, 1)])
def test_a_fold_that_does_not_exist_is_refused(fold: int, folds: int) -> None:
    with pytest.raises(ConfigError, match=r"split\.fold"):
        hold_out_fold(MIXED, fold, folds)


def test_near_duplicates_stay_in_one_fold_where_subjects_are_unknown(tmp_path: Path) -> None:
    write_classes(tmp_path, 12)
    for index in range(6):
        dimmed = (grey_values(seed=index) * 0.9).astype(np.uint8)
        Image.fromarray(dimmed).save(tmp_path / "no_gad" / f"zz{index}.png")
    divided = hold_out_fold(read_manifest(tmp_path), 1, folds=3)
    split_of = {item.path.name: item.split for item in divided.items if item.label is Label.PRE}
    assert all(split_of[f"zz{index}.png"] is split_of[f"{index:03d}.png"] for index in range(6))


def test_the_source_left_out_is_test_and_the_threshold_is_chosen_elsewhere() -> None:
    divided = hold_out_source(MIXED, "b")
    check_leaks(divided)
    assert {item.source for item in divided.with_split(Split.TEST)} == {"b"}
    assert len(divided.with_split(Split.TEST)) == sum(item.source == "b" for item in MIXED.items)
    for split in (Split.TRAIN, Split.VALIDATION):
        part = divided.with_split(split)
        assert {item.source for item in part} == {"a"}
        assert {item.label for item in part} == {Label.PRE, Label.POST}


def test_a_subject_scanned_in_two_hospitals_is_left_out_with_either() -> None:
    twin = [replace(item, source="b") for item in subject_items(1, Label.PRE, prefix="guest-")]
    own = [replace(item, path=item.path.with_stem(f"{item.path.stem}-own"), source="a") for item in twin]
    divided = hold_out_source(manifest_of(*MIXED.items, *twin, *own), "b")
    check_leaks(divided)
    split_of = {item.path: item.split for item in divided.items}
    assert {split_of[item.path] for item in own} == {Split.TEST}
    assert divided.notices[-1].startswith("3 images of other sources were left out of training with b")


def test_copies_of_an_image_are_left_out_with_its_source_where_subjects_are_unknown(tmp_path: Path) -> None:
    items = []
    for source, first in (("a", 0), ("b", 20)):
        for number in range(first, first + 8):
            path = tmp_path / source / f"{number}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(grey_values(seed=number)).save(path)
            items.append(Item(path=path, label=(Label.PRE, Label.POST)[number % 2], source=source))
    Image.fromarray(grey_values(seed=20)).save(tmp_path / "a" / "0.png")  # shows what 20.png of b shows
    divided = hold_out_source(Manifest(items=tuple(items), origin=tmp_path), "b")
    split_of = {item.path: item.split for item in divided.items}
    assert split_of[tmp_path / "a" / "0.png"] is Split.TEST
    assert Counter(split_of.values())[Split.TEST] == 9


def test_stated_validation_of_the_other_sources_is_obeyed() -> None:
    stated = [
        replace(item, split=Split.VALIDATION if str(item.subject_id)[-1] == "3" else Split.TRAIN)
        for item in MIXED.items
    ]
    divided = hold_out_source(manifest_of(*stated), "b")
    expected = {item.path for item in stated if item.source == "a" and item.split is Split.VALIDATION}
    assert validation_of(divided) == expected


@pytest.mark.parametrize("source", ["", "c", "held-out"])
def test_a_source_that_is_not_there_or_is_all_test_is_refused(source: str) -> None:
    test = [replace(item, split=Split.TEST) for item in subject_items(5, Label.POST, "held-out")]
    manifest = manifest_of(*MIXED.items, *test)
    assert list_sources(manifest) == ["a", "b"]
    with pytest.raises(ConfigError, match=r"split\.source = .*; expected one of the 2 sources .*: a, b\."):
        hold_out_source(manifest, source)


def test_the_only_source_cannot_be_left_out() -> None:
    manifest = manifest_of(*subject_items(5, Label.PRE), *subject_items(5, Label.POST))
    with pytest.raises(ConfigError, match="Leaving one out needs two"):
        hold_out_source(manifest, "a")


def test_a_class_that_only_the_source_left_out_has_is_missed_by_name() -> None:
    manifest = manifest_of(*subject_items(9, Label.PRE), *subject_items(9, Label.POST, "b"))
    with pytest.raises(ManifestError, match="the train part of /data has no post-contrast image"):
        hold_out_source(manifest, "b")
