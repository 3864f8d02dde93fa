"""Whole runs over studies whose names were rewritten: what pixels said of the whole study, or nothing."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from gadoscope.labels import Phase, SeriesResult, Status
from gadoscope.phantom.forms.headers import HeaderMode
from tests.support.bundles import write_tiny_bundle
from tests.support.damaged_identity import (
    CUT,
    EVERYTHING,
    NAMES_CHANGE,
    ONE_UID,
    TIMES,
    UIDS,
    Change,
    Series,
    renew,
    set_all,
    shift,
    strip,
)
from tests.support.dicom_files import classic_series, write_series
from tests.support.scan_runs import classify

PRE, POST = Phase.PRE_CONTRAST, Phase.POST_CONTRAST
N_SLICES = 12


def under_one_uid(change: Change) -> Change:
    return lambda datasets: change(set_all(datasets, SeriesInstanceUID="1.2.3"))


VARIANTS: dict[str, Change] = {
    **{f"new: {name}": change for name, change in NAMES_CHANGE.items()},
    **{f"one UID: {name}": under_one_uid(change) for name, change in ONE_UID.items()},
    **{f"cut: {name}": change for name, change in CUT.items()},
}
DEFAULT = {
    "new: study and series",
    "new: patient and all UIDs",
    "new: description counts slices, series and number gone",
    "one UID: no number, description, agent",
    "one UID: one number, description counts slices",
    "cut: parts of 2 and 3",
    "cut: 3 parts with patients of their own",
    "cut: 2 parts without number and hour",
}
"""Of each way to write names anew those that leave least; the tests of `identify` have all of them."""


def put_study(folder: Path, change: Change, part: float = 0.0, mode: HeaderMode = HeaderMode.RIGHT) -> None:
    # Neither name nor folder tells which file belongs to which series.
    name_of = (lambda index: f"{index * 7 % 12:02d}-0", lambda index: f"{index * 7 % 12:02d}-1")
    for number, phase in enumerate((PRE, POST)):
        datasets = shift(classic_series(phase, n_slices=N_SLICES, mode=mode), part * number)
        write_series(change(datasets), folder, name_of=name_of[number])


def pixels_say(rows: Sequence[SeriesResult]) -> list[tuple[float | None, int]]:
    """Return what is no matter of the study, whose UID or hours may be gone."""
    assert all(row.volume_index is None for row in rows)
    return sorted((row.probability, row.n_slices) for row in rows)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[SeriesResult]:
    folder = tmp_path_factory.mktemp("whole")
    put_study(folder / "study", lambda datasets: datasets)
    return classify(write_tiny_bundle(folder / "tiny.onnx"), folder / "study")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(change, id=name, marks=() if name in DEFAULT else pytest.mark.slow)
        for name, change in VARIANTS.items()
    ],
)
def test_the_answers_are_those_of_the_study_before_its_names_were_rewritten(
    change: Change, whole: list[SeriesResult], tmp_path: Path, tiny_bundle: Path
) -> None:
    """That two series are found in each of them is said of `identify` in every form: see its tests."""
    assert VARIANTS.keys() >= DEFAULT
    put_study(tmp_path / "study", change)
    rows = classify(tiny_bundle, tmp_path / "study")
    assert pixels_say(rows) == pixels_say(whole)


def test_each_series_under_one_uid_has_the_evidence_of_its_own_header(
    whole: list[SeriesResult], tmp_path: Path, tiny_bundle: Path
) -> None:
    put_study(tmp_path / "study", lambda d: set_all(d, SeriesInstanceUID="1.2.3"))
    rows = classify(tiny_bundle, tmp_path / "study")
    assert sorted((row.header_state, row.header_quote) for row in rows) == sorted(
        (row.header_state, row.header_quote) for row in whole
    )
    assert len({row.header_state for row in rows}) == 2
    assert {row.series_instance_uid for row in rows} == {"1.2.3"}
    assert all("same SeriesInstanceUID" in row.warnings[0] for row in rows)


@pytest.mark.parametrize("change", [VARIANTS["new: patient and series"], VARIANTS["one UID: one number"]])
def test_what_was_regrouped_is_judged_with_its_study_and_by_any_number_of_threads(
    change: Callable[[Series], Series], tmp_path: Path, tiny_bundle: Path
) -> None:
    put_study(tmp_path / "study", change)
    rows = classify(tiny_bundle, tmp_path / "study", jobs=1)
    assert len({row.study_instance_uid for row in rows}) == 1
    assert rows == classify(tiny_bundle, tmp_path / "study")


@pytest.mark.parametrize("part", [0.0, 0.4])
@pytest.mark.parametrize("change", [strip, renew])
def test_a_mixture_that_nothing_tells_apart_is_one_row_without_an_answer(
    change: Callable[..., Series], part: float, tmp_path: Path, tiny_bundle: Path
) -> None:
    gone = (*TIMES, *EVERYTHING[7:], "ContrastBolusAgent")
    put_study(
        tmp_path / "study",
        lambda d: change(renew(strip(d, *gone), "PatientID"), *UIDS),
        part,
        HeaderMode.MISSING,
    )
    [row] = classify(tiny_bundle, tmp_path / "study")
    assert (row.status, row.phase) == (Status.REFUSED, None)
    assert row.reason.startswith("untold_slices: ")
