"""What the header of a series says, as plain values, for those who weigh the words of headers.

Read once a series, from its first instance. What a multi-frame object says in its functional groups stands
beside the rest, under the same keywords as in classic instances.

References
----------
DICOM PS3.3 C.7.6.4 (Contrast/Bolus), C.7.6.16 (functional groups), C.8.13.5 (MR macros), A.70 (legacy
converted); Siemens' protocol text as dcm2niix and others read it: `### ASCCONV BEGIN` in (0029,1020).
"""

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as Items

from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.element_walk import damaged
from gadoscope.reading.dicom.elements import CONTROL, LONGEST_VALUE_BYTES, Elements
from gadoscope.reading.dicom.header import find_sop_class
from gadoscope.reading.dicom.objects import find_items
from gadoscope.reading.dicom.raw_header import read_raw_header
from gadoscope.reading.quiet import quiet_library
from gadoscope.reading.series import Facts

KEYWORDS = frozenset(
    (
        # what it is, and of what
        *("SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "Manufacturer", "ImageType"),
        *("FrameType", "ComplexImageComponent", "BodyPartExamined", "SeriesNumber", "PatientPosition"),
        *("ManufacturerModelName", "MagneticFieldStrength", "BurnedInAnnotation", "ReceiveCoilName"),
        *("PatientSpeciesDescription", "PatientSpeciesCodeSequence", "PatientBreedDescription"),
        *("PatientBreedCodeSequence", "StrainDescription", "StrainCodeSequence"),
        *("AnatomicalOrientationType", "ResponsiblePersonRole"),
        # how it was acquired
        *("ScanningSequence", "SequenceVariant", "ScanOptions", "SequenceName", "PulseSequenceName"),
        *("MRAcquisitionType", "AcquisitionContrast", "EchoPulseSequence", "EchoPlanarPulseSequence"),
        *("InversionRecovery", "RepetitionTime", "EchoTime", "EffectiveEchoTime", "InversionTime"),
        *("InversionTimes", "FlipAngle", "EchoTrainLength", "EchoNumbers", "DiffusionBValue"),
        *("SliceThickness", "AcquisitionDuration", "NumberOfTemporalPositions"),
        *("RescaleType", "Units"),
        # when
        *("AcquisitionDateTime", "AcquisitionDate", "AcquisitionTime", "SeriesDate", "SeriesTime"),
        *("StudyDate", "StudyTime", "ContentTime"),
        # what it is called
        *("SeriesDescription", "ProtocolName", "StudyDescription", "RequestedProcedureDescription"),
        *("PerformedProcedureStepDescription",),
        # contrast
        *("ContrastBolusAgent", "ContrastBolusAgentSequence", "ContrastBolusIngredient"),
        *("ContrastBolusIngredientCodeSequence", "ContrastBolusIngredientConcentration"),
        *("ContrastBolusVolume", "ContrastBolusTotalDose", "ContrastBolusRoute", "ContrastBolusStartTime"),
        *("ContrastBolusStopTime", "ContrastFlowRate", "ContrastFlowDuration", "ContrastBolusAgentNumber"),
        *("ContrastBolusAgentAdministered", "ContrastBolusAgentDetected", "ContrastBolusAgentPhase"),
        *("ContrastBolusUsageSequence", "ContrastAdministrationProfileSequence"),
        # the patient, only so that no quotation of a description shows what was typed into it
        *("PatientName", "PatientID", "PatientBirthDate", "OtherPatientIDs", "OtherPatientNames"),
    )
)
"""Everything that is taken from a header; nothing else leaves the file."""

_PATIENT = frozenset(("PatientName", "PatientID", "PatientBirthDate", "OtherPatientIDs", "OtherPatientNames"))
_CONTROL_BYTE = re.compile(CONTROL.pattern.encode())
# Value representations of numbers, times, codes and UIDs: nobody types a name into them.
_NO_WORDS = frozenset(
    ["AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "SL", "SS", "TM", "UI", "UL", "US"]
)
_TEXT_TAGS = tuple(
    tag
    for tag in map(tag_for_keyword, sorted(KEYWORDS))
    if tag is not None and dictionary_VR(tag) not in {"FD", "FL", "SL", "SQ", "SS", "UL", "US"}
)
USAGE = "ContrastBolusUsageSequence"
_USAGE_MACRO = frozenset((tags.CONTRAST_BOLUS_USAGE_SEQUENCE,))
_CODES = frozenset(("CodeValue", "CodingSchemeDesignator", "CodeMeaning"))
_GROUPS = (tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE, tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
# Where a multi-frame object says it: under which keyword classic instances do.
_OTHER_NAMES = {
    "FrameAcquisitionDateTime": "AcquisitionDateTime",
    "FrameAcquisitionDuration": "AcquisitionDuration",
    "InversionTimes": "InversionTime",
}
_MILLISECONDS_PER_SECOND = 1000.0
_PROTOCOL_TAGS = (0x00291020, 0x00291120, 0x00211019)
_PROTOCOL_NAME = re.compile(rb'tProtocolName\s*=\s*"{1,2}([^"\r\n]{1,128})"')
# Sequences of sequences as deep as contrast modules are: agent, ingredient, code.
_DEEPEST = 4


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
    raw = read_raw_header(file, longest_value_bytes=None, macros=_USAGE_MACRO)
    sop_class_uid = find_sop_class(raw)
    try:
        with quiet_library():
            return {**_collect_facts(raw.dataset, raw.elements), "SOPClassUID": sop_class_uid}
    except Exception as error:  # as for the header itself: pydicom raises whatever it trips over
        raise damaged() from error


def _collect_facts(dataset: Dataset, elements: Elements) -> Facts:
    facts = _collect_plain(dataset, KEYWORDS)
    protocol = _find_protocol_name(elements)
    if protocol:
        facts["tProtocolName"] = protocol
    for group in (dataset, *_iter_first_groups(dataset)):
        for keyword, value in _collect_macro(group).items():
            facts.setdefault(keyword, value)
    usages = collect_usages(dataset)
    if usages:
        facts[USAGE] = usages
    return _without_words(facts) if _has_lost_patient(dataset, elements) else facts


def _has_lost_patient(dataset: Dataset, elements: Elements) -> bool:
    """Say whether a value of a wrong length may have swallowed the patient's name or id.

    Then nobody knows which words of the descriptions are the patient's.
    """
    if "PatientName" in dataset and "PatientID" in dataset:
        return False
    texts = (elements.find_bytes(tag) for tag in _TEXT_TAGS)
    return any(_CONTROL_BYTE.search(text.rstrip(b" \0")) for text in texts)


def _without_words(facts: Facts) -> Facts:
    """Return only numbers, codes and UIDs."""
    return {keyword: value for keyword, value in facts.items() if _representation(keyword) in _NO_WORDS}


def _representation(keyword: str) -> str:
    tag = tag_for_keyword(keyword)
    return "" if tag is None else dictionary_VR(tag)


def collect_usages(dataset: Dataset) -> list[dict[str, object]]:
    """Return each different Contrast/Bolus Usage item of the object and of all its frames, once."""
    groups = [dataset, *(group for tag in _GROUPS for group in find_items(dataset, tag))]
    return merge_usages(group for group in groups if USAGE in group)


def merge_usages(groups: Iterable[Dataset]) -> list[dict[str, object]]:
    """Return each different Contrast/Bolus Usage item of some functional groups, once."""
    usages: list[dict[str, object]] = []
    for group in groups:
        for item in find_items(group, tags.CONTRAST_BOLUS_USAGE_SEQUENCE):
            usage = _collect_plain(item, KEYWORDS)
            if usage not in usages:
                usages.append(usage)
    return usages


def _iter_first_groups(dataset: Dataset) -> Iterator[Dataset]:
    """Yield the macros of the shared functional groups, then those of the first frame."""
    for tag in _GROUPS:
        for group in find_items(dataset, tag)[:1]:
            for element in group:
                if element.keyword not in ("", USAGE) and isinstance(element.value, Items):
                    yield from list(element.value)[:1]


def _collect_macro(group: Dataset) -> dict[str, object]:
    """Return what a macro says that classic instances say under another keyword, or in other units."""
    values = _collect_plain(group, KEYWORDS | _OTHER_NAMES.keys())
    found = {_OTHER_NAMES.get(keyword, keyword): value for keyword, value in values.items()}
    duration = values.get("FrameAcquisitionDuration")
    if isinstance(duration, float):
        found["AcquisitionDuration"] = duration / _MILLISECONDS_PER_SECOND
    # The region's meaning stands for BodyPartExamined, which multi-frame objects lack.
    for region in find_items(group, tags.ANATOMIC_REGION_SEQUENCE)[:1]:
        found.setdefault("BodyPartExamined", str(region.get("CodeMeaning", "")))
    return found


def _collect_plain(dataset: Dataset, keywords: frozenset[str], depth: int = 0) -> dict[str, object]:
    values: dict[str, object] = {}
    for keyword in keywords:
        if keyword in dataset:
            value = _read_value(dataset, keyword, depth)
            if value is not None and value not in ("", []):
                values[keyword] = value
    return dict(sorted(values.items()))


def _read_value(dataset: Dataset, keyword: str, depth: int) -> object:
    """Return one value; ``None`` if it cannot be read, for one bad value must not hide the others."""
    try:
        raw: object = dataset.get_item(keyword)  # typed as what it becomes, not as what it is
        if isinstance(raw, RawDataElement) and raw.VR != "SQ" and len(raw.value or b"") > LONGEST_VALUE_BYTES:
            return None
        value = dataset[keyword].value
    except Exception:  # every value representation fails in its own way
        return None
    if isinstance(value, Items):
        return (
            [_collect_plain(item, KEYWORDS | _CODES, depth + 1) for item in value]
            if depth < _DEEPEST
            else None
        )
    is_hidden = keyword in _PATIENT
    if isinstance(value, (MultiValue, list, tuple)):
        return [_scalar(one, is_hidden=is_hidden) for one in value]
    return _scalar(value, is_hidden=is_hidden)


def _scalar(value: object, *, is_hidden: bool) -> object:
    if value is None or isinstance(value, bytes):
        return None
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    text = str(value).rstrip("\0")
    if CONTROL.search(text):  # it swallowed other elements, perhaps the patient's name: it is not quoted
        return CONTROL.sub(" ", text) if is_hidden else None
    return text


def _find_protocol_name(elements: Elements) -> str:
    """Return Siemens' own name of the protocol; de-identification often leaves it where it was."""
    for tag in _PROTOCOL_TAGS:
        found = _PROTOCOL_NAME.search(elements.find_bytes(tag))
        if found:
            # Siemens writes an underscore in UTF-7.
            return found.group(1).decode("latin-1").replace("+AF8-", "_").strip()
    return ""
