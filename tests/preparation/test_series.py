"""Which slices are of one series."""

from dataclasses import replace
from pathlib import Path

import pytest

from gadoscope.errors import ManifestError
from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.preparation.series import name_series


def make(
    name: str = "a.png",
    label: Label = Label.PRE,
    subject: str | None = "s1",
    plane: Plane = Plane.AXIAL,
    **extra: str,
) -> Item:
    return Item(
        path=Path("/") / name, label=label, subject_id=subject, plane=plane, source="north", extra=extra
    )


def test_slices_of_one_subject_label_and_plane_are_one_series() -> None:
    names = name_series(
        [make("a"), make("b"), make("c", Label.POST), make("d", subject="s2"), make("e", plane=Plane.CORONAL)]
    )
    assert names is not None
    assert names[0] == names[1]
    assert len(set(names)) == 4


def test_the_column_of_the_manifest_goes_first() -> None:
    names = name_series([make("a", series="1"), make("b", series="2"), make("c", series="2")])
    assert names is not None
    assert names[0] != names[1] == names[2]


def test_the_same_name_of_two_subjects_is_two_series() -> None:
    names = name_series([make("a", series="1"), make("b", subject="s2", series="1")])
    assert names is not None
    assert names[0] != names[1]


def test_a_column_with_gaps_is_not_used() -> None:
    names = name_series([make("a", series="1"), make("b", series="")])
    assert names is not None
    assert names[0] == names[1]


def test_without_subjects_or_images_there_are_no_series() -> None:
    assert name_series([make("a"), make("b", subject=None)]) is None
    assert name_series([]) is None


def test_a_slice_of_the_series_that_is_labelled_other_disputes_no_label() -> None:
    names = name_series([make("a", series="1"), make("b", Label.OTHER, series="1")])
    assert names is not None
    assert names[0] == names[1]


@pytest.mark.parametrize("column", ["series_id", "series_instance_uid", "seriesinstanceuid"])
def test_the_column_may_have_the_names_that_archives_give_it(column: str) -> None:
    names = name_series([replace(make(name), extra={column: name}) for name in ("a", "b")])
    assert names is not None
    assert names[0] != names[1]


def test_a_series_of_two_labels_names_the_files() -> None:
    items = [make("a.png", series="1"), make("b.png", Label.POST, series="1"), make("c.png", series="2")]
    with pytest.raises(ManifestError, match=r"1 of 2 series .* /a\.png, /b\.png; a series has one label"):
        name_series(items)
