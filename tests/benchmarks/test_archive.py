"""The archive that is measured is one of whole series in several syntaxes, all of which are answered."""

from collections import Counter
from pathlib import Path

import pytest
from pydicom import dcmread

from benchmarks.scan_files import SERIES_A_STUDY, Plan, make_archive
from gadoscope.labels import Phase, Status
from tests.support.scan_runs import classify

PLAN = Plan(studies=2, matrix=32, most=4)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured") / "archive"
    make_archive(PLAN, folder)
    return folder


def test_every_series_of_the_archive_is_whole_and_answered(archive: Path, tiny_bundle: Path) -> None:
    n_instances = make_archive(PLAN, archive)
    headers = [dcmread(path, stop_before_pixels=True) for path in sorted(archive.rglob("*.dcm"))]
    assert len(headers) == len({header.SOPInstanceUID for header in headers}) == n_instances
    assert len({header.StudyInstanceUID for header in headers}) == PLAN.studies
    series = Counter(header.SeriesInstanceUID for header in headers)
    assert len(series) == PLAN.n_series == PLAN.studies * SERIES_A_STUDY
    assert len({header.file_meta.TransferSyntaxUID for header in headers}) > 1
    assert min(len(list(header.iterall())) for header in headers) >= 140
    rows = classify(tiny_bundle, archive)
    assert [row.status for row in rows] == [Status.ANSWERED] * PLAN.n_series
    assert {row.series_instance_uid: row.n_slices for row in rows} == series
    assert all(row.warnings == () for row in rows)
    assert Phase.MIXED not in {row.phase for row in rows}


def test_an_archive_that_is_there_is_not_made_again(archive: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in archive.rglob("*.dcm")}
    assert make_archive(PLAN, archive) == len(before) > 0
    assert {path: path.stat().st_mtime_ns for path in archive.rglob("*.dcm")} == before
