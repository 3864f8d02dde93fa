"""The files that are mutated: tiny, intact, one of every encoding that is read."""

import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from pydicom import dcmread, dcmwrite
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

from tests.dicom_files import POST, classic_series, dynamic_series, encode, stored_pixels, to_eight_bits
from tests.dicom_multiframe import enhanced, legacy_converted
from tests.dicom_others import plant_patient, structured_report
from tests.transfer_syntaxes import ALL

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
    """

    name: str
    kind: Kind
    data: bytes
    values: tuple[tuple[int, int], ...] = ()
    siblings: tuple[bytes, ...] = ()


SIDECAR = Seed(
    "sidecar",
    Kind.SIDECAR,
    b'{"MagneticFieldStrength": 3, "EchoTime": 0.003, "RepetitionTime": 2.3, "FlipAngle": 9, '
    b'"ImageType": ["ORIGINAL", "PRIMARY", "M"], "ContrastBolusIngredient": "GADOLINIUM", '
    b'"AcquisitionTime": "09:15:00.0", "SeriesDescription": "t1 +c", "BodyPartExamined": "HEAD"}',
)
"""Beside a NIfTI file; it is never damaged alone."""


@lru_cache(maxsize=1)
def load_seeds() -> tuple[Seed, ...]:
    """Return all seeds, always in the same order."""
    return (*_iter_dicom(), *_iter_nifti(), _zip())


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
    files = [_file_bytes(dataset, syntax) for dataset in datasets]
    if syntax == DeflatedExplicitVRLittleEndian:
        return Seed(name, Kind.DEFLATED_DICOM, files[0], siblings=tuple(files[1:]))
    return Seed(name, Kind.DICOM, files[0], _find_values(files[0]), tuple(files[1:]))


def _file_bytes(dataset: Dataset, syntax: UID) -> bytes:
    stream = io.BytesIO()
    dcmwrite(stream, encode(dataset, syntax), enforce_file_format=True)
    return stream.getvalue()


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


def _zip() -> Seed:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for index, dataset in enumerate(classic_series(n_slices=2, matrix=MATRIX)):
            entry = zipfile.ZipInfo(f"series/{index}")  # its date is fixed, unlike that of writestr's own
            archive.writestr(entry, _file_bytes(dataset, ExplicitVRLittleEndian))
    return Seed("zip", Kind.ZIP, stream.getvalue())
