"""How stored pixels are written, by what the header says.

References
----------
DICOM PS3.3 C.7.6.3 (Image Pixel), C.7.5.1.1.2 (pixel padding)
"""

import struct

from gadoscope.errors import ReadError, RefusedError
from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.elements import Elements
from gadoscope.reading.dicom.syntaxes import BIG_ENDIAN
from gadoscope.reading.dicom.values import StoredLayout

MONOCHROME1, MONOCHROME2 = "MONOCHROME1", "MONOCHROME2"
FLOAT_BITS = {tags.FLOAT_PIXEL_DATA: 32, tags.DOUBLE_FLOAT_PIXEL_DATA: 64}
"""Bits allocated where the pixel data themselves say it."""
_INTEGER_BITS = (8, 16, 32)


def find_layout(elements: Elements, pixel_tag: int, syntax: str, warnings: list[str]) -> StoredLayout:
    """Return how stored values are written; repairs are appended to ``warnings``.

    Raises
    ------
    RefusedError
        If the pixels are in colour, or of bits that are not read.
    ReadError
        If it is not said how many bits there are.
    """
    photometric = elements.find_text(tags.PHOTOMETRIC_INTERPRETATION).upper()
    if (elements.find_integer(tags.SAMPLES_PER_PIXEL) or 1) != 1 or photometric not in {
        "",
        MONOCHROME1,
        MONOCHROME2,
    }:
        raise RefusedError("colour", "the pixels are in colour; an MR slice is grey: export the grey slice.")
    if not photometric:
        warnings.append("PhotometricInterpretation is missing: larger values were taken as brighter")
    is_signed = elements.find_integer(tags.PIXEL_REPRESENTATION) == 1
    bits = FLOAT_BITS.get(pixel_tag) or elements.find_integer(tags.BITS_ALLOCATED)
    if pixel_tag == tags.PIXEL_DATA and bits not in _INTEGER_BITS:
        if bits is None:
            raise ReadError("missing_attribute", "BitsAllocated is missing; copy the file from its source.")
        raise RefusedError(
            "unsupported_pixels", f"BitsAllocated is {bits}; pixels of 8, 16 and 32 bits are read."
        )
    allocated = bits or 0
    stored = elements.find_integer(tags.BITS_STORED)
    if pixel_tag == tags.PIXEL_DATA and not (stored is not None and 1 < stored <= allocated):
        warnings.append("BitsStored is missing or wrong: BitsAllocated was taken instead")
    if stored is None or not 1 < stored <= allocated:
        stored = allocated
    high_bit = elements.find_integer(tags.HIGH_BIT)
    if high_bit is None or not stored - 1 <= high_bit < allocated:
        high_bit = stored - 1
    order = ">" if syntax == BIG_ENDIAN else "<"
    return StoredLayout(
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=high_bit,
        is_signed=is_signed,
        is_inverted=photometric == MONOCHROME1,
        padding=_find_padding_range(elements, pixel_tag, f"{order}{'h' if is_signed else 'H'}"),
    )


def _find_padding_range(elements: Elements, pixel_tag: int, layout: str) -> tuple[float, float] | None:
    """Return the smallest and the largest padding value; the range's limit may lie on either side."""
    if pixel_tag != tags.PIXEL_DATA:
        value = elements.find_number(
            tags.FLOAT_PIXEL_PADDING_VALUE
            if pixel_tag == tags.FLOAT_PIXEL_DATA
            else tags.DOUBLE_FLOAT_PIXEL_PADDING_VALUE
        )
        return None if value is None else (value, value)
    size = struct.calcsize(layout)
    ends = [elements.find_bytes(tag) for tag in (tags.PIXEL_PADDING_VALUE, tags.PIXEL_PADDING_RANGE_LIMIT)]
    values = [float(struct.unpack_from(layout, end)[0]) for end in ends if len(end) >= size]
    return (min(values), max(values)) if values and len(ends[0]) >= size else None
