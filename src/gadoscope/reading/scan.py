"""Look at files for the headers of DICOM instances; a worker process can do it alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from gadoscope.reading.ahead import read_starts_ahead
from gadoscope.reading.at_once import scan_at_once
from gadoscope.reading.dicom.grouping.batches import Batch, pack
from gadoscope.reading.dicom.header import scan_header
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
        Everything else, in its order: images, archives, and whatever could not be read here.
    n_files
        How many were looked at.
    """

    batches: list[Batch]
    left: list[Found]
    n_files: int


def scan_group(group: Sequence[Found]) -> Scanned:
    """Read the headers of the DICOM instances in ``group``. Never raises for what a file holds."""
    instances, left = [], []
    read_starts_ahead(found.source for found in group if found.error is None)
    for found in group:
        try:
            if found.error is not None:
                raise found.error
            header = scan_at_once(found.source)
            if header is not None:
                instances.append((header, found.source))
                continue
            with found.source.open() as file:
                if find_kind(file.read(PREFIX_BYTES)) is Kind.DICOM:
                    file.seek(0)
                    instances.append((scan_header(file, str(found.source)), found.source))
                    continue
        # Whatever is wrong with it, it is looked at once more, by the one who writes the rows.
        except Exception:
            left.append(found)
        else:
            left.append(found)
    return Scanned(pack(instances), left, len(group))
