"""The frames of a multi-frame object: what its functional groups say of each, as classic instances say it.

A frame of an Enhanced or Legacy Converted Enhanced MR Image becomes the same `FrameHeader` that a classic
instance has. So both encodings of one acquisition are put in order and split by the same code.

References
----------
DICOM PS3.3 C.7.6.16 (functional groups), C.8.13.5 (MR macros), C.7.6.16.2.12 (Contrast/Bolus Usage),
C.7.6.16.2.25 and .26 (unassigned converted attributes)
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import BinaryIO

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.attributes import USAGE
from gadoscope.reading.dicom.elements import Element, Elements
from gadoscope.reading.dicom.header import FrameHeader, parse_frame
from gadoscope.reading.dicom.long_header import FRAME_MACROS
from gadoscope.reading.dicom.objects import convert, find_items
from gadoscope.reading.dicom.parsed_facts import merge_usages
from gadoscope.reading.dicom.raw_header import read_raw_header
from gadoscope.reading.dicom.volumes import FramePlace
from gadoscope.reading.quiet import quiet_library

_FRAME_MOMENT = tags.FRAME_ACQUISITION_DATE_TIME
_SHARED_MOMENT = (tags.ACQUISITION_DATE, tags.ACQUISITION_TIME)
# Where a multi-frame object says it: where a classic instance does.
_CLASSIC_TAGS = {
    tags.EFFECTIVE_ECHO_TIME: tags.ECHO_TIME,
    tags.INVERSION_TIMES: tags.INVERSION_TIME,
    _FRAME_MOMENT: tags.ACQUISITION_DATE_TIME,
    tags.TEMPORAL_POSITION_INDEX: tags.TEMPORAL_POSITION_IDENTIFIER,
    tags.FRAME_ACQUISITION_NUMBER: tags.ACQUISITION_NUMBER,
    tags.NOMINAL_CARDIAC_TRIGGER_DELAY_TIME: tags.TRIGGER_TIME,
    tags.FRAME_TYPE: tags.IMAGE_TYPE,
}


def read_frames(file: BinaryIO, instance: int) -> tuple[FramePlace, ...]:
    """Read what is said of each frame.

    Parameters
    ----------
    file
        Seekable; read from its beginning, without the pixels.
    instance
        Index of the instance, for the frames.

    Raises
    ------
    RefusedError
        ``missing_orientation``, if the object has no functional groups.
    ReadError
        ``damaged_header``, if they do not fit NumberOfFrames or cannot be parsed; else as `scan_header`.
    """
    raw = read_raw_header(file, longest_value_bytes=None, macros=FRAME_MACROS)
    try:
        with quiet_library():
            return _parse_frames(raw.dataset, raw.elements, instance)
    except InputError:
        raise
    except Exception as error:  # as for the header itself: pydicom raises whatever it trips over
        raise ReadError(
            "damaged_header", "its functional groups are damaged; copy the file again from its source."
        ) from error


def _parse_frames(dataset: Dataset, elements: Elements, instance: int) -> tuple[FramePlace, ...]:
    groups = find_items(dataset, tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
    if not groups:
        raise RefusedError(
            "missing_orientation",
            "it holds several frames but no functional groups: where they lie is not said.",
        )
    stated = elements.find_integer(tags.NUMBER_OF_FRAMES)
    if stated != len(groups):
        raise ReadError(
            "damaged_header",
            f"NumberOfFrames is {stated}, but {len(groups)} frames are described; copy it again.",
        )
    outside = dict(elements.iter_public())
    shared = find_items(dataset, tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE)[:1]
    common = {**outside, **(_flatten(shared[0]) if shared else {})}
    usages = merge_usages(group for group in (dataset, *shared) if USAGE in group)
    return tuple(
        FramePlace(
            header=_parse_frame(common, _flatten(group), index + 1),
            instance=instance,
            index=index,
            usages=tuple(merge_usages([group])) or tuple(usages),
        )
        for index, group in enumerate(groups)
    )


def _parse_frame(common: Mapping[int, Element], own: Mapping[int, Element], frame_number: int) -> FrameHeader:
    elements = {**common, **own}
    for tag, classic in _CLASSIC_TAGS.items():
        if tag in elements:
            elements[classic] = elements[tag]
    if _FRAME_MOMENT in elements:
        # The frame's own hour counts, not the one of the object as a whole.
        for tag in _SHARED_MOMENT:
            elements.pop(tag, None)
    return replace(parse_frame(Elements(elements)), number=frame_number)


def _flatten(group: Dataset) -> dict[int, Element]:
    """Return the elements of all macros of a functional group side by side; their keywords differ."""
    elements: dict[int, Element] = {}
    for tag in list(group.keys()):
        macro = None if BaseTag(tag).is_private else group[tag].value
        if isinstance(macro, Items) and len(macro):
            for inner, element in macro[0].items():
                elements.setdefault(inner, convert(element))
    return elements
