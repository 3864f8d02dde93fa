"""The order of acquisition: believed where nothing speaks against it, and nowhere else."""

from typing import Any

import pytest

from gadoscope.classification.study.order import is_same_sequence, order_acquisitions

DAY = "20000101"
SPIN_ECHO = {"ScanningSequence": "SE", "RepetitionTime": "500", "EchoTime": "10", "FlipAngle": "90"}


def _at(clock: str, **more: Any) -> dict[str, Any]:
    return {"AcquisitionTime": clock, "AcquisitionDate": DAY, **more}


def _order(*headers: dict[str, Any]) -> list[list[int]]:
    return order_acquisitions(dict(enumerate(headers)))


def test_series_are_ordered_by_their_acquisition_not_by_number_or_place() -> None:
    late, early = _at("101500", SeriesNumber=1), _at("093000", SeriesNumber=2)
    assert _order(late, early) == [[1], [0]]


def test_midnight_is_crossed_by_the_date() -> None:
    before = {"AcquisitionDateTime": "20000101235500"}
    after = {"AcquisitionDateTime": "20000102000500.25"}
    assert _order(after, before) == [[1], [0]]


@pytest.mark.parametrize(
    "other",
    [
        {"AcquisitionDate": DAY},
        {"SeriesTime": "101500", "AcquisitionDate": DAY},
        _at("no time"),
        _at("090000"),
        _at("000000"),
        _at("200000"),
        {"AcquisitionTime": "091500", "AcquisitionDate": "20000103"},
    ],
    ids=[
        "no time",
        "a time of reconstruction",
        "no number",
        "the same time",
        "an hour removed",
        "hours later",
        "another day",
    ],
)
def test_a_study_whose_times_cannot_be_those_of_one_examination_has_no_order(other: dict[str, Any]) -> None:
    assert _order(_at("090000"), other) == []


def test_a_computed_series_belongs_to_the_acquisition_of_its_time_or_to_none() -> None:
    original, later = _at("090000", ImageType=["ORIGINAL", "PRIMARY"]), _at("091500")
    same, other = (_at(t, ImageType=["DERIVED", "SECONDARY", "MPR"]) for t in ("090000", "093000"))
    assert _order(later, same, original, other) == [[2, 1], [0]]


def test_a_sequence_is_the_same_within_rounding_and_no_further() -> None:
    assert is_same_sequence(SPIN_ECHO, {**SPIN_ECHO, "EchoTime": "10.1"})
    assert not is_same_sequence(SPIN_ECHO, {**SPIN_ECHO, "EchoTime": "12"})
    assert not is_same_sequence(SPIN_ECHO, {**SPIN_ECHO, "ScanningSequence": "GR"})
    assert not is_same_sequence(SPIN_ECHO, {**SPIN_ECHO, "InversionTime": "900"})
    assert not is_same_sequence(SPIN_ECHO, {**SPIN_ECHO, "ImageType": ["ORIGINAL", "PRIMARY", "M", "NORM"]})
    assert not is_same_sequence({"ScanningSequence": "SE"}, {"ScanningSequence": "SE"})
