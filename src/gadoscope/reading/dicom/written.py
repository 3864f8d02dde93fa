"""A dataset of pydicom becomes the bytes of the file that saving it would make, and stays as it is."""

import copy
from io import BytesIO

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from gadoscope.errors import ReadError
from gadoscope.reading.quiet import quiet_library

_ITEM = b"\xfe\xff\x00\xe0"
"""The tag that begins compressed pixel data (PS3.5 A.4), little endian."""
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def write_dataset(dataset: Dataset) -> bytes:
    """Return the file.

    Where no transfer syntax is named, it is that which the dataset was read in, or explicit little endian.

    Raises
    ------
    ReadError
        ``damaged_header``, if pydicom cannot write it, or its pixels are compressed nobody says how.
    """
    shallow = copy.copy(dataset)
    shallow.file_meta = copy.deepcopy(getattr(dataset, "file_meta", None)) or FileMetaDataset()
    if "TransferSyntaxUID" not in shallow.file_meta:
        shallow.file_meta.TransferSyntaxUID = _find_syntax(shallow)
    shallow.file_meta.MediaStorageSOPClassUID = shallow.get("SOPClassUID") or UID("")
    shallow.file_meta.MediaStorageSOPInstanceUID = shallow.get("SOPInstanceUID") or UID("")
    buffer = BytesIO()
    try:
        with quiet_library():  # and one at a time: pydicom works on the elements while it writes them
            dcmwrite(buffer, shallow, enforce_file_format=True)
    except Exception as error:  # pydicom raises whatever an element makes it trip over
        raise ReadError(
            "damaged_header",
            f"pydicom cannot write this dataset ({type(error).__name__}); give it as it was read.",
        ) from error
    return buffer.getvalue()


def write_header(dataset: Dataset) -> bytes:
    """Return the file without its pixels; errors as `write_dataset`."""
    header = copy.copy(dataset)
    header._dict = dict(dataset._dict)
    for keyword in PIXELS:
        if keyword in header:
            del header[keyword]
    return write_dataset(header)


def _find_syntax(dataset: Dataset) -> UID:
    pixels = dataset.get("PixelData")
    if isinstance(pixels, bytes) and pixels.startswith(_ITEM):
        raise ReadError(
            "damaged_header",
            "the pixels of this dataset are compressed, but its file_meta names no TransferSyntaxUID; keep "
            "the file_meta that it was read with.",
        )
    is_implicit, is_little = dataset.original_encoding
    if is_little is False:
        return ExplicitVRBigEndian
    return ImplicitVRLittleEndian if is_implicit else ExplicitVRLittleEndian
