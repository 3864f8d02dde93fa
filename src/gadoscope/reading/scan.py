"""Look at files for the headers of DICOM instances; a worker process can do it alone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from gadoscope.reading.ahead import read_starts_ahead
from gadoscope.reading.at_once import scan_at_once
from gadoscope.reading.dicom.grouping.batches import Batch, pack
from gadoscope.reading.dicom.header import InstanceHeader, scan_header
from gadoscope.reading.discover import Found
from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_kind


@dataclass(frozen=True)
class Scanned:
    """What was found in a group of files.

    Parameters
    ----------
    batches
        The instances among them, by series.
    left
        Places in the group of everything else: images, archives, and whatever could not be read here.
    """

    batches: list[Batch]
    left: list[int]


def scan_files(files: Sequence[Found]) -> list[Scanned]:
    """Read the headers of the DICOM instances among files, by groups of `split_groups`."""
    return [scan_group(group) for group in split_groups(files)]


def split_groups(files: Sequence[Found]) -> list[list[Found]]:
    """Return files by the groups that are remembered apart; where nobody remembers it is one."""
    return [list(group) for _, group in groupby(files, key=attrgetter("group"))]


def in_whole_groups(files: Iterable[Found], size: int) -> Iterator[list[Found]]:
    """Yield files in lists of about ``size``, none of which ends inside a group that is remembered."""
    task: list[Found] = []
    for one in files:
        if len(task) >= size and not is_remembered_with(one, task[-1]):
            yield task
            task = []
        task.append(one)
    if task:
        yield task


def is_remembered_with(one: object, other: Found) -> bool:
    """Return whether an input belongs to the group of a file that is remembered as a whole."""
    return isinstance(one, Found) and one.group is not None and one.group == other.group


def scan_group(group: Sequence[Found]) -> Scanned:
    """Read the headers of the DICOM instances in ``group``. Never raises for what a file holds."""
    instances, left = [], []
    read_starts_ahead(found.source for found in group if found.error is None)
    for place, found in enumerate(group):
        try:
            header = _scan(found)
        # Whatever is wrong with it, it is looked at once more, by the one who writes the rows.
        except Exception:
            header = None
        if header is None:
            left.append(place)
        else:
            instances.append((header, found.source))
    return Scanned(pack(instances), left)


def _scan(found: Found) -> InstanceHeader | None:
    """Return the header of an instance, or ``None`` for what is none."""
    if found.error is not None:
        return None
    header = scan_at_once(found.source)
    if header is not None:
        return header
    with found.source.open() as file:
        if find_kind(file.read(PREFIX_BYTES)) is not Kind.DICOM:
            return None
        file.seek(0)
        return scan_header(file, str(found.source))
