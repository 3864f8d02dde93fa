"""Validation is drawn as asked: by file name exactly as Keras does, or by whole subjects."""

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gadoscope.errors import ConfigError, LeakError, ManifestError
from gadoscope.labels import Label, Split
from gadoscope.preparation.manifest import Item, Manifest, read_manifest
from gadoscope.preparation.split import check_leaks, split_manifest
from tests.support.paths import FIXTURES
from tests.support.slices import grey_values, write_classes

REFERENCE: dict[str, Any] = json.loads(
    (FIXTURES / "keras_split" / "reference.json").read_text(encoding="utf-8")
)["split"]
FOLDER = Path("/data")


def subject_items(
    n_subjects: int, label: Label, source: str = "a", n_slices: int = 3, prefix: str = ""
) -> list[Item]:
    """Return slices of subjects; the files need not exist."""
    return [
        Item(
            path=FOLDER / source / f"{prefix}{label}{subject}-{index}.png",
            label=label,
            subject_id=f"{source}-{prefix}{label}{subject}",
            source=source,
        )
        for subject in range(n_subjects)
        for index in range(n_slices)
    ]


def manifest_of(*items: Item) -> Manifest:
    return Manifest(items=items, origin=FOLDER)


def split_by_subject(manifest: Manifest, fraction: float = 0.2, seed: int = 1020) -> Manifest:
    return split_manifest(manifest, method="subject", validation_fraction=fraction, seed=seed)


def split_by_name(manifest: Manifest, fraction: float = 0.2) -> Manifest:
    return split_manifest(manifest, method="keras", validation_fraction=fraction, seed=0)


MIXED = manifest_of(
    *subject_items(20, Label.PRE),
    *subject_items(20, Label.POST),
    *subject_items(30, Label.POST, source="b", n_slices=7),
    *subject_items(30, Label.PRE, source="b", n_slices=2),
)


@pytest.mark.parametrize("fraction", REFERENCE["subsets"])
def test_the_split_by_name_equals_that_of_keras(tmp_path: Path, fraction: str) -> None:
    for class_name, names in REFERENCE["names"].items():
        for name in names:
            path = tmp_path / class_name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
    divided = split_by_name(read_manifest(tmp_path), float(fraction))
    for split, subset in ((Split.TRAIN, "training"), (Split.VALIDATION, "validation")):
        ours = [str(item.path.relative_to(tmp_path)) for item in divided.with_split(split)]
        assert ours == REFERENCE["subsets"][fraction][subset]


def test_the_split_by_name_is_the_same_whatever_the_order_of_the_rows() -> None:
    shuffled = list(MIXED.items)
    random.Random(3).shuffle(shuffled)  # noqa: S311 - an order for a test, no secret
    expected = {item.path: item.split for item in split_by_name(MIXED).items}
    assert {item.path: item.split for item in split_by_name(manifest_of(*shuffled)).items} == expected


def test_the_split_by_name_of_the_lesson_has_its_published_size() -> None:
    items = [
        Item(path=FOLDER / label / f"{index:04d}.png", label=label)
        for label, n in ((Label.PRE, 694), (Label.POST, 207))  # 722 + 179 = 901; validation 138 + 41
        for index in range(n)
    ]
    divided = split_by_name(manifest_of(*items))
    assert len(divided.with_split(Split.TRAIN)) == 722
    assert Counter(item.label for item in divided.with_split(Split.VALIDATION)) == {
        Label.PRE: 138,
        Label.POST: 41,
    }


def test_subjects_stay_whole() -> None:
    divided = split_by_subject(MIXED)
    check_leaks(divided)
    assert all(item.split is not None for item in divided.items)


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
def test_every_label_and_source_gets_its_share(fraction: float) -> None:
    divided = split_by_subject(MIXED, fraction)
    total = Counter((item.label, item.source) for item in divided.items)
    drawn = Counter((item.label, item.source) for item in divided.with_split(Split.VALIDATION))
    slices = {("a", Label.PRE): 3, ("a", Label.POST): 3, ("b", Label.POST): 7, ("b", Label.PRE): 2}
    for stratum, n in total.items():
        assert abs(drawn[stratum] - fraction * n) <= slices[stratum[1], stratum[0]] / 2


def test_subjects_with_both_labels_are_balanced_too() -> None:
    items = [
        replace(item, subject_id=f"pair{index // 8}")
        for label in (Label.PRE, Label.POST)
        for index, item in enumerate(subject_items(20, label, n_slices=8))
    ]
    divided = split_by_subject(manifest_of(*items))
    check_leaks(divided)
    assert Counter(item.label for item in divided.with_split(Split.VALIDATION)) == {
        Label.PRE: 32,
        Label.POST: 32,
    }


def test_the_same_seed_gives_the_same_split_whatever_the_order_of_the_rows() -> None:
    shuffled = list(MIXED.items)
    random.Random(3).shuffle(shuffled)  # noqa: S311 - as above
    expected = {item.path: item.split for item in split_by_subject(MIXED).items}
    assert {item.path: item.split for item in split_by_subject(manifest_of(*shuffled)).items} == expected


def test_another_seed_gives_another_split() -> None:
    drawn = [
        {item.subject_id for item in split_by_subject(MIXED, seed=seed).with_split(Split.VALIDATION)}
        for seed in (1, 2)
    ]
    assert drawn[0] != drawn[1]


def test_the_draw_of_subjects_is_pinned_for_every_machine_and_version() -> None:
    items = (*subject_items(8, Label.PRE, n_slices=1), *subject_items(8, Label.POST, n_slices=1))
    drawn = split_by_subject(manifest_of(*items), 0.25).with_split(Split.VALIDATION)
    assert [item.subject_id for item in drawn] == PINNED


# sorted(names, key=lambda name: hashlib.sha256(f"1020 subject {name}".encode()).digest())[:2] of each label
PINNED = ["a-pre2", "a-pre4", "a-post1", "a-post4"]


def test_a_few_large_subjects_still_give_both_classes_on_both_sides() -> None:
    items = (*subject_items(2, Label.PRE, n_slices=50), *subject_items(2, Label.POST, n_slices=50))
    divided = split_by_subject(manifest_of(*items))
    check_leaks(divided)
    for split in (Split.TRAIN, Split.VALIDATION):
        assert {item.label for item in divided.with_split(split)} == {Label.PRE, Label.POST}


@pytest.mark.parametrize("lonely", [Label.PRE, Label.POST])
def test_a_class_of_one_subject_cannot_be_divided(lonely: Label) -> None:
    other = Label.POST if lonely is Label.PRE else Label.PRE
    manifest = manifest_of(*subject_items(1, lonely), *subject_items(9, other))
    with pytest.raises(
        ManifestError, match=rf"part of /data has no {lonely}-contrast image \(there are 3 in all"
    ):
        split_by_subject(manifest)


def test_too_few_images_for_the_fraction_are_refused_by_name() -> None:
    manifest = manifest_of(
        *subject_items(4, Label.PRE, n_slices=1), *subject_items(9, Label.POST, n_slices=1)
    )
    with pytest.raises(ManifestError, match="the validation part of /data has no pre-contrast image"):
        split_by_name(manifest)


def test_data_without_one_class_are_refused() -> None:
    with pytest.raises(ManifestError, match=r"has no post-contrast image \(there are 0 in all\)"):
        split_by_subject(manifest_of(*subject_items(9, Label.PRE)))


def test_splits_that_the_data_state_are_obeyed() -> None:
    stated = manifest_of(*(replace(item, split=split) for item, split in zip(
        MIXED.items, [Split.TRAIN, Split.VALIDATION, Split.TEST] * 200, strict=False)))  # fmt: skip
    assert split_by_subject(stated) == stated


def test_images_without_a_split_beside_stated_validation_are_trained_on_and_counted() -> None:
    items = [
        replace(item, split=Split.VALIDATION)
        for item in (*subject_items(2, Label.PRE), *subject_items(2, Label.POST))
    ]
    rest = (*subject_items(3, Label.PRE, "b"), *subject_items(3, Label.POST, "b"))
    divided = split_by_subject(manifest_of(*items, *rest))
    assert len(divided.with_split(Split.TRAIN)) == 18
    assert divided.notices[-1].startswith("18 images had no split and were put into train")


def test_validation_is_drawn_from_train_alone_and_test_stays() -> None:
    test = [replace(item, split=Split.TEST) for item in subject_items(5, Label.POST, "held-out")]
    train = [replace(item, split=Split.TRAIN) for item in MIXED.items]
    for divide in (split_by_subject, split_by_name):
        divided = divide(manifest_of(*train, *test))
        assert [item.path for item in divided.with_split(Split.TEST)] == [item.path for item in test]
        assert divided.with_split(Split.VALIDATION)


def test_near_duplicates_stand_in_for_unknown_subjects_and_a_notice_says_so(tmp_path: Path) -> None:
    write_classes(tmp_path, 8)
    for index in range(4):  # a second, dimmer copy under a name far away
        for name, seed in (("no_gad", index), ("with_gad", 1000 + index)):
            dimmed = (grey_values(seed=seed) * 0.9).astype(np.uint8)
            Image.fromarray(dimmed).save(tmp_path / name / f"zz{index}.png")
    manifest = read_manifest(tmp_path)
    for seed in range(3):
        divided = split_by_subject(manifest, 0.3, seed)
        split_of = {item.path.relative_to(tmp_path): item.split for item in divided.items}
        for name in ("no_gad", "with_gad"):
            for index in range(4):
                assert split_of[Path(name, f"zz{index}.png")] is split_of[Path(name, f"{index:03d}.png")]
    assert "16 groups of near-duplicates stood in for them" in divided.notices[-1]
    assert "but not the slices of one person" in divided.notices[-1]


def test_a_moved_folder_gives_the_same_split(tmp_path: Path) -> None:
    names = []
    for place in ("here", "somewhere/else"):
        folder = write_classes(tmp_path / place / "data", 10)
        divided = split_by_subject(read_manifest(folder))
        names.append([item.path.relative_to(folder) for item in divided.with_split(Split.VALIDATION)])
    assert names[0] == names[1]


def test_test_images_that_training_nearly_holds_are_counted(tmp_path: Path) -> None:
    write_classes(tmp_path / "Train", 8)
    write_classes(tmp_path / "Test", 2)
    divided = split_by_subject(read_manifest(tmp_path))
    assert divided.notices[-1] == "4 test images are near-duplicates of images outside the test part."


def test_an_unreadable_image_does_not_stop_the_split(tmp_path: Path) -> None:
    write_classes(tmp_path, 8)
    (tmp_path / "no_gad" / "000.png").write_bytes(b"")
    assert len(split_by_subject(read_manifest(tmp_path)).items) == 16


@pytest.mark.parametrize("fraction", [0, 1, -0.2, 1.5, float("nan")])
def test_a_fraction_out_of_range_is_refused(fraction: float) -> None:
    with pytest.raises(ConfigError, match=r"split\.validation_fraction = .*; expected above 0, below 1"):
        split_by_subject(MIXED, fraction)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"split\.method = 'random'; expected keras or subject"):
        split_manifest(MIXED, method="random", validation_fraction=0.2, seed=0)  # type: ignore[arg-type]  # on purpose


def test_subjects_on_two_sides_are_counted_and_the_first_files_named() -> None:
    items = [
        replace(item, split=[Split.TRAIN, Split.VALIDATION, Split.TEST][index % 3])
        for index, item in enumerate(subject_items(5, Label.PRE))
    ]
    with pytest.raises(LeakError) as caught:
        check_leaks(manifest_of(*items))
    message = str(caught.value)
    assert "on two sides of the split: 5 of 5 subjects" in message
    assert "/data/a/pre0-0.png (train) and /data/a/pre0-1.png (validation)" in message
    assert "pre3-0.png" not in message
    assert "--set split.method=subject" in message
    assert "a-pre0" not in message  # the subject's own name stays out of messages


def test_the_split_by_name_leaks_where_a_subject_straddles_the_cut() -> None:
    manifest = manifest_of(*subject_items(4, Label.PRE), *subject_items(4, Label.POST))
    with pytest.raises(LeakError, match="2 of 8 subjects"):
        check_leaks(split_by_name(manifest))


def test_one_file_under_two_names_on_two_sides_is_a_leak() -> None:
    items = [
        Item(path=FOLDER / name, label=Label.PRE, split=split, extra={"sha256": "ab"})
        for name, split in (("1.png", Split.TRAIN), ("2.png", Split.TEST))
    ]
    with pytest.raises(LeakError, match="1 of 1 image files"):
        check_leaks(manifest_of(*items))


def test_images_without_subject_or_split_are_no_leak() -> None:
    items = [
        Item(path=FOLDER / "1.png", label=Label.PRE, split=Split.TRAIN),
        Item(path=FOLDER / "2.png", label=Label.PRE, split=Split.TEST),
        Item(path=FOLDER / "3.png", label=Label.PRE, subject_id="s"),
        Item(path=FOLDER / "4.png", label=Label.PRE, subject_id="s", split=Split.TEST),
    ]
    check_leaks(manifest_of(*items))


def test_a_source_of_two_subjects_gives_validation_none_rather_than_half_of_itself() -> None:
    two_people = subject_items(2, Label.PRE, source="small", n_slices=10)
    divided = split_by_subject(manifest_of(*MIXED.items, *two_people))
    assert "small" not in {item.source for item in divided.with_split(Split.VALIDATION)}
    of_six = subject_items(6, Label.PRE, source="small", n_slices=10)
    divided = split_by_subject(manifest_of(*MIXED.items, *of_six))
    assert "small" in {item.source for item in divided.with_split(Split.VALIDATION)}


def test_a_small_source_changes_no_side_of_the_others() -> None:
    alone = {item.path: item.split for item in split_by_subject(MIXED).items}
    small = subject_items(7, Label.PRE, source="small", n_slices=4)
    beside = {item.path: item.split for item in split_by_subject(manifest_of(*MIXED.items, *small)).items}
    assert {path: beside[path] for path in alone} == alone


def test_the_real_sagittal_slices_are_divided_without_a_leak(real_manifest: Manifest) -> None:
    sagittal = replace(
        real_manifest, items=tuple(item for item in real_manifest.items if item.plane == "sagittal")
    )
    divided = split_by_subject(sagittal)
    check_leaks(divided)
    total = Counter((item.label, item.source) for item in divided.items)
    drawn = Counter((item.label, item.source) for item in divided.with_split(Split.VALIDATION))
    of_subject = Counter((item.label, item.source, item.subject_id) for item in divided.items)
    for stratum, n in total.items():
        # Whole subjects are drawn: of a source of few people no part of 0.2 may be had.
        largest = max(size for (*its_stratum, _), size in of_subject.items() if tuple(its_stratum) == stratum)
        assert drawn[stratum] == pytest.approx(0.2 * n, abs=max(3, largest))
