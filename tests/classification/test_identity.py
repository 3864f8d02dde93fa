"""Whole runs over scans whose identity was damaged: UIDs that repeat, are new for each file, or are gone."""

import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from gadoscope.classification import local
from gadoscope.classification.run import iter_results
from gadoscope.labels import Phase, SeriesResult, Status
from gadoscope.phantom.forms.headers import HeaderMode
from gadoscope.reading.dicom.copies import SHARED_UIDS
from gadoscope.results.journal import Journal
from tests.reading.dicom.grouping.test_regroup import put
from tests.support.bundles import with_band, write_tiny_bundle
from tests.support.damaged_identity import EVERYTHING, renew, shift, strip
from tests.support.dicom_files import classic_series, dynamic_series, set_instance_uid, write_series
from tests.support.paths import CASES

PRE, POST = Phase.PRE_CONTRAST, Phase.POST_CONTRAST


def classify(model: Path, *paths: Path, jobs: int = 2, **options: bool) -> list[SeriesResult]:
    return list(iter_results(paths, model=model, jobs=jobs, **options))  # type: ignore[arg-type]


def answers(rows: Sequence[SeriesResult]) -> list[SeriesResult]:
    """Return what does not depend on how instances are told apart."""
    return [replace(row, path="", series_instance_uid=None, warnings=()) for row in rows]


@pytest.mark.parametrize("n_before_workers", [0, 2000], ids=["processes", "threads"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_name_that_is_no_utf8_without_a_series_uid_is_one_row_and_ends_nothing(
    jobs: int, n_before_workers: int, tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "INSTANCES_BEFORE_WORKERS", n_before_workers)
    write_series(classic_series(PRE), tmp_path / "scans" / "whole")
    [odd] = write_series(classic_series(POST, n_slices=1), tmp_path / "scans" / "odd")
    dataset = classic_series(POST, n_slices=1)[0]
    del dataset.SeriesInstanceUID
    dataset.save_as(odd)
    odd.rename(os.fsdecode(os.fsencode(odd.parent) + b"/sc\xe4n.dcm"))
    rows = classify(tiny_bundle, tmp_path / "scans", jobs=jobs)
    assert [(row.status, row.n_slices) for row in rows] == [(Status.ANSWERED, 1), (Status.ANSWERED, 6)]


def share_sop_uid(datasets: Sequence[Dataset], *_: str) -> Sequence[Dataset]:
    for dataset in datasets:
        set_instance_uid(dataset, "2.25.1001")
    return datasets


CHANGES: tuple[Callable[..., Sequence[Dataset]], ...] = (strip, renew, share_sop_uid)


@pytest.mark.parametrize(
    ("change", "n_before_workers"),
    [
        *(pytest.param(change, 2000, id=f"{change.__name__}-threads") for change in CHANGES),
        # Processes take most from headers where all have one UID; the others are put together as by threads.
        pytest.param(share_sop_uid, 0, id="share_sop_uid-processes"),
        *(
            pytest.param(change, 0, id=f"{change.__name__}-processes", marks=pytest.mark.slow)
            for change in (strip, renew)
        ),
    ],
)
def test_a_study_of_damaged_identity_has_the_answers_of_the_whole_one_and_says_so(
    change: Callable[..., Sequence[Dataset]],
    n_before_workers: int,
    tmp_path: Path,
    tiny_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for phase in (PRE, POST):
        put(classic_series(phase, mode=HeaderMode.RIGHT), tmp_path / "whole")
        put(change(classic_series(phase, mode=HeaderMode.RIGHT), "SeriesInstanceUID"), tmp_path / "damaged")
    put(dynamic_series(), tmp_path / "whole")
    put(change(dynamic_series(), "SeriesInstanceUID"), tmp_path / "damaged")
    whole = classify(tiny_bundle, tmp_path / "whole")
    monkeypatch.setattr(local, "INSTANCES_BEFORE_WORKERS", n_before_workers)
    rows = classify(tiny_bundle, tmp_path / "damaged")
    assert answers(rows) == answers(whole)
    assert rows == classify(tiny_bundle, tmp_path / "damaged", jobs=1)
    said = SHARED_UIDS if change is share_sop_uid else "SeriesInstanceUID "
    assert all(row.warnings[0].startswith(said) for row in rows)
    assert [row.series_instance_uid is None for row in rows] == [change is not share_sop_uid] * len(rows)


@pytest.mark.parametrize("change", [strip, renew])
def test_series_without_uids_of_their_own_are_judged_with_their_study(
    change: Callable[..., Sequence[Dataset]], tmp_path: Path
) -> None:
    unsure = write_tiny_bundle(tmp_path / "unsure.onnx", with_band(0.01, 0.06))
    for phase in (PRE, POST):
        put(change(classic_series(phase), "SeriesInstanceUID"), tmp_path / "study")
    rows = classify(unsure, tmp_path / "study")
    assert {row.reason.partition(":")[0] for row in rows} == {"resolved_by_study"}
    assert sorted(str(row.phase) for row in rows) == ["POST_CONTRAST", "PRE_CONTRAST"]


@pytest.mark.parametrize("part", [0.0, 0.3, 0.5, 2.0])
@pytest.mark.parametrize("change", [strip, renew])
def test_a_mixture_of_two_series_that_nothing_tells_apart_is_one_row_without_an_answer(
    change: Callable[..., Sequence[Dataset]], part: float, tmp_path: Path, tiny_bundle: Path
) -> None:
    for phase in (PRE, POST):
        datasets = shift(classic_series(phase), part if phase is POST else 0.0)
        put(change(strip(datasets, *EVERYTHING), "SeriesInstanceUID"), tmp_path / "both")
    [row] = classify(tiny_bundle, tmp_path / "both")
    assert (row.status, row.phase) == (Status.REFUSED, None)
    assert row.reason.startswith("untold_slices: ")


def test_members_of_zips_are_told_apart_by_their_zip(tmp_path: Path, tiny_bundle: Path) -> None:
    for phase in (PRE, POST):
        put(strip(classic_series(phase), *EVERYTHING), tmp_path / phase)
        with zipfile.ZipFile(tmp_path / f"{phase}.zip", "w") as zipped:
            for file in (tmp_path / phase).iterdir():
                zipped.write(file, file.name)
    zips = [tmp_path / f"{phase}.zip" for phase in (PRE, POST)]
    rows = classify(tiny_bundle, *zips)
    assert [row.n_slices for row in rows] == [6, 6]
    assert answers(rows) == answers(
        [*classify(tiny_bundle, tmp_path / POST), *classify(tiny_bundle, tmp_path / PRE)]
    )


def test_a_resumed_run_knows_series_of_equal_headers_by_their_pixels(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    """Two series whose headers are the same to the last byte: only the pixels tell which answer is whose."""
    for phase in (PRE, POST):
        datasets = strip(classic_series(phase), *EVERYTHING, "WindowCenter", "WindowWidth")
        put([*share_sop_uid(strip(datasets, "SOPInstanceUID"))], tmp_path / "scans" / phase)
    journal = tmp_path / "t.csv.journal"

    def resume(*paths: Path) -> list[SeriesResult]:
        with Journal(journal, is_resuming=True) as kept:
            return list(iter_results(paths, model=tiny_bundle, jobs=2, journal=kept))

    (first,) = resume(tmp_path / "scans" / PRE)
    assert resume(tmp_path / "scans" / PRE) == [first]
    (other,) = resume(tmp_path / "scans" / POST)
    assert [other] == classify(tiny_bundle, tmp_path / "scans" / POST)
    assert other.probability != first.probability


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("one-sop-uid-for-all-slices", [(POST, 12)]),
        ("sop-uid-shared-by-pairs", [(POST, 12)]),
        ("series-uid-per-slice", [(POST, 12)]),
        ("series-uid-removed", [(POST, 6), (PRE, 6)]),
        ("all-group-keys-removed", [(POST, 6), (PRE, 6)]),
    ],
)
def test_the_cases_from_the_field_are_right(name: str, expected: list[tuple[Phase, int]]) -> None:
    folder = CASES / name / "input"
    if not folder.exists():
        pytest.skip("needs the cases in ../shared/cases, which are not in the repository")
    from gadoscope.inference.default import find_model  # noqa: PLC0415 — as the test alone

    rows = classify(find_model(None), folder)
    assert [(row.phase, row.n_slices) for row in rows] == expected
    assert all(len(row.warnings) == 1 for row in rows)
