"""DICOM files in memory, to the byte as pydicom's `dcmwrite` makes them, but each element's bytes only once.

Tests write thousands of slices that differ from each other in a few elements. What is not as plain as these
(sequences, other transfer syntaxes) is left to pydicom.
"""

import io
import struct
from typing import Any

from pydicom import __version_info__, dcmwrite
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID, ExplicitVRLittleEndian
from pydicom.valuerep import VR

from tests.support.transfer_syntaxes import encode

PREAMBLE = bytes(128) + b"DICM"
GROUP_LENGTH, PIXEL_DATA = 0x00020000, 0x7FE00010
SOP_CLASS, SOP_INSTANCE, SYNTAX = 0x00020002, 0x00020003, 0x00020010
WRITTEN_META: tuple[tuple[int, str, Any], ...] = (
    (0x00020001, VR.OB, b"\0\1"),
    (SOP_CLASS, VR.UI, None),
    (SOP_INSTANCE, VR.UI, None),
    (SYNTAX, VR.UI, ExplicitVRLittleEndian),
    (0x00020012, VR.UI, PYDICOM_IMPLEMENTATION_UID),
    (0x00020013, VR.SH, f"PYDICOM {'.'.join(__version_info__)}"),
)
"""Elements of the file meta information that `dcmwrite` writes, where a dataset has no others."""
MOST_KEPT, LONGEST_KEPT = 50_000, 1024
"""Elements, of a hundred bytes each; characters of one."""
_kept: dict[tuple[object, ...], bytes] = {}


def file_bytes(dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """Return a dataset, with or without pixels, as a file in a transfer syntax; it stays as it is."""
    elements = list(dataset)
    if syntax == ExplicitVRLittleEndian and _is_plain(dataset, elements):
        return PREAMBLE + _meta_bytes(dataset) + _data_bytes(dataset, elements)
    stream = io.BytesIO()
    dcmwrite(stream, encode(dataset, syntax), enforce_file_format=True)
    return stream.getvalue()


def _is_plain(dataset: Dataset, elements: list[DataElement]) -> bool:
    """Return whether no element needs another one, or a rule, to be written."""
    tags = {int(element.tag) for element in getattr(dataset, "file_meta", ())}
    return (
        tags <= {SOP_CLASS, SOP_INSTANCE, SYNTAX}
        and all(dataset.get(name) for name in ("SOPClassUID", "SOPInstanceUID"))
        and ("PixelData" not in dataset or "BitsAllocated" in dataset)
        and all(map(_is_plain_element, elements))
    )


def _is_plain_element(element: DataElement) -> bool:
    if element.tag == PIXEL_DATA:
        return isinstance(element.value, bytes) and len(element.value) % 2 == 0
    is_long = isinstance(element.value, str | bytes) and len(element.value) > LONGEST_KEPT
    return not is_long and len(element.VR) == len("US") and element.VR != VR.SQ and element.tag.element != 0


def _meta_bytes(dataset: Dataset) -> bytes:
    values = {SOP_CLASS: dataset.SOPClassUID, SOP_INSTANCE: dataset.SOPInstanceUID}
    meta = b"".join(_meta_element(tag, vr, values.get(tag, value)) for tag, vr, value in WRITTEN_META)
    return _meta_element(GROUP_LENGTH, VR.UL, len(meta)) + meta


def _meta_element(tag: int, vr: str, value: Any) -> bytes:
    key = (tag, vr, repr(value))
    return _kept.get(key) or _write(DataElement(tag, vr, value), key)


def _data_bytes(dataset: Dataset, elements: list[DataElement]) -> bytes:
    charset = dataset.get("SpecificCharacterSet", "")
    shown, parts = repr(charset), []
    for element in elements:
        if element.tag == PIXEL_DATA:
            parts.append(_pixel_bytes(dataset))
            continue
        key = (element.tag, element.VR, repr(element.value), shown)  # a value shows itself whole
        parts.append(_kept.get(key) or _write(element, key, charset))
    return b"".join(parts)


def _pixel_bytes(dataset: Dataset) -> bytes:
    vr = b"OW" if dataset.BitsAllocated > 8 else b"OB"
    data: bytes = dataset.PixelData
    return struct.pack("<HH2sHI", PIXEL_DATA >> 16, PIXEL_DATA & 0xFFFF, vr, 0, len(data)) + data


def _write(element: DataElement, key: tuple[object, ...], charset: Any = "") -> bytes:
    """Return what pydicom writes of an element, and keep it."""
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_data_element(stream, element, charset)
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[key] = stream.getvalue()
    return _kept[key]
