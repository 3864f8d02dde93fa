"""Whoever trains, judges or inspects reads what `classify` reads, by the same slices."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gadoscope as gs
from gadoscope.errors import ManifestError, UsageError
from gadoscope.evaluation.run import Evaluation, evaluate
from gadoscope.experiments.crossvalidate import cross_validate
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.inspection.measure import Measurement, measure_items
from gadoscope.inspection.run import audit
from gadoscope.labels import Label
from gadoscope.phantom.forms.write import Form
from gadoscope.preparation.manifest import read_manifest
from gadoscope.preparation.slices import digest_item, read_item
from gadoscope.run_folder import PREPARED_NAME, RECORD_NAME
from gadoscope.training.job import Job
from gadoscope.training.run import train
from tests.support.bundles import write_tiny_bundle
from tests.support.curves import no_curves
from tests.support.labelled_scans import SCAN_FORMS, export_slices, write_scans
from tests.support.lessons import quick_config, write_slices
from tests.support.paths import ROOT
from tests.support.quick_runs import explain_coarsely, narrow_compact, train_quickly
from tests.support.scan_runs import classify
from tests.support.syntax import list_imports

SAME = 0.01
"""DICOM has a window, NIfTI has none: grey values, and with them probabilities, may differ by this much."""


@pytest.fixture(scope="module", autouse=True)
def without_curves() -> Iterator[None]:
    with no_curves(), pytest.MonkeyPatch.context() as patch:
        train_quickly(patch)
        narrow_compact(patch)
        explain_coarsely(patch)
        yield


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> dict[Form, Path]:
    folder = tmp_path_factory.mktemp("scans")
    return {form: write_scans(folder / form, form) for form in SCAN_FORMS}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny.onnx")


@pytest.fixture(scope="module")
def judged(
    tmp_path_factory: pytest.TempPathFactory, scans: dict[Form, Path], bundle: Path
) -> dict[Form, Evaluation]:
    """Return the evaluation of the scans in each form, with pictures of one wrong answer."""
    folder = tmp_path_factory.mktemp("judged")
    return {form: judge(bundle, scans[form], folder / form) for form in SCAN_FORMS}


def figures(report: dict[str, Any]) -> dict[str, Any]:
    """Return what a report says that is no name of a file."""
    named = json.loads(json.dumps(report))
    for case in named["wrong"]["cases"]:
        case.pop("name")
    kept = ("verdict_split", "splits", "promise", "gate", "wrong", "worth")
    return {key: named[key] for key in kept}


def judge(bundle: Path, data: Path, output: Path) -> Evaluation:
    return evaluate(bundle, data=data, output=output, n_cases=1)


def test_a_cohort_has_the_same_figures_as_scans_and_as_the_images_of_their_slices(
    tmp_path: Path, scans: dict[Form, Path], bundle: Path, judged: dict[Form, Evaluation]
) -> None:
    for form in (Form.DICOM, Form.NIFTI):
        as_scans = judged[form].report
        exported = export_slices(scans[form], tmp_path / f"png-{form}")
        as_images = judge(bundle, exported, tmp_path / f"images-{form}").report
        assert figures(as_scans) == figures(as_images)
        assert as_scans["splits"]["test"]["n_images"] > 8 == len(read_manifest(scans[form]).items)
        assert as_scans["wrong"]["cases"]


def test_a_bids_data_set_has_the_figures_of_its_volumes(judged: dict[Form, Evaluation]) -> None:
    assert judged[Form.BIDS].report["splits"] == judged[Form.NIFTI].report["splits"]


def test_dicom_and_nifti_differ_by_no_more_than_their_windows(judged: dict[Form, Evaluation]) -> None:
    found = [judged[form].predictions for form in (Form.DICOM, Form.NIFTI)]
    assert np.abs(found[0].probability - found[1].probability).max() < SAME
    assert (found[0].is_post == found[1].is_post).all()


def test_a_series_is_judged_as_classify_answers_it(
    scans: dict[Form, Path], bundle: Path, judged: dict[Form, Evaluation]
) -> None:
    for form in SCAN_FORMS:
        rows = sorted(classify(bundle, scans[form].parent), key=lambda row: row.path)
        table = judged[form].predictions
        series = sorted(set(table.attributes["series"].tolist()))
        for row, name in zip(rows, series, strict=True):
            assert row.path.startswith(name)
            of_series = table.select(table.attributes["series"] == name)
            assert row.n_slices_used == len(of_series)
            assert row.probability == pytest.approx(
                float(1 / (1 + np.exp(-of_series.logit.mean()))), abs=1e-6
            )


def test_slices_of_one_scan_count_as_one_where_nobody_is_named(
    tmp_path: Path, scans: dict[Form, Path], bundle: Path
) -> None:
    labels = write_labels(tmp_path / "labels.csv", "path,label", [
        f"{item.path.relative_to(scans[Form.NIFTI].parent)},{item.label}"
        for item in read_manifest(scans[Form.NIFTI]).items
    ])  # fmt: skip
    table = evaluate(
        bundle, data=scans[Form.NIFTI].parent, labels=labels, output=tmp_path / "report", n_cases=0
    ).predictions
    assert len(set(table.subject_group.tolist())) == 8 < len(table)


def write_labels(path: Path, header: str, rows: Sequence[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def list_uids(folder: Path) -> dict[str, str]:
    """Return the SeriesInstanceUID of each folder of DICOM below another, by its name."""
    return {
        str(ser.relative_to(folder)): gs.read_series(ser).series_instance_uid or ""
        for ser in sorted(folder.glob("*/*"))
    }


@pytest.mark.parametrize("where", ["folder", "archive"])
def test_labels_lie_beside_scans_by_the_uids_that_classify_writes(
    tmp_path: Path, scans: dict[Form, Path], bundle: Path, judged: dict[Form, Evaluation], where: str
) -> None:
    folder = scans[Form.DICOM].parent
    truth = {str(item.path.relative_to(folder)): item.label for item in read_manifest(folder).items}
    rows = [f"{uid},{truth[name]}" for name, uid in list_uids(folder).items()]
    labels = write_labels(tmp_path / "labels.csv", "series_instance_uid,label", rows)
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for path in sorted(folder.rglob("*.dcm")):
            made.write(path, path.relative_to(folder))
    data = folder if where == "folder" else archive
    done = gs.evaluate(bundle, data=data, labels=labels, output=tmp_path / "report", n_cases=0)
    direct = judged[Form.DICOM].predictions
    assert sorted(done.predictions.logit.tolist()) == sorted(direct.logit.tolist())
    assert gs.audit(data, labels=labels).report["counts"]["all"]["n_images"] == len(direct)


def test_a_table_of_classify_with_a_column_of_labels_is_a_table_of_labels(
    tmp_path: Path, scans: dict[Form, Path], bundle: Path
) -> None:
    folder = scans[Form.DICOM].parent
    rows = [
        f"{row.path},{row.series_instance_uid},{'post' if 'ser-03' in row.path else 'pre'}"
        for row in classify(bundle, folder)
    ]
    labels = write_labels(tmp_path / "labels.csv", "path,series_instance_uid,label", rows)
    items = read_manifest(folder, labels).items
    assert len(items) == 8
    assert [len(read_item(item, SlicePolicy()).pixels) for item in items] == [
        len(read_item(item, SlicePolicy()).pixels) for item in read_manifest(folder).items
    ]


def test_a_bids_data_set_without_a_table_is_labelled_by_its_names(
    tmp_path: Path, scans: dict[Form, Path]
) -> None:
    folder = tmp_path / "bids"
    shutil.copytree(scans[Form.BIDS].parent, folder)
    (folder / "manifest.csv").unlink()
    found = read_manifest(folder)
    told = {item.path.name: item.label for item in read_manifest(scans[Form.BIDS]).items}
    assert {item.path.name: item.label for item in found.items} == told
    assert found.has_subjects
    assert "without ce- in the name" in found.notices[0]
    for path in folder.rglob("*ce-*"):
        path.unlink()
    with pytest.raises(ManifestError, match="do not tell pre- from post-contrast"):
        read_manifest(folder)


HEADER = "path,subject_id,label,plane,source,series_instance_uid"


def test_a_folder_of_two_series_must_be_told_apart(tmp_path: Path, scans: dict[Form, Path]) -> None:
    folder = scans[Form.DICOM].parent
    table = write_labels(folder / "two.csv", HEADER, ["sub-001,a,pre,,,"])
    with pytest.raises(ManifestError, match=r"sub-001: 2 series are in this: .*SeriesInstanceUID\.$"):
        read_manifest(table)
    uids = list_uids(folder)
    rows = [f"sub-001,a,{'pre' if 'ser-02' in name else 'post'},,,{uid}" for name, uid in uids.items()][:2]
    items = read_manifest(write_labels(folder / "told.csv", HEADER, rows)).items
    assert [digest_item(item) for item in items] == [
        digest_item(item) for item in read_manifest(folder).items[:2]
    ]


def test_series_without_a_label_are_counted(tmp_path: Path, scans: dict[Form, Path]) -> None:
    folder = scans[Form.DICOM].parent
    rows = [f"{uid},pre" for uid in list(list_uids(folder).values())[:3]]
    found = read_manifest(folder, write_labels(tmp_path / "labels.csv", "series_instance_uid,label", rows))
    assert len(found.items) == 3
    assert f"5 of 8 DICOM series in {folder} have no row in the table: they take no part." in found.notices


def test_a_series_is_itself_in_another_folder_and_under_other_names(
    tmp_path: Path, scans: dict[Form, Path]
) -> None:
    item = read_manifest(scans[Form.DICOM]).items[0]
    for number, path in enumerate(sorted(item.path.iterdir(), reverse=True)):
        (tmp_path / "moved").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / "moved" / f"{number:03}")
    assert digest_item(replace(item, path=tmp_path / "moved", found=None)) == digest_item(item) != ""


def test_a_uid_that_is_not_there_is_named(tmp_path: Path, scans: dict[Form, Path]) -> None:
    folder = scans[Form.DICOM].parent
    labels = write_labels(tmp_path / "labels.csv", "series_instance_uid,label", ["1.2.3.4,pre"])
    with pytest.raises(ManifestError, match=r"no series here has the SeriesInstanceUID 1\.2\.3\.4"):
        read_manifest(folder, labels)


def test_a_label_that_two_rows_dispute_is_refused(tmp_path: Path, scans: dict[Form, Path]) -> None:
    folder = scans[Form.DICOM].parent
    uid = list_uids(folder)["sub-001/ser-02"]
    labels = tmp_path / "labels.csv"
    write_labels(labels, "path,series_instance_uid,label", ["sub-001/ser-02,,pre", f",{uid},post"])
    with pytest.raises(ManifestError, match="two rows dispute the label of"):
        read_manifest(folder, labels)
    write_labels(labels, "path,series_instance_uid,label", ["sub-001/ser-02,,pre", f",{uid},pre"])
    with pytest.raises(ManifestError, match="by two names each"):
        read_manifest(folder, labels)


def test_labels_without_scans_or_a_label_are_told_so(tmp_path: Path, bundle: Path) -> None:
    labels = write_labels(tmp_path / "labels.csv", "series_instance_uid,phase", ["1.2,pre"])
    with pytest.raises(UsageError, match="name the folder of these with --data"):
        evaluate(bundle, data=None, labels=labels, output=tmp_path / "report")
    with pytest.raises(ManifestError, match="path,label or series_instance_uid,label"):
        read_manifest(tmp_path, labels)


def test_what_classify_refuses_stands_among_what_could_not_be_read(
    tmp_path: Path, scans: dict[Form, Path], bundle: Path
) -> None:
    folder = scans[Form.NIFTI].parent
    rows = [f"{item.path},{item.subject_id},{item.label},," for item in read_manifest(folder).items]
    damaged = tmp_path / "damaged.nii.gz"
    damaged.write_bytes((folder / "sub-001" / "sub-001_pre.nii.gz").read_bytes()[:400])
    table = write_labels(
        tmp_path / "all.csv", "path,subject_id,label,plane,source", [*rows, f"{damaged},x,pre,,"]
    )
    report = judge(bundle, table, tmp_path / "report").report
    (unread,) = report["data"]["unread"]
    (row,) = classify(bundle, damaged)
    assert f"{unread['reason']}: {unread['sentence']}" == row.reason


def loaded_readers(program: str, *words: Path) -> str:
    """Return which readers of scans a process has loaded at the end of a program."""
    told = "import sys; print(*(name for name in ('pydicom', 'nibabel') if name in sys.modules))"
    command = [sys.executable, "-c", f"{program}; {told}", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()


def test_slice_images_are_read_without_pydicom_or_nibabel(tmp_path: Path, scans: dict[Form, Path]) -> None:
    export_slices(scans[Form.NIFTI], tmp_path / "png")
    program = (
        "import sys; from pathlib import Path; from gadoscope.preparation.manifest import read_manifest; "
        "from gadoscope.preparation.prepare import prepare_store; "
        "from gadoscope.imaging.intensity import ImagePath; "
        "prepare_store(read_manifest(Path(sys.argv[1])).items, ImagePath(size=32), Path(sys.argv[2]))"
    )
    assert loaded_readers(program, tmp_path / "png", tmp_path / "store") == ""


DOOR = "gadoscope.preparation.scans"
"""What opens scans; it is loaded where the first scan is opened, which the test above watches."""


def test_nothing_that_training_imports_early_or_late_reads_scans_but_for_the_one_door() -> None:
    found = list_imports("gadoscope.training.run", but_for={DOOR})
    assert {DOOR, "torch", "gadoscope.preparation.store", "gadoscope.training.export"} <= found
    assert not found & {"pydicom", "nibabel", "highdicom"}
    assert {"pydicom", "nibabel"} <= list_imports(DOOR)


@pytest.mark.slow
def test_training_on_slice_images_loads_neither_pydicom_nor_nibabel(tmp_path: Path) -> None:
    """Its twins are the two above: images are read without them, and all else has no import of them."""
    program = (
        "import sys; from pathlib import Path; from gadoscope.training.job import Job; "
        "from gadoscope.training.run import train; "
        "from tests.support.lessons import quick_config; "
        "train(Job(config=quick_config(epochs=1), data=Path(sys.argv[1]), run=Path(sys.argv[2])))"
    )
    assert loaded_readers(program, write_slices(tmp_path / "data"), tmp_path / "run") == ""
    assert (tmp_path / "run" / "model.onnx").is_file()


def test_an_audit_of_scans_looks_at_their_slices(tmp_path: Path, scans: dict[Form, Path]) -> None:
    report = audit(scans[Form.DICOM], output=tmp_path / "audit").report
    as_images = audit(export_slices(scans[Form.DICOM], tmp_path / "png"), output=None).report
    assert report["counts"]["all"] == as_images["counts"]["all"]
    assert report["copies"]["n_groups"] == as_images["copies"]["n_groups"]
    assert {item.label for item in read_manifest(scans[Form.DICOM]).items} == {Label.PRE, Label.POST}


def test_a_header_that_speaks_of_contrast_gives_no_label_away_by_its_length(scans: dict[Form, Path]) -> None:
    folder = scans[Form.DICOM].parent / "sub-001"
    sizes = {
        ser: sum(path.stat().st_size for path in (folder / ser).iterdir()) for ser in ("ser-02", "ser-03")
    }
    assert sizes["ser-02"] != sizes["ser-03"]
    measured = measure_items(read_manifest(scans[Form.DICOM]).items).results
    assert len({one.n_bytes for one in measured if isinstance(one, Measurement)}) == 1


def start(data: Path, run: Path) -> Job:
    config = quick_config(epochs=1, split={"method": "subject", "validation_fraction": 0.3})
    return Job(config=config, data=data, run=run)


def test_training_on_scans_gives_the_weights_of_training_on_their_slices(
    tmp_path: Path, scans: dict[Form, Path]
) -> None:
    exported = export_slices(scans[Form.DICOM], tmp_path / "png")
    on_scans, on_images = (
        train(start(data, tmp_path / name))
        for name, data in (("scans", scans[Form.DICOM]), ("images", exported))
    )
    assert on_scans is not None
    assert on_images is not None
    assert on_scans.weights_sha256 == on_images.weights_sha256
    assert on_scans.frozen.decision == on_images.frozen.decision
    report = evaluate(on_scans.run, data=None, output=tmp_path / "report", n_cases=1).report
    assert report["splits"]["validation"]["n_images"] > 0
    record = json.loads((on_scans.run / RECORD_NAME).read_text())
    assert record["split_sha256"]


def test_folds_of_scans_judge_each_slice_once_and_show_the_suspects(
    tmp_path: Path, scans: dict[Form, Path]
) -> None:
    done = cross_validate(start(scans[Form.DICOM], tmp_path / "folds"), 2, watch=lambda _: None)
    assert done is not None
    names = done.predictions.path.tolist()
    slices = [
        one.name
        for item in read_manifest(scans[Form.DICOM]).items
        for one in read_item(item, SlicePolicy()).items
    ]
    assert sorted(names) == sorted(slices)
    assert done.suspects["has_series"]
    assert done.suspects["n_series"] == 8
    page = (done.folder / "suspects.html").read_text()
    shown = done.suspects["series"] or done.suspects["images"]
    assert ("data:image/png;base64," in page) == bool(shown)
    assert not (done.folder / PREPARED_NAME).exists()
