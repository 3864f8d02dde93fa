"""Whole runs over scans whose identity was damaged: UIDs that repeat, are new for each file, or are gone."""

import os
from pathlib import Path

import pytest

from gadoscope.classify import iter_results, run
from gadoscope.labels import Phase, SeriesResult, Status
from tests.dicom_files import classic_series, write_series

PRE, POST = Phase.PRE_CONTRAST, Phase.POST_CONTRAST


def classify(model: Path, *paths: Path, jobs: int = 2) -> list[SeriesResult]:
    return list(iter_results(paths, model=model, jobs=jobs))


@pytest.mark.parametrize("n_before_workers", [0, 2000], ids=["processes", "threads"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_name_that_is_no_utf8_without_a_series_uid_is_one_row_and_ends_nothing(
    jobs: int, n_before_workers: int, tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "INSTANCES_BEFORE_WORKERS", n_before_workers)
    write_series(classic_series(PRE), tmp_path / "scans" / "whole")
    [odd] = write_series(classic_series(POST, n_slices=1), tmp_path / "scans" / "odd")
    dataset = classic_series(POST, n_slices=1)[0]
    del dataset.SeriesInstanceUID
    dataset.save_as(odd)
    odd.rename(os.fsdecode(os.fsencode(odd.parent) + b"/sc\xe4n.dcm"))
    rows = classify(tiny_bundle, tmp_path / "scans", jobs=jobs)
    assert [(row.status, row.n_slices) for row in rows] == [(Status.ANSWERED, 1), (Status.ANSWERED, 6)]
