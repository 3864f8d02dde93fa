"""What the header of a series says, parsed by pydicom: of what `plain_header` finds odd, and of sequences."""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as Items

from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.attributes import KEYWORDS, OTHER_NAMES, PATIENT, USAGE
from gadoscope.reading.dicom.element_walk import damaged
from gadoscope.reading.dicom.elements import LONGEST_VALUE_BYTES, Elements
from gadoscope.reading.dicom.facts import find_protocol_name, guard_words, quote, rename
from gadoscope.reading.dicom.header import find_sop_class
from gadoscope.reading.dicom.objects import find_items
from gadoscope.reading.dicom.raw_header import read_raw_header
from gadoscope.reading.quiet import quiet_library
from gadoscope.reading.series import Facts

_USAGE_MACRO = frozenset((tags.CONTRAST_BOLUS_USAGE_SEQUENCE,))
_CODES = frozenset(("CodeValue", "CodingSchemeDesignator", "CodeMeaning"))
_GROUPS = (tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE, tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
# Sequences of sequences as deep as contrast modules are: agent, ingredient, code.
_DEEPEST = 4


def parse_facts(file: BinaryIO) -> Facts:
    """Do what `read_facts` does, whatever the file holds."""
    raw = read_raw_header(file, longest_value_bytes=None, macros=_USAGE_MACRO)
    sop_class_uid = find_sop_class(raw)
    try:
        with quiet_library():
            return {**_collect_facts(raw.dataset, raw.elements), "SOPClassUID": sop_class_uid}
    except Exception as error:  # as for the header itself: pydicom raises whatever it trips over
        raise damaged() from error


def _collect_facts(dataset: Dataset, elements: Elements) -> Facts:
    facts = _collect_plain(dataset, KEYWORDS)
    protocol = find_protocol_name(elements)
    if protocol:
        facts["tProtocolName"] = protocol
    for group in (dataset, *_iter_first_groups(dataset)):
        for keyword, value in _collect_macro(group).items():
            facts.setdefault(keyword, value)
    usages = collect_usages(dataset)
    if usages:
        facts[USAGE] = usages
    return guard_words(facts, elements)


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
    found = rename(_collect_plain(group, KEYWORDS | OTHER_NAMES.keys()))
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
    is_hidden = keyword in PATIENT
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
    return quote(str(value), is_hidden=is_hidden)
