"""A plain DICOM instance on disk, told by one look at how its file begins."""

from typing import TYPE_CHECKING

from gadoscope.errors import InputError
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.syntaxes import has_preamble
from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_kind

if TYPE_CHECKING:
    from gadoscope.reading.dicom.header import InstanceHeader


def scan_at_once(source: Source) -> "InstanceHeader | None":
    """Return the header of a plain instance; ``None`` of whatever has to be looked at closely."""
    start = source.read_start()
    if start is None or not has_preamble(start.data):
        return None
    from gadoscope.reading.dicom.header import scan_start  # noqa: PLC0415 — PNG slices do without

    if find_kind(start.data[:PREFIX_BYTES]) is not Kind.DICOM:  # a DICOMDIR
        return None
    try:
        return scan_start(start, str(source))
    except InputError:  # told by whoever looks closely
        return None
