"""The archive that is measured is one of whole series in several syntaxes, all of which are answered."""

from collections import Counter
from pathlib import Path

from pydicom import dcmread

from benchmarks.scan_files import SERIES_A_STUDY, Plan, make_archive
from gadoscope.labels import Phase, Status
from tests.support.scan_runs import classify

PLAN = Plan(studies=2, matrix=32, most=20)


def test_every_series_of_the_archive_is_whole_and_answered(tmp_path: Path, tiny_bundle: Path) -> None:
    n_instances = make_archive(PLAN, tmp_path / "archive")
    headers = [dcmread(path, stop_before_pixels=True) for path in sorted(tmp_path.rglob("*.dcm"))]
    assert len(headers) == len({header.SOPInstanceUID for header in headers}) == n_instances
    assert len({header.StudyInstanceUID for header in headers}) == PLAN.studies
    series = Counter(header.SeriesInstanceUID for header in headers)
    assert len(series) == PLAN.n_series == PLAN.studies * SERIES_A_STUDY
    assert len({header.file_meta.TransferSyntaxUID for header in headers}) > 1
    assert min(len(list(header.iterall())) for header in headers) >= 140
    rows = classify(tiny_bundle, tmp_path / "archive")
    assert [row.status for row in rows] == [Status.ANSWERED] * PLAN.n_series
    assert {row.series_instance_uid: row.n_slices for row in rows} == series
    assert all(row.warnings == () for row in rows)
    assert Phase.MIXED not in {row.phase for row in rows}


def test_an_archive_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    plan = Plan(studies=1, matrix=32, most=20)
    n_instances = make_archive(plan, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.dcm")}
    assert make_archive(plan, tmp_path) == n_instances
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.dcm")} == before
