"""Elements as pydicom finds them: its objects become ours, and its sequences are entered."""

from collections.abc import Iterable

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from gadoscope.reading.dicom.elements import BINARY_TAGS, Element, Elements

AnyElement = RawDataElement | DataElement


def elements_of(found: Iterable[AnyElement]) -> Elements:
    """Return the elements that pydicom found, as they stand in the file."""
    return Elements({element.tag: convert(element) for element in found})


def elements_in(dataset: Dataset) -> Elements:
    """Return the elements of a dataset; nothing in it is parsed for that."""
    return Elements({tag: convert(element) for tag, element in dataset.items()})


def convert(element: AnyElement) -> Element:
    """Return one element, with the representation of its own tag: it may come to stand under another one."""
    value = element.value
    if isinstance(element, RawDataElement):
        is_said = element.VR is not None and element.VR != "UN"
        form = element.VR if is_said else BINARY_TAGS.get(element.tag)
        return form, value if isinstance(value, bytes) else None, element.is_little_endian
    if isinstance(value, str):  # pydicom decodes some of the file meta information by itself
        value = value.encode("latin-1", "replace")
    return element.VR, value if isinstance(value, bytes) else None, True


def find_items(dataset: Dataset, tag: int) -> list[Dataset]:
    """Return the items of a sequence; none where it is missing."""
    if tag not in dataset:
        return []
    value = dataset[tag].value
    return list(value) if isinstance(value, Items) else []
