"""`split.test_fraction`: whole subjects are kept away for the test, the same ones whatever the seed."""

from dataclasses import replace
from pathlib import Path

import pytest

from gadoscope.errors import ConfigError, ManifestError
from gadoscope.labels import Label, Split
from gadoscope.preparation.items import Item, Manifest
from gadoscope.preparation.split import check_leaks, split_manifest
from gadoscope.training.config import parse_config


def manifest_of(n_subjects: int, label: Label | None = None) -> Manifest:
    """Return subjects with two slices of each phase; with ``label`` only of that one."""
    return Manifest(
        items=tuple(
            Item(
                path=Path(f"/data/{subject:02}-{phase}-{index}.png"),
                label=phase,
                subject_id=f"s{subject:02}",
                source="a",
            )
            for subject in range(n_subjects)
            for phase in (Label.PRE, Label.POST)
            for index in range(2)
            if label in (None, phase)
        ),
        origin=Path("/data"),
    )


def divide(manifest: Manifest, seed: int = 1, **how: object) -> Manifest:
    settings: dict[str, object] = {"method": "subject", "test_fraction": 0.2, **how}
    return split_manifest(manifest, seed=seed, **settings)  # type: ignore[arg-type]


def subjects_of(manifest: Manifest, split: Split) -> set[str | None]:
    return {item.subject_id for item in manifest.with_split(split)}


@pytest.mark.parametrize("method", ["subject", "keras", "kfold"])
def test_a_share_of_the_subjects_is_test_and_no_subject_is_on_two_sides(method: str) -> None:
    divided = divide(manifest_of(40), method=method)
    check_leaks(divided)
    assert len(subjects_of(divided, Split.TEST)) == 8
    assert divided.with_split(Split.TRAIN)
    assert divided.with_split(Split.VALIDATION)


def test_the_test_part_is_the_same_whatever_the_seed_and_the_fold() -> None:
    first, other = divide(manifest_of(40)), divide(manifest_of(40), seed=2)
    fold = divide(manifest_of(40), method="kfold", fold=3)
    assert subjects_of(first, Split.TEST) == subjects_of(other, Split.TEST) == subjects_of(fold, Split.TEST)
    assert subjects_of(first, Split.VALIDATION) != subjects_of(other, Split.VALIDATION)


def test_without_a_fraction_nothing_is_test() -> None:
    assert not divide(manifest_of(40), test_fraction=0.0).with_split(Split.TEST)


def test_a_test_that_the_data_state_is_not_drawn_over() -> None:
    first, *rest = manifest_of(10).items
    stated = Manifest(items=(replace(first, split=Split.TEST), *rest), origin=Path("/data"))
    divided = divide(stated)
    assert [item.path for item in divided.with_split(Split.TEST)] == [first.path]
    assert "the data say of 1 image that they are test: split.test_fraction adds none." in divided.notices


def test_images_that_the_data_call_validation_stay_validation() -> None:
    items = manifest_of(10).items
    stated = tuple(replace(one, split=Split.VALIDATION) if one.subject_id == "s03" else one for one in items)
    divided = divide(Manifest(items=stated, origin=Path("/data")), test_fraction=0.5)
    assert subjects_of(divided, Split.VALIDATION) == {"s03"}


def test_a_test_part_of_one_class_is_one_sentence() -> None:
    lonely = (*manifest_of(9, Label.PRE).items, *manifest_of(1, Label.POST).items)
    with pytest.raises(
        ManifestError, match=r"test_fraction = 0\.2 gives .* no post-contrast image to test on"
    ):
        divide(Manifest(items=lonely, origin=Path("/data")))


def test_a_source_left_out_and_a_drawn_test_are_two_tests() -> None:
    with pytest.raises(
        ConfigError, match=r'split\.test_fraction is 0\.2 and split\.method is "leave_source_out"'
    ):
        parse_config({"split": {"method": "leave_source_out", "source": "a", "test_fraction": 0.2}})
