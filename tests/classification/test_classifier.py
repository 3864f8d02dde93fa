"""The Python door: what is handed over in memory has the answers of the file that it would be."""

import io
import math
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset

from gadoscope.classification.classifier import Classifier, classify
from gadoscope.classification.options import RunOptions
from gadoscope.classification.run import iter_results
from gadoscope.errors import BundleError, UsageError
from gadoscope.inference import default
from gadoscope.labels import ONE_PHASE, Phase, Plane, QuoteMode, SeriesResult, Status
from gadoscope.phantom.forms.headers import HeaderMode
from gadoscope.scans.opening import read_series
from tests.support.bundles import TINY_METADATA, with_band, write_tiny_bundle
from tests.support.dicom_files import classic_series, dynamic_series, rename_study, write_series
from tests.support.slices import grey_values

nib: Any = nibabel  # half of it has no types
PRE, POST = Phase.PRE_CONTRAST, Phase.POST_CONTRAST


@pytest.fixture
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bundle of all tests, beside the folder that they classify."""
    return write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny.onnx")


@pytest.fixture
def classifier(tiny_bundle: Path) -> Iterator[Classifier]:
    with Classifier(tiny_bundle, jobs=2) as made:
        yield made


def head_voxels() -> NDArray[np.int16]:
    """Return a box (slice, row, column) in which every direction differs."""
    slices, rows, columns = np.meshgrid(np.arange(24), np.arange(60), np.arange(52), indexing="ij")
    return (slices * 11 + rows * 7 + columns * 3).astype(np.int16)


SPACING_MM = (6.0, 4.0, 4.5)


def save_nifti(path: Path, voxels: NDArray[Any], code: str = "SPL") -> Path:
    """Save an array of this orientation as NIfTI does: RAS+, the first axis running fastest."""
    letters = {
        "L": (-1, 0, 0),
        "R": (1, 0, 0),
        "P": (0, -1, 0),
        "A": (0, 1, 0),
        "S": (0, 0, 1),
        "I": (0, 0, -1),
    }
    affine = np.eye(4)
    for axis, (letter, step) in enumerate(zip(code, SPACING_MM, strict=True)):
        affine[:3, 2 - axis] = np.array(letters[letter]) * step
    nib.save(nib.Nifti1Image(voxels.transpose(2, 1, 0), affine), path)
    return path


def without_path(rows: list[SeriesResult]) -> list[SeriesResult]:
    return [replace(row, path="") for row in rows]


def read_datasets(folder: Path) -> list[Dataset]:
    return [pydicom.dcmread(path) for path in sorted(folder.rglob("*")) if path.is_file()]


def test_a_path_may_be_a_text_and_there_may_be_several(tmp_path: Path, classifier: Classifier) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for seed, path in enumerate(paths):
        Image.fromarray(grey_values(seed=seed)).save(path)
    rows = list(iter_results(paths, model=classifier.bundle.path, jobs=1))
    assert list(classifier.classify([str(paths[0]), paths[1]])) == rows
    assert list(classifier.classify(str(tmp_path))) == rows
    assert list(classify(tmp_path, classifier.bundle.path)) == rows


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_slice_in_memory_has_the_row_of_its_png(
    dtype: type[np.number], tmp_path: Path, classifier: Classifier
) -> None:
    pixels = grey_values().astype(dtype) * (1 if dtype is np.uint8 else 200)
    Image.fromarray(pixels).save(tmp_path / "slice.png")
    (written,) = classifier.classify(tmp_path)
    (held,) = classifier.classify(pixels)
    assert held == replace(written, path="array 1")
    (with_plane,) = classifier.classify(pixels, plane="axial")
    assert with_plane == replace(held, plane=Plane.AXIAL)


def test_a_slice_of_a_plane_that_the_bundle_does_not_read_is_refused(tmp_path: Path) -> None:
    policy = replace(TINY_METADATA.slice_policy, planes=(Plane.SAGITTAL,))
    bundle = write_tiny_bundle(tmp_path / "sagittal.onnx", replace(TINY_METADATA, slice_policy=policy))
    (row,) = classify(grey_values(), bundle, plane=Plane.AXIAL)
    assert (row.status, row.reason.partition(":")[0]) == (Status.REFUSED, "plane_not_supported")


@pytest.mark.parametrize("code", ["SPL", "IPL", "RIP", "LSA", "AIR"])
def test_a_volume_in_memory_has_the_row_of_its_nifti(
    code: str, tmp_path: Path, classifier: Classifier
) -> None:
    voxels = head_voxels()
    (written,) = classifier.classify(save_nifti(tmp_path / "v.nii.gz", voxels, code))
    assert written.status is not Status.REFUSED, written.reason
    (held,) = classifier.classify(voxels, spacing_mm=SPACING_MM, orientation=code)
    assert held == replace(written, path="array 1", warnings=held.warnings)


def test_voxels_that_are_no_numbers_become_a_row(classifier: Classifier) -> None:
    (row,) = classifier.classify(np.full((24, 60, 52), np.nan), spacing_mm=SPACING_MM, orientation="SPL")
    assert (row.status, row.reason.partition(":")[0]) == (Status.REFUSED, "blank")
    (row,) = classifier.classify(np.full((60, 52), np.nan))
    assert (row.status, row.reason.partition(":")[0]) == (Status.REFUSED, "blank")
    voxels = head_voxels().astype(np.float64)
    voxels[:, :5] = np.nan
    (row,) = classifier.classify(voxels, spacing_mm=SPACING_MM, orientation="SPL")
    assert row.probability is not None
    assert math.isfinite(row.probability)


@pytest.mark.parametrize(
    ("array", "axes", "words"),
    [
        (np.zeros((24, 60, 52)), {"orientation": "SPL"}, "no spacing_mm; give three lengths"),
        (np.zeros((24, 60, 52)), {"spacing_mm": (1, 1, 1)}, "no orientation; name where"),
        (np.zeros((24, 60, 52)), {"spacing_mm": (1, 1), "orientation": "SPL"}, r"spacing_mm = \(1, 1\)"),
        (np.zeros((24, 60, 52)), {"spacing_mm": (1, 0, 1), "orientation": "SPL"}, "three lengths above 0"),
        (np.zeros((24, 60, 52)), {"spacing_mm": (1, math.nan, 1), "orientation": "SPL"}, "above 0"),
        (np.zeros((24, 60, 52)), {"spacing_mm": (1, 1, 1), "orientation": "SPR L"}, "orientation = 'SPR L'"),
        (np.zeros((24, 60, 52)), {"spacing_mm": (1, 1, 1), "orientation": "SPA"}, "orientation = 'SPA'"),
        (np.zeros((9, 24, 60, 52)), {}, r"shape \(9, 24, 60, 52\); give a volume"),
        (np.zeros((60, 52, 3)), {}, "as colours have; give one grey value"),
        (np.zeros((60, 52, 4)), {"spacing_mm": (1, 1, 1), "orientation": "SPL"}, "as colours have"),
        ("", {}, "an empty text names no path"),
        (np.zeros(5), {}, r"shape \(5,\)"),
        (np.zeros((60, 52)), {"spacing_mm": (1, 1)}, "it has a plane"),
        (np.zeros((60, 52)), {"plane": "oblique"}, "plane = 'oblique'; expected one of"),
        (np.zeros((24, 60, 52)), {"plane": "axial", "spacing_mm": (1, 1, 1)}, "leave plane"),
        (np.zeros((60, 52), complex), {}, "holds complex128; give real numbers"),
        (b"DICM", {}, "a value of the type bytes; .* io.BytesIO"),
        ({"a": 1}, {}, "a value of the type dict"),
        (7, {}, "a value of the type int"),
        ([], {"plane": "axial"}, "no array was given"),
        (io.StringIO("text"), {}, "open it with 'rb'"),
    ],
)
def test_what_cannot_be_classified_is_told_in_one_sentence_before_anything_is(
    array: Any, axes: dict[str, Any], words: str, classifier: Classifier
) -> None:
    with pytest.raises(UsageError, match=words):
        classifier.classify(array, **axes)


def test_an_image_of_nibabel_has_the_row_of_its_file(tmp_path: Path, classifier: Classifier) -> None:
    path = save_nifti(tmp_path / "sub-01_ce-gad_T1w.nii.gz", head_voxels())
    (written,) = classifier.classify(path)
    assert written.header_quote
    (loaded,) = classifier.classify(nib.load(path))
    assert loaded == written
    image = nib.Nifti1Image(np.asarray(nib.load(path).dataobj), nib.load(path).affine)
    (made,) = classifier.classify(image)
    nameless: dict[str, Any] = {
        "path": "image 1",
        "header_state": "silent",
        "header_quote": "",
        "agreement": "silent",
    }
    assert made == replace(written, **nameless, warnings=made.warnings)
    (pair,) = classifier.classify(nib.AnalyzeImage(np.asarray(image.dataobj), image.affine))
    assert pair.probability == pytest.approx(written.probability)


def test_an_open_file_has_the_row_of_its_path(tmp_path: Path, classifier: Classifier) -> None:
    path = save_nifti(tmp_path / "t1.nii.gz", head_voxels())
    Image.fromarray(grey_values()).save(tmp_path / "slice.png")
    rows = list(classifier.classify([path, tmp_path / "slice.png"]))
    with path.open("rb") as volume, (tmp_path / "slice.png").open("rb") as slice_:
        assert list(classifier.classify([volume, slice_])) == rows
    nameless = io.BytesIO(path.read_bytes())
    assert list(classifier.classify(nameless)) == [replace(rows[0], path="file 1")]
    (empty,) = classifier.classify(nameless)  # read to its end before
    assert empty.reason.startswith("empty_file: nothing is left to read of it")
    (empty,) = classifier.classify(io.BytesIO())
    assert empty.reason.startswith("empty_file: the file is empty")


@pytest.mark.parametrize("mode", ["rb", "wb"])
def test_a_file_that_cannot_be_read_is_told_in_one_sentence(
    mode: str, tmp_path: Path, classifier: Classifier
) -> None:
    (tmp_path / "slice.png").touch()
    with (tmp_path / "slice.png").open(mode) as file:
        if mode == "wb":
            with pytest.raises(UsageError, match="opened to write alone; open it with 'rb'"):
                classifier.classify(file)
    with pytest.raises(UsageError, match="this file is closed"):
        classifier.classify(file)


def test_what_a_row_quotes_may_be_asked_for_by_its_word(classifier: Classifier) -> None:
    datasets = classic_series(POST)
    for mode in QuoteMode:
        options = RunOptions(quote=mode)
        by_word: Any = {"quote": str(mode)}
        assert list(classifier.classify(datasets, options=RunOptions(**by_word))) == list(
            classifier.classify(datasets, options=options)
        )
    by_word = {"quote": "everything"}
    with pytest.raises(UsageError, match="quote = 'everything'; expected one of words, full"):
        RunOptions(**by_word)


def test_an_archive_that_lies_in_memory_is_refused_with_the_way_out(
    tmp_path: Path, classifier: Classifier
) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(grey_values()).save(tmp_path / "in" / "slice.png")
    archive = shutil.make_archive(str(tmp_path / "a"), "zip", tmp_path / "in")
    (row,) = classifier.classify(io.BytesIO(Path(archive).read_bytes()))
    assert row.status is Status.REFUSED
    assert "give its path instead" in row.reason


@pytest.mark.parametrize("mode", [HeaderMode.RIGHT, HeaderMode.MISSING])
def test_datasets_have_the_rows_of_their_files(
    mode: HeaderMode, tmp_path: Path, classifier: Classifier
) -> None:
    for phase in (PRE, POST):
        write_series(classic_series(phase, mode=mode), tmp_path / phase)
    write_series(dynamic_series(n_volumes=2, turns_at=1), tmp_path / "z-dynamic")
    written = list(classifier.classify(tmp_path))
    held = list(classifier.classify(read_datasets(tmp_path)))
    assert without_path(held) == without_path(written)
    assert {row.path.partition(" ")[0] for row in held} == {"dataset"}
    assert list(classifier.answer_study(read_datasets(tmp_path))) == held


def test_a_dataset_that_a_program_made_needs_no_file_meta_and_stays_as_it_is(
    tmp_path: Path, classifier: Classifier
) -> None:
    made = classic_series(PRE)
    write_series(made, tmp_path)
    (written,) = classifier.classify(tmp_path)
    for dataset in made:
        del dataset.file_meta
    before = [copy_of(dataset) for dataset in made]
    (held,) = classifier.classify(made)
    assert without_path([held]) == without_path([written])
    assert made == before
    assert not hasattr(made[0], "file_meta")


def copy_of(dataset: Dataset) -> Dataset:
    copied = Dataset()
    copied.update(dataset)
    return copied


def test_compressed_pixels_of_an_unknown_syntax_become_a_row(classifier: Classifier) -> None:
    dataset = classic_series(PRE)[0]
    del dataset.file_meta.TransferSyntaxUID
    dataset.PixelData = b"\xfe\xff\x00\xe0\x00\x00\x00\x00"
    (row,) = classifier.classify(dataset)
    assert row.status is Status.FAILED
    assert "TransferSyntaxUID" in row.reason


def test_a_dataset_without_pixels_becomes_a_row(tmp_path: Path, classifier: Classifier) -> None:
    write_series(classic_series(PRE), tmp_path)
    heads = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(tmp_path.iterdir())]
    (row,) = classifier.classify(heads)
    (path,) = classifier.classify(tmp_path)
    assert row.status is not Status.ANSWERED
    assert row.series_instance_uid == path.series_instance_uid


def test_one_classifier_answers_several_threads_at_once(tmp_path: Path, classifier: Classifier) -> None:
    for phase in (PRE, POST):
        write_series(classic_series(phase), tmp_path / "study" / phase)
    archive = shutil.make_archive(str(tmp_path / "study"), "zip", tmp_path / "study")
    packed = shutil.make_archive(str(tmp_path / "study"), "gztar", tmp_path / "study")
    datasets, voxels = read_datasets(tmp_path / "study"), head_voxels()
    whats: list[Any] = [tmp_path / "study", archive, packed, datasets]
    expected = [list(classifier.classify(what)) for what in whats]

    def ask(number: int) -> bool:
        (volume,) = classifier.classify(voxels, spacing_mm=SPACING_MM, orientation="SPL")
        place = number % len(whats)
        return volume.status is Status.ANSWERED and list(classifier.classify(whats[place])) == expected[place]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(2 * len(whats))))


def test_a_series_is_answered_as_its_files_are(tmp_path: Path, classifier: Classifier) -> None:
    write_series(classic_series(PRE, mode=HeaderMode.RIGHT), tmp_path / "series")
    (written,) = classifier.classify(tmp_path / "series")
    series = read_series(tmp_path / "series")
    assert classifier.answer(series) == written
    assert list(classifier.classify(series)) == [written]
    volume = save_nifti(tmp_path / "sub-01_ce-gad_T1w.nii.gz", head_voxels())
    (written,) = classifier.classify(volume)
    assert classifier.answer(read_series(volume)) == written


def test_a_study_of_series_is_judged_together_as_its_files_are(tmp_path: Path) -> None:
    bundle = write_tiny_bundle(tmp_path / "band.onnx", with_band(0.01, 0.06))
    for phase in (PRE, POST):
        write_series(classic_series(phase), tmp_path / "study" / phase)
    with Classifier(bundle) as classifier:
        written = list(classifier.classify(tmp_path / "study"))
        assert all(row.reason.startswith("resolved_by_study: ") for row in written)
        series = [read_series(Path(row.path).parent) for row in written]
        assert classifier.answer_study(series) == written
        assert classifier.answer_study(read_datasets(tmp_path / "study")[::-1])
        with pytest.raises(UsageError, match="series or as datasets"):
            classifier.answer_study([series[0], *classic_series(PRE)])


def test_a_study_corrects_what_no_series_alone_shows(tmp_path: Path, classifier: Classifier) -> None:
    rows = classifier.answer_study([*classic_series(PRE), *classic_series(POST)])
    assert ONE_PHASE in rows[0].warnings


def test_datasets_of_two_studies_are_no_study(classifier: Classifier) -> None:
    both = [*classic_series(PRE), *rename_study(classic_series(POST), "other")]
    with pytest.raises(UsageError, match="of 2 studies, by StudyInstanceUID"):
        classifier.answer_study(both)


@pytest.mark.parametrize("what", ["study", Path("study"), ["study"], [grey_values()]])
def test_what_is_no_study_and_no_series_is_told_in_one_sentence(what: Any, classifier: Classifier) -> None:
    with pytest.raises(UsageError, match="series or as datasets; hand a path to classify"):
        classifier.answer_study(what)
    with pytest.raises(UsageError, match="answer takes an ImageSeries"):
        classifier.answer(what)


def test_a_closed_classifier_says_so(tiny_bundle: Path) -> None:
    with Classifier(tiny_bundle) as classifier:
        pass
    with pytest.raises(UsageError, match="this Classifier is closed"):
        classifier.classify(grey_values())


def test_a_bundle_that_is_none_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="there is no bundle"):
        classify(grey_values(), tmp_path / "none.onnx")
    no_numbers: list[Any] = [-1, 1.5, "two"]
    for jobs in no_numbers:
        with pytest.raises(UsageError, match="jobs must be 0"):
            Classifier(jobs=jobs)


def test_default_is_a_word_for_the_shipped_bundle_unless_a_file_has_that_name(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Classifier().bundle.path == default.find_default()
    shutil.copy(tiny_bundle, "default")
    assert Classifier().bundle.metadata.name == "tiny"
