"""Small DICOM images for tests of decoding, with a header that says no more than decoding needs."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

Stored = NDArray[np.generic]


def make_stored(
    bits_stored: int, *, is_signed: bool = False, n_frames: int = 1, n_rows: int = 37, n_columns: int = 50
) -> Stored:
    """Return smooth stored values with a little noise over the whole range, (frame, row, column)."""
    rng = np.random.default_rng(bits_stored)
    n_values = 1 << bits_stored
    lowest = -n_values // 2 if is_signed else 0
    rows, columns = np.mgrid[:n_rows, :n_columns]
    wave = (np.sin(rows / 7) + np.cos(columns / 9) + 2) / 4
    frames = [wave * (1 - 0.1 * frame) for frame in range(n_frames)]
    noise = rng.normal(0, 0.005, (n_frames, n_rows, n_columns))
    values = np.clip(lowest + n_values * (np.stack(frames) + noise), lowest, lowest + n_values - 1)
    return values.astype(f"<{'i' if is_signed else 'u'}{1 if bits_stored <= 8 else 2}")


def make_image(stored: Stored, bits_stored: int | None = None, **attributes: Any) -> Dataset:
    """Return an MR image of ``stored``, (frame, row, column) or (row, column), with further attributes."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, "2.25.1"
    frames = stored.reshape(-1, *stored.shape[-2:])
    if stored.ndim > 2:
        dataset.NumberOfFrames = len(frames)
    dataset.Rows, dataset.Columns = stored.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    if stored.dtype.kind == "f":
        setattr(dataset, "FloatPixelData" if stored.dtype.itemsize == 4 else "DoubleFloatPixelData", b"")
        element = dataset[0x7FE00008 if stored.dtype.itemsize == 4 else 0x7FE00009]
        element.value = stored.tobytes()
        dataset.BitsAllocated = 8 * stored.dtype.itemsize
    else:
        dataset.BitsAllocated = 8 * stored.dtype.itemsize
        dataset.BitsStored = bits_stored or dataset.BitsAllocated
        dataset.HighBit = dataset.BitsStored - 1
        dataset.PixelData = stored.tobytes() + b"\0" * (stored.nbytes % 2)
        dataset["PixelData"].VR = "OB" if dataset.BitsAllocated == 8 else "OW"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def to_file(dataset: Dataset) -> BytesIO:
    """Return the dataset as a DICOM file in memory."""
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file


class CountingFile(BytesIO):
    """A file that counts the bytes read from it."""

    n_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.n_read += len(data)
        return data
