"""The files that are mutated: tiny, intact, one of every encoding that is read."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from tests.support.dicom_bytes import file_bytes
from tests.support.dicom_files import (
    POST,
    classic_series,
    dynamic_series,
    stored_pixels,
    to_eight_bits,
)
from tests.support.dicom_multiframe import enhanced, legacy_converted
from tests.support.dicom_others import plant_patient, structured_report
from tests.support.transfer_syntaxes import ALL

MATRIX = 32
N_SLICES = 3
# Files of the wheel of pydicom that real programs wrote, with oddities of their own.
REAL_DICOM = (
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_padded.dcm",
    "MR_truncated.dcm",
    "nested_priv_SQ.dcm",
    "UN_sequence.dcm",
    "JPEG-lossy.dcm",
)


class Kind(StrEnum):
    """How a mutation may understand a file."""

    DICOM = "dicom"
    DEFLATED_DICOM = "deflated dicom"
    NIFTI = "nifti"
    COMPRESSED_NIFTI = "compressed nifti"
    MGH = "mgh"
    ANALYZE = "analyze"
    GZIP = "gzip"
    TAR = "tar"
    ZIP = "zip"
    SIDECAR = "sidecar"


@dataclass(frozen=True)
class Seed:
    """An intact file.

    Parameters
    ----------
    name
        Of its encoding.
    kind
        How it may be understood.
    data
        Its bytes.
    values
        First byte and length of each element's value, where they lie open in the file.
    siblings
        Intact files of the same series.
    members
        What it packs; their names are those in the archive.
    """

    name: str
    kind: Kind
    data: bytes
    values: tuple[tuple[int, int], ...] = ()
    siblings: tuple[bytes, ...] = ()
    members: "tuple[Seed, ...]" = ()


SIDECAR = Seed(
    "sidecar",
    Kind.SIDECAR,
    b'{"MagneticFieldStrength": 3, "EchoTime": 0.003, "RepetitionTime": 2.3, "FlipAngle": 9, '
    b'"ImageType": ["ORIGINAL", "PRIMARY", "M"], "ContrastBolusIngredient": "GADOLINIUM", '
    b'"AcquisitionTime": "09:15:00.0", "SeriesDescription": "t1 +c Zwolsterveldt", '
    b'"BodyPartExamined": "HEAD"}',
)
"""Beside a NIfTI file; it is never damaged alone."""


@lru_cache(maxsize=1)
def load_seeds() -> tuple[Seed, ...]:
    """Return all seeds, always in the same order."""
    return (*_iter_dicom(), *_iter_nifti(), *_iter_mgh_and_analyze(), *_iter_packed())


def _iter_dicom() -> Iterator[Seed]:
    for syntax in ALL:
        yield _classic(syntax)
    series = plant_patient(classic_series(n_slices=N_SLICES, matrix=MATRIX), in_descriptions=False)
    phases = ["PRE_CONTRAST", "POST_CONTRAST", "POST_CONTRAST"]
    for syntax in (ExplicitVRLittleEndian, RLELossless, JPEGLSLossless, JPEG2000Lossless):
        yield _seed(f"enhanced {syntax.name}", [enhanced(series, agent_phase=phases)], syntax)
    yield _seed("legacy converted", [legacy_converted(series)], ExplicitVRLittleEndian)
    yield _seed("dynamic", dynamic_series(3, 1, n_slices=2), ExplicitVRLittleEndian)
    yield _seed("enhanced dynamic", [enhanced(dynamic_series(3, 1, n_slices=2))], ExplicitVRLittleEndian)
    named = plant_patient(classic_series(POST, n_slices=N_SLICES, matrix=MATRIX))
    yield _seed("names in descriptions", named, ExplicitVRLittleEndian)
    yield _seed("structured report", structured_report(), ExplicitVRLittleEndian)
    for name in REAL_DICOM:
        path = get_testdata_file(name, download=False)
        data = Path(str(path)).read_bytes()
        yield Seed(f"pydicom {name}", Kind.DICOM, data, _find_values(data))


def _classic(syntax: UID) -> Seed:
    series = plant_patient(classic_series(POST, n_slices=N_SLICES, matrix=MATRIX), in_descriptions=False)
    if syntax == JPEGBaseline8Bit:
        series = [to_eight_bits(dataset) for dataset in series]
    return _seed(f"classic {syntax.name}", series, syntax)


def _seed(name: str, datasets: Sequence[Dataset], syntax: UID) -> Seed:
    files = [file_bytes(dataset, syntax) for dataset in datasets]
    if syntax == DeflatedExplicitVRLittleEndian:
        return Seed(name, Kind.DEFLATED_DICOM, files[0], siblings=tuple(files[1:]))
    return Seed(name, Kind.DICOM, files[0], _find_values(files[0]), tuple(files[1:]))


def _find_values(data: bytes) -> tuple[tuple[int, int], ...]:
    """Return where the values of the outermost elements lie."""
    dataset = dcmread(io.BytesIO(data), force=True)
    places = []
    for part in (dataset.file_meta, dataset):
        for tag in list(part.keys()):  # iterating the dataset itself would parse the values
            item: Any = part.get_item(tag)  # typed as what it becomes, not as what it is
            if isinstance(item, RawDataElement) and item.value is not None:
                places.append((item.value_tell, len(item.value)))
    return tuple((start, length) for start, length in places if start > 0 and start + length <= len(data))


def _iter_nifti() -> Iterator[Seed]:
    voxels = np.stack([stored_pixels(dataset) for dataset in classic_series(n_slices=4, matrix=MATRIX)], -1)
    affine = np.diag([-4.0, -4.0, 5.0, 1.0])
    nib: Any = nibabel  # has no types
    forms = {
        "16 bit": nib.Nifti1Image(voxels.astype(np.int16), affine),
        "float": nib.Nifti1Image(voxels.astype(np.float32), affine),
        "8 bit": nib.Nifti1Image((voxels // 16).astype(np.uint8), affine),
        "4-D": nib.Nifti1Image(np.stack([voxels, voxels], -1).astype(np.int16), affine),
        "NIfTI-2": nib.Nifti2Image(voxels.astype(np.int16), affine),
        "big endian": nib.Nifti1Image(voxels.astype(">i2"), affine, nib.Nifti1Header(endianness=">")),
    }
    for name, image in forms.items():
        data = image.to_bytes()
        yield Seed(f"NIfTI {name}", Kind.NIFTI, data)
        yield Seed(f"NIfTI {name}, compressed", Kind.COMPRESSED_NIFTI, gzip.compress(data, 1, mtime=0))


def _iter_mgh_and_analyze() -> Iterator[Seed]:
    nib: Any = nibabel  # has no types
    image = nib.MGHImage(_voxels(), np.diag([-4.0, -4.0, 5.0, 1.0]))
    mgh = Seed("MGH", Kind.MGH, image.to_bytes())
    yield mgh
    yield pack(Kind.GZIP, "mgz", [mgh])
    yield pack(Kind.ZIP, "zip of an Analyze pair", _analyze())


def _analyze() -> list[Seed]:
    image = nibabel.AnalyzeImage(_voxels(), np.diag([4.0, 4.0, 5.0, 1.0]))  # type: ignore[no-untyped-call]
    files = {kind: io.BytesIO() for kind in ("header", "image")}
    image.file_map = {kind: nibabel.FileHolder(fileobj=file) for kind, file in files.items()}
    image.to_file_map()  # type: ignore[no-untyped-call]
    return [
        Seed("t1.hdr", Kind.ANALYZE, files["header"].getvalue()),
        Seed("t1.img", Kind.ANALYZE, files["image"].getvalue()),
    ]


def _voxels() -> Any:
    series = classic_series(n_slices=4, matrix=MATRIX)
    return np.stack([stored_pixels(dataset) for dataset in series], -1).astype(np.int16)


def _iter_packed() -> Iterator[Seed]:
    series = plant_patient(classic_series(n_slices=2, matrix=MATRIX))
    files = [file_bytes(dataset) for dataset in series]
    slices = [
        Seed(f"series/{index}", Kind.DICOM, data, _find_values(data)) for index, data in enumerate(files)
    ]
    yield pack(Kind.ZIP, "zip", slices)
    yield (tar := pack(Kind.TAR, "tar", slices))
    yield pack(Kind.GZIP, "tar.gz", [tar])
    yield pack(Kind.GZIP, "instance, compressed", slices[:1])
    yield pack(Kind.ZIP, "zip of a tar", [tar])
    yield pack(Kind.ZIP, "BIDS", _bids())


def _bids() -> list[Seed]:
    nib: Any = nibabel  # has no types
    image = nib.Nifti1Image(_voxels(), np.diag([-4.0, -4.0, 5.0, 1.0]))
    nifti = Seed("ds/sub-01/anat/sub-01_ce-gd_T1w.nii", Kind.NIFTI, image.to_bytes())
    described = b'{"Name": "Quirijnabel", "BIDSVersion": "1.9.0", "DatasetType": "raw"}'
    return [
        Seed("ds/dataset_description.json", Kind.SIDECAR, described),
        Seed("ds/participants.tsv", Kind.SIDECAR, b"participant_id\tage\nsub-01\t34\n"),
        Seed("ds/T1w.json", Kind.SIDECAR, SIDECAR.data),
        replace(nifti, name="ds/derivatives/x/sub-01_T1w.nii"),
        nifti,
        Seed("ds/sub-01/anat/sub-01_ce-gd_T1w.json", Kind.SIDECAR, SIDECAR.data),
        pack(Kind.GZIP, "ds/sub-01/anat/sub-01_T1w.nii.gz", [nifti]),
    ]


def pack(kind: Kind, name: str, members: Sequence[Seed]) -> Seed:
    """Return an archive of some seeds, or for gzip the one of them compressed."""
    return Seed(name, kind, _PACK[kind](members), members=tuple(members))


def _zip(members: Sequence[Seed]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            # Its date is fixed, unlike that of writestr's own.
            archive.writestr(zipfile.ZipInfo(member.name), member.data)
    return stream.getvalue()


def _tar(members: Sequence[Seed]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for member in members:
            info = tarfile.TarInfo(member.name)
            info.size = len(member.data)
            archive.addfile(info, io.BytesIO(member.data))
    return stream.getvalue()


_PACK: dict[Kind, Callable[[Sequence[Seed]], bytes]] = {
    Kind.ZIP: _zip,
    Kind.TAR: _tar,
    Kind.GZIP: lambda members: gzip.compress(members[0].data, 1, mtime=0),
}
