"""The instances of one DICOM series are opened: by the header that speaks for all of them."""

import hashlib
from collections.abc import Sequence

from gadoscope.errors import RefusedError
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.copies import digest_file
from gadoscope.reading.dicom.facts import read_facts
from gadoscope.reading.dicom.grouping.batches import Instance
from gadoscope.reading.dicom.header import MAGNITUDE
from gadoscope.reading.dicom.series import open_dicom_series
from gadoscope.reading.series import Facts, ImageSeries

MAX_INSTANCES = 50_000
"""Of one series: ten times the longest perfusion series; their headers take about 100 MB."""


def check_count(n_instances: int) -> None:
    """Raise RefusedError, ``too_many_instances``, where no series has so many."""
    if n_instances > MAX_INSTANCES:
        raise RefusedError(
            "too_many_instances",
            f"{n_instances} instances have this SeriesInstanceUID; no series has more than "
            f"{MAX_INSTANCES}: classify its folders one by one.",
        )


def open_instances(
    instances: Sequence[Instance], facts: Facts, regrouped: str = "", divided: str = ""
) -> ImageSeries:
    """Open a series; parameters and errors of `open_dicom_series`."""
    headers, sources = zip(*instances, strict=True)
    return open_dicom_series(headers, sources, facts, regrouped=regrouped, divided=divided)


def find_typical_facts(instances: Sequence[Instance], facts: Facts) -> Facts:
    """Return the header that speaks for a series; ``facts``, those of its first instance, if none does more.

    A report or a phase image may come first by its name; the MR images beside it are what is answered.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    for index, (header, source) in enumerate(instances):
        if header.modality == "MR" and header.frame.component in ("", MAGNITUDE):
            return read_source_facts(source) if index else facts
    return facts


def read_source_facts(source: Source) -> Facts:
    """Return the header of an instance, for those who weigh its words; errors of `read_facts`."""
    with source.open() as file:
        return read_facts(file)


def digest_instances(instances: Sequence[Instance]) -> str:
    """Return a SHA-256 of a series, wherever its files lie: of its headers, and of its pixels if need be.

    Mostly pixels are not read for it: DICOM gives changed pixels a new SOPInstanceUID (PS3.3 C.12.4.1),
    which is in the header's digest, as all that stands before the pixels. Where UIDs are missing or repeat,
    they say nothing of the pixels, and those of another series may have the same header.
    """
    digest = hashlib.sha256()
    for line in sorted(list_digests(instances)):  # another folder has another order of names
        digest.update(line)
    return digest.hexdigest()


def list_digests(instances: Sequence[Instance]) -> list[bytes]:
    """Return what `digest_instances` digests, in the order of the instances."""
    uids = {header.sop_instance_uid for header, _ in instances if header.series_instance_uid}
    are_pixels_known = len(uids - {""}) == len(instances)
    lines = []
    for header, source in instances:
        lines.append(f"{header.digest} {header.n_bytes}\n".encode())
        if not are_pixels_known:
            lines.append(digest_file(source) or b"")
    return lines
