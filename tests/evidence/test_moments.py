"""When a series was acquired: one clock for the header's words and for the order of a study."""

from itertools import product

import pytest

from gadoscope.classification.study.order import order_acquisitions
from gadoscope.evidence.contrast_module import read_timing
from gadoscope.evidence.moments import find_clock, find_moment, is_one_examination
from gadoscope.evidence.reconcile import read_evidence
from gadoscope.evidence.state import HeaderState

DAY = {"AcquisitionDate": "20000101"}
HEADERS = [
    {},
    {"SeriesTime": "091500", **DAY},
    {"ContentTime": "091500", **DAY},
    *({"AcquisitionTime": clock, **DAY} for clock in ("000000", "090000", "091500", "200000", "no time")),
    {"AcquisitionTime": "090000", "SeriesTime": "120000", "StudyDate": "20000101"},
    {"AcquisitionTime": "090500"},
    {"AcquisitionTime": "090000", "AcquisitionDate": "20000102"},
    {"AcquisitionDateTime": "20000101091000.5+0100", "AcquisitionTime": "220000"},
    {"AcquisitionDateTime": "20000101235500"},
    {"AcquisitionDateTime": "20000102000500.25"},
    {"AcquisitionDateTime": "20000101", "AcquisitionTime": "091200"},
]
"""Headers of series that were acquired, with all that archives leave of their times."""


@pytest.mark.parametrize(("one", "other"), list(product(HEADERS, HEADERS)))
def test_header_and_study_never_answer_differently_when_a_series_was_acquired(
    one: dict[str, str], other: dict[str, str]
) -> None:
    says_post = {**one, "SeriesInstanceUID": "1", "SeriesDescription": "T1 KM"}
    says_nothing = {**other, "SeriesInstanceUID": "2", "SeriesDescription": "T1"}

    said = read_evidence(says_nothing, [says_post, says_nothing])
    order = order_acquisitions({1: says_post, 2: says_nothing})

    assert (said.state is HeaderState.ADMINISTERED) == (order == [[1], [2]])


def test_the_hour_of_reconstruction_is_nobodys_place_in_time() -> None:
    assert find_moment({"SeriesTime": "101500", "ContentTime": "101500", **DAY}) is None


@pytest.mark.parametrize("removed", ["000000", "00:00:00.000000"])
def test_midnight_to_the_microsecond_is_an_hour_that_was_removed(removed: str) -> None:
    assert find_clock({"AcquisitionTime": removed}) is None
    assert find_clock({"AcquisitionDateTime": "20000101000000", "AcquisitionTime": "090000"}) is None
    assert find_clock({"AcquisitionTime": "000000.5"}) == ("AcquisitionTime", 0.5)
    assert read_timing({"AcquisitionTime": removed, "ContrastBolusStartTime": "000500"}).citations == ()


@pytest.mark.parametrize("text", ["20001399", "1", "19990230", "eight-digits"])
def test_a_date_that_is_none_is_left_out(text: str) -> None:
    assert find_moment({"AcquisitionTime": "000010", "AcquisitionDate": text}) == 10


def test_a_moment_without_a_day_is_in_no_examination_with_one_that_has_a_day() -> None:
    dated, undated = (
        find_moment({"AcquisitionTime": "090000", **DAY}),
        find_moment({"AcquisitionTime": "0900"}),
    )
    assert dated is not None
    assert undated is not None
    assert not is_one_examination(dated, undated)
