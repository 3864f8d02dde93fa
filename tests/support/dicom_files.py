"""Phantom series as DICOM datasets and files: tiny, made of equations, of nobody.

Every builder returns fresh datasets that a test may change. Instances come in the order of their slices;
`write_series` writes them under names that do not tell the order.
"""

import pickle
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from gadoscope.labels import Phase, Plane
from gadoscope.phantom.forms.cohort import Cohort, Scan, scan
from gadoscope.phantom.forms.dicom import make_uid, slice_dataset
from gadoscope.phantom.forms.headers import HeaderMode
from tests.support.dicom_bytes import file_bytes
from tests.support.transfer_syntaxes import stored_frames

PRE, POST = Phase.PRE_CONTRAST, Phase.POST_CONTRAST
MATRIX = 64
N_SLICES = 6
MPRAGE_SEED, SPIN_ECHO_SEED, SPOILED_SEED = 1, 0, 3
"""Subject 1 of these cohorts lies in a scanner that runs this sequence."""
FRAME_SECONDS = 20.0
"""From one volume of a dynamic series to the next."""
ECHO_STEP_MS = 1.9


class Clock(StrEnum):
    """By which attribute the volumes of a dynamic series are told apart."""

    TEMPORAL_POSITION = "TemporalPositionIdentifier"
    ACQUISITION_NUMBER = "AcquisitionNumber"
    TRIGGER_TIME = "TriggerTime"
    ACQUISITION_TIME = "AcquisitionTime"


@lru_cache(maxsize=64)
def phantom_scan(
    plane: Plane = Plane.SAGITTAL,
    n_slices: int = N_SLICES,
    matrix: int = MATRIX,
    seed: int = MPRAGE_SEED,
    whole_head: bool = False,
) -> Scan:
    """Return a subject's pre- and post-contrast acquisitions; shared, so leave them as they are."""
    cohort = Cohort(
        subjects=1,
        seed=seed,
        slices=n_slices,
        matrix=matrix,
        plane=plane,
        lesions=0.0,
        whole_head=whole_head,
    )
    return scan(cohort, 1)


def classic_series(
    phase: Phase = PRE,
    *,
    plane: Plane = Plane.SAGITTAL,
    n_slices: int = N_SLICES,
    matrix: int = MATRIX,
    seed: int = MPRAGE_SEED,
    whole_head: bool = False,
    mode: HeaderMode = HeaderMode.MISSING,
    name: str = "",
) -> list[Dataset]:
    """Return one classic MR series; another ``name`` is another series of the same study."""
    made = _pickled_series(phase, plane, n_slices, matrix, seed, whole_head, mode)
    datasets = pickle.loads(made)  # noqa: S301 - our own
    return rename_series(datasets, name) if name else list(datasets)


@lru_cache(maxsize=256)
def _pickled_series(
    phase: Phase, plane: Plane, n_slices: int, matrix: int, seed: int, whole_head: bool, mode: HeaderMode
) -> bytes:
    """Return a series as bytes: fresh datasets out of them cost a twentieth of building them anew."""
    done = phantom_scan(plane, n_slices, matrix, seed, whole_head)
    acquisition = next(series for series in done.series if series.phase is phase)
    return pickle.dumps(
        [slice_dataset(done.subject, done.scanner, acquisition, index, mode) for index in range(n_slices)]
    )


def rename_series(datasets: Sequence[Dataset], name: str) -> list[Dataset]:
    """Give a series and its instances UIDs of their own; the study stays."""
    series_uid = _uid(datasets[0].SeriesInstanceUID, name)
    for index, dataset in enumerate(datasets):
        dataset.SeriesInstanceUID = series_uid
        set_instance_uid(dataset, _uid(series_uid, str(index)))
    return list(datasets)


def rename_study(datasets: Sequence[Dataset], name: str) -> list[Dataset]:
    """Give study, series and instances UIDs of their own."""
    study_uid = _uid(datasets[0].StudyInstanceUID, name)
    for dataset in datasets:
        dataset.StudyInstanceUID = study_uid
    return rename_series(datasets, name)


def set_instance_uid(dataset: Dataset, uid: str) -> None:
    """Set the SOP instance UID in the dataset and in its file meta information."""
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(uid)


def set_sop_class(dataset: Dataset, uid: UID) -> None:
    """Set the SOP class in the dataset and in its file meta information."""
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = uid


def _uid(old: str, name: str) -> UID:
    return make_uid(phantom_scan().subject, old, name)


def stored_pixels(dataset: Dataset) -> NDArray[np.uint16]:
    """Return the stored values of an uncompressed, little-endian, 16-bit image, a copy."""
    frames = stored_frames(dataset).astype(np.uint16)
    return frames if "NumberOfFrames" in dataset else frames[0]


def set_pixels(dataset: Dataset, values: NDArray[np.generic]) -> None:
    """Store values of 8 or 16 bits; bits allocated and the sign follow the type, bits stored only shrink."""
    bits = values.dtype.itemsize * 8
    dataset.Rows, dataset.Columns = values.shape[-2:]
    dataset.BitsAllocated = bits
    dataset.BitsStored = min(bits, dataset.BitsStored)
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)


def to_eight_bits(dataset: Dataset, *, keep_window: bool = False) -> Dataset:
    """Return an image whose grey values are those that its window shows, 0 to 255."""
    low = float(dataset.WindowCenter) - float(dataset.WindowWidth) / 2
    shown = (stored_pixels(dataset).astype(float) - low) * 255 / float(dataset.WindowWidth)
    set_pixels(dataset, np.clip(np.rint(shown), 0, 255).astype(np.uint8))
    if keep_window:
        dataset.WindowCenter, dataset.WindowWidth = "127.5", "255"
    else:
        del dataset.WindowCenter, dataset.WindowWidth
    return dataset


def write_series(
    datasets: Sequence[Dataset],
    folder: Path,
    *,
    syntax: UID = ExplicitVRLittleEndian,
    name_of: Callable[[int], str] = lambda index: f"i{(index * 7 + 3) % 1009:04d}",
) -> list[Path]:
    """Write a series into a folder, which is made; names have no extension and tell no order.

    Returns
    -------
    list of Path
        In the order of ``datasets``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_instance(dataset, folder / name_of(index), syntax=syntax)
        for index, dataset in enumerate(datasets)
    ]


def write_instance(dataset: Dataset, path: Path, *, syntax: UID = ExplicitVRLittleEndian) -> Path:
    """Write one instance in a transfer syntax and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file_bytes(dataset, syntax))
    return path


def dynamic_series(
    n_volumes: int = 6,
    turns_at: int = 3,
    *,
    clock: Clock = Clock.TEMPORAL_POSITION,
    plane: Plane = Plane.SAGITTAL,
    n_slices: int = 3,
    mode: HeaderMode = HeaderMode.MISSING,
) -> list[Dataset]:
    """Return a dynamic series: one position after the other in time, contrast from ``turns_at`` (from 0) on.

    All instances share the series, the window and the scale of stored values. Instance numbers run through
    the slices of the first volume, then of the second. ``turns_at = n_volumes`` never turns.
    """
    window: tuple[str, str] | None = None
    datasets: list[Dataset] = []
    for volume in range(n_volumes):
        phase = PRE if volume < turns_at else POST
        for dataset in classic_series(phase, plane=plane, n_slices=n_slices, mode=mode):
            window = window or (dataset.WindowCenter, dataset.WindowWidth)
            dataset.WindowCenter, dataset.WindowWidth = window
            dataset.SeriesDescription = "SAG T1 DYN"
            dataset.InstanceNumber = len(datasets) + 1
            dataset.SeriesNumber = 4
            dataset.SeriesTime = "090000"
            _set_clock(dataset, clock, volume, n_volumes)
            datasets.append(dataset)
    return rename_series(datasets, f"dynamic {clock} {n_volumes} {turns_at}")


def _set_clock(dataset: Dataset, clock: Clock, volume: int, n_volumes: int) -> None:
    dataset.AcquisitionTime = dataset.ContentTime = "090000"
    if clock is Clock.TEMPORAL_POSITION:
        dataset.TemporalPositionIdentifier = volume + 1
        dataset.NumberOfTemporalPositions = n_volumes
    elif clock is Clock.ACQUISITION_NUMBER:
        dataset.AcquisitionNumber = volume + 1
    elif clock is Clock.TRIGGER_TIME:
        dataset.TriggerTime = f"{volume * FRAME_SECONDS * 1000:.1f}"
    else:
        minutes, seconds = divmod(int(volume * FRAME_SECONDS), 60)
        dataset.AcquisitionTime = dataset.ContentTime = f"09{minutes:02d}{seconds:02d}.000000"


def multi_echo_series(n_echoes: int = 3, *, n_slices: int = N_SLICES) -> list[Dataset]:
    """Return one series of several echoes, each fainter than the one before; echoes run fastest."""
    first = float(classic_series(n_slices=n_slices)[0].EchoTime)
    datasets: list[Dataset] = []
    for index in range(n_slices):
        for echo in range(n_echoes):
            dataset = classic_series(n_slices=n_slices)[index]
            dataset.EchoNumbers = echo + 1
            dataset.EchoTime = f"{first + echo * ECHO_STEP_MS:.3f}"
            set_pixels(dataset, (stored_pixels(dataset) * 0.9**echo).astype(np.uint16))
            dataset.InstanceNumber = len(datasets) + 1
            datasets.append(dataset)
    return rename_series(datasets, f"echoes {n_echoes}")


def localizer() -> list[Dataset]:
    """Return a localizer: a few slices of each plane in one series, ImageType says so."""
    datasets = [
        dataset
        for plane in (Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL)
        for dataset in classic_series(plane=plane, n_slices=2)
    ]
    for number, dataset in enumerate(datasets):
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
        dataset.SeriesDescription = "LOCALIZER"
        dataset.InstanceNumber = number + 1
    return rename_series(datasets, "localizer")


def mosaic(side: int = 3) -> list[Dataset]:
    """Return one instance whose frame holds ``side`` x ``side`` slices beside each other."""
    datasets = classic_series(n_slices=side * side, matrix=32)
    tiles = np.stack([stored_pixels(dataset) for dataset in datasets]).reshape(side, side, 32, 32)
    dataset = datasets[0]
    set_pixels(dataset, tiles.transpose(0, 2, 1, 3).reshape(side * 32, side * 32))
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "US", side * side)  # NumberOfImagesInMosaic
    return rename_series([dataset], "mosaic")
