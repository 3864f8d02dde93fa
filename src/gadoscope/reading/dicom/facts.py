"""What the header of a series says, as plain values, for those who weigh the words of headers.

Read once a series, from its first instance. What a multi-frame object says in its functional groups stands
beside the rest, under the same keywords as in classic instances.

References
----------
DICOM PS3.3 C.7.6.4 (Contrast/Bolus), C.7.6.16 (functional groups), C.8.13.5 (MR macros), A.70 (legacy
converted); Siemens' protocol text as dcm2niix and others read it: `### ASCCONV BEGIN` in (0029,1020).
"""

import re
from collections.abc import Mapping
from typing import BinaryIO

from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.attributes import ATTRIBUTES, KEYWORDS, OTHER_NAMES, PATIENT
from gadoscope.reading.dicom.elements import CONTROL, LONGEST_VALUE_BYTES, Elements
from gadoscope.reading.dicom.header import find_sop_class
from gadoscope.reading.dicom.plain_header import Asked, read_plain_header
from gadoscope.reading.dicom.plain_values import NotPlainError, find_codec, parse_value
from gadoscope.reading.series import Facts

_CONTROL_BYTE = re.compile(CONTROL.pattern.encode())
# Value representations of numbers, times, codes and UIDs: nobody types a name into them.
_NO_WORDS = frozenset(
    ["AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "SL", "SS", "TM", "UI", "UL", "US"]
)
_TEXT_TAGS = tuple(
    tag
    for keyword, (tag, form) in sorted(ATTRIBUTES.items())
    if keyword in KEYWORDS and form not in {"FD", "FL", "SL", "SQ", "SS", "UL", "US"}
)
_SIMPLE = {keyword: tag for keyword, (tag, form) in sorted(ATTRIBUTES.items()) if form != "SQ"}
_MILLISECONDS_PER_SECOND = 1000.0
_PROTOCOL_TAGS = (0x00291020, 0x00291120, 0x00211019)
_PROTOCOL_NAME = re.compile(rb'tProtocolName\s*=\s*"{1,2}([^"\r\n]{1,128})"')
_ASKED = Asked(
    wanted=frozenset((*_SIMPLE.values(), *_PROTOCOL_TAGS, tags.SPECIFIC_CHARACTER_SET)),
    sequences=frozenset(
        (
            *(tag for tag, form in ATTRIBUTES.values() if form == "SQ"),
            tags.ANATOMIC_REGION_SEQUENCE,
            tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
            tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        )
    ),
)


def read_facts(file: BinaryIO) -> Facts:
    """Return what the header of an instance says under the `KEYWORDS`.

    Parameters
    ----------
    file
        Seekable; read from its beginning.

    Returns
    -------
    Mapping
        Keyword to str, int, float, a list of these, or for a sequence a list of mappings; what is missing,
        empty or unreadable is left out. DICOM's units, in multi-frame objects those of classic instances.

    Raises
    ------
    InputError
        As `scan_header`.
    """
    header = read_plain_header(file, _ASKED)
    if header is not None:
        sop_class_uid = find_sop_class(header)
        try:
            return {**_describe(header.elements), "SOPClassUID": sop_class_uid}
        except NotPlainError:
            pass
    from gadoscope.reading.dicom.parsed_facts import parse_facts  # noqa: PLC0415 — needs pydicom

    return parse_facts(file)


def _describe(elements: Elements) -> Facts:
    """Return what a plain header says; raises NotPlainError."""
    codec = find_codec(elements.find_bytes(tags.SPECIFIC_CHARACTER_SET).decode("latin-1").rstrip(" \0"))
    read = {
        keyword: _read_value(keyword, elements, codec) for keyword, tag in _SIMPLE.items() if tag in elements
    }
    values = {
        keyword: value for keyword, value in read.items() if value is not None and value not in ("", [])
    }
    facts = {keyword: value for keyword, value in values.items() if keyword in KEYWORDS}
    protocol = find_protocol_name(elements)
    if protocol:
        facts["tProtocolName"] = protocol
    for keyword, value in rename(values).items():
        facts.setdefault(keyword, value)
    return guard_words(facts, elements)


def _read_value(keyword: str, elements: Elements, codec: str) -> object:
    tag, form = ATTRIBUTES[keyword]
    stored, is_hidden = elements.find_bytes(tag), keyword in PATIENT
    if not stored or len(stored) > LONGEST_VALUE_BYTES:
        return None
    value = parse_value(elements.find_form(tag) or form, stored, codec)
    if isinstance(value, list):
        return [quote(one, is_hidden=is_hidden) for one in value]
    return quote(value, is_hidden=is_hidden)


def quote(value: str | float, *, is_hidden: bool) -> str | float | None:
    """Return a value, or nothing where it is text that swallowed other elements, perhaps the patient's name.

    Parameters
    ----------
    is_hidden
        Whether it is only looked for in other texts, and never quoted itself.
    """
    if not isinstance(value, str):
        return value
    text = value.rstrip("\0")
    if CONTROL.search(text):
        return CONTROL.sub(" ", text) if is_hidden else None
    return text


def rename(values: Mapping[str, object]) -> dict[str, object]:
    """Return what multi-frame objects say under other keywords than classic instances, or in other units."""
    found = {OTHER_NAMES.get(keyword, keyword): value for keyword, value in values.items()}
    duration = values.get("FrameAcquisitionDuration")
    if isinstance(duration, float):
        found["AcquisitionDuration"] = duration / _MILLISECONDS_PER_SECOND
    return found


def guard_words(facts: Facts, elements: Elements) -> Facts:
    """Return only numbers, codes and UIDs where words may be the patient's, and nobody can tell."""
    if not _has_lost_patient(elements):
        return facts
    return {keyword: value for keyword, value in facts.items() if _form_of(keyword) in _NO_WORDS}


def _has_lost_patient(elements: Elements) -> bool:
    """Say whether a value of a wrong length may have swallowed the patient's name or id.

    Then nobody knows which words of the descriptions are the patient's.
    """
    if tags.PATIENT_NAME in elements and tags.PATIENT_ID in elements:
        return False
    texts = (elements.find_bytes(tag) for tag in _TEXT_TAGS)
    return any(_CONTROL_BYTE.search(text.rstrip(b" \0")) for text in texts)


def _form_of(keyword: str) -> str:
    return ATTRIBUTES[keyword][1] if keyword in ATTRIBUTES else ""


def find_protocol_name(elements: Elements) -> str:
    """Return Siemens' own name of the protocol; de-identification often leaves it where it was."""
    for tag in _PROTOCOL_TAGS:
        found = _PROTOCOL_NAME.search(elements.find_bytes(tag))
        if found:
            # Siemens writes an underscore in UTF-7.
            return found.group(1).decode("latin-1").replace("+AF8-", "_").strip()
    return ""
