"""One S3 server for all that is read from it, and a folder that holds a bit of everything."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from gadoscope.labels import Phase
from tests.support.bundles import write_tiny_bundle
from tests.support.dicom_files import classic_series, rename_study, write_series
from tests.support.nifti_files import nib, oblique_affine, save, values
from tests.support.s3 import Store, forget_stores, serve_s3


@pytest.fixture(scope="package")
def server() -> Iterator[Store]:
    with serve_s3() as store:
        yield store


@pytest.fixture
def s3(server: Store) -> Iterator[Store]:
    """Return the server, counted from nothing, refusing nothing."""
    forget_stores()
    server.forget()
    yield server
    forget_stores()
    server.refused.clear()
    server.on_get = lambda _: None


@pytest.fixture(scope="package")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny.onnx")


@pytest.fixture(scope="package")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study of two series, a BIDS data set, pairs, zips, a medium, and what is no input."""
    top = tmp_path_factory.mktemp("archive")
    for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST):
        write_series(rename_study(classic_series(phase, name=phase), "study"), top / "dicom" / phase)
    _write_bids(top / "bids")
    pairs = top / "pairs"
    pairs.mkdir()
    save(pairs / "pair.img", values(), kind=nib.Nifti1Pair)
    nib.save(nib.Spm99AnalyzeImage(values(), oblique_affine()), pairs / "spm.img")
    save(pairs / "diffusion.nii.gz", values((8, 8, 5, 3)))
    (pairs / "diffusion.bval").write_text("0 500 1000")
    (pairs / ".hidden.nii").write_bytes(b"x")
    (pairs / "broken.nii.gz").write_bytes(b"\x1f\x8bdamaged")
    (pairs / "empty").write_bytes(b"")
    with zipfile.ZipFile(top / "series.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted((top / "dicom" / Phase.PRE_CONTRAST).iterdir()):
            packed.write(path, f"inside/{path.name}")
    _copy_medium(top / "medium")
    return top


@pytest.fixture(scope="package")
def mixed(archive: Path, server: Store) -> str:
    """Return the address of a copy of the archive."""
    return server.put_folder(archive, "mixed")


def _write_bids(top: Path) -> None:
    for phase, agent in (("pre", ""), ("post", "_ce-gadolinium")):
        folder = top / "sub-01" / f"ses-{phase}" / "anat"
        folder.mkdir(parents=True)
        save(folder / f"sub-01_ses-{phase}{agent}_T1w.nii.gz", values((20, 24, 9)))
        said = {"ContrastBolusIngredient": "GADOLINIUM"} if agent else {"EchoTime": 0.004}
        (folder / f"sub-01_ses-{phase}{agent}_T1w.json").write_text(json.dumps(said))
    (top / "dataset_description.json").write_text(json.dumps({"Name": "two", "BIDSVersion": "1.9.0"}))
    (top / "T1w.json").write_text(json.dumps({"Modality": "MR", "RepetitionTime": 2.0}))
    (top / "participants.tsv").write_text("participant_id\nsub-01\n")
    made = top / "derivatives" / "mask" / "sub-01"
    made.mkdir(parents=True)
    save(made / "sub-01_mask.nii.gz", np.zeros((4, 4, 4), np.int16))


def _copy_medium(top: Path) -> None:
    """Copy the medium that pydicom ships, one of its files under another name, and one of them missing."""
    directory = Path(str(get_testdata_file("DICOMDIR", download=False)))
    shutil.copytree(directory.parent / "98892003" / "MR1", top / "98892003" / "MR1")
    shutil.copy(directory, top / "DICOMDIR")
    files = sorted(path for path in top.rglob("*") if path.is_file() and path.name != "DICOMDIR")
    files[0].rename(files[0].with_suffix(".dcm"))
    files[1].rename(top / "elsewhere")
