"""What lies below a path, in an archive or in memory: DICOM series, volumes, and what is neither."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path

from gadoscope.errors import InputError, UsageError
from gadoscope.parallel import in_groups
from gadoscope.reading.ahead import read_starts_ahead
from gadoscope.reading.archives.containers import list_archive, list_directory
from gadoscope.reading.archives.held import Held
from gadoscope.reading.archives.places import place_of
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.at_once import scan_at_once
from gadoscope.reading.dicom.grouping.batches import Instance, pack, unpack
from gadoscope.reading.dicom.grouping.identify import identify_series
from gadoscope.reading.dicom.grouping.index import SeriesIndex
from gadoscope.reading.dicom.header import scan_header
from gadoscope.reading.discover import Found, iter_inputs
from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_kind
from gadoscope.reading.given import GivenSeries, GivenSlice, Input
from gadoscope.reading.os_errors import explain_os_error
from gadoscope.reading.series import Facts, ImageSeries
from gadoscope.scans.beside import look_beside, open_beside
from gadoscope.scans.instances import check_count, find_typical_facts, open_instances, read_source_facts

INPUTS_AT_ONCE = 32
"""Whose first bytes are asked for together, where they lie at an address."""


@dataclass(frozen=True)
class DicomSeries:
    """A DICOM series whose instances were found: plain values, a hundredth of the headers' size.

    Parameters
    ----------
    uid
        SeriesInstanceUID; empty where it is missing.
    n_instances
        How many were found.
    first
        Where the first one by path lies.
    batches
        All of them, packed.
    regrouped, divided
        As of `SeriesEntry`.
    """

    uid: str
    n_instances: int
    first: Source
    batches: tuple[bytes, ...]
    regrouped: str = ""
    divided: str = ""

    def list_instances(self) -> list[Instance]:
        """Return header and place of each instance, in the order of the paths."""
        check_count(self.n_instances)
        return unpack(self.batches)

    def prepare(self) -> tuple[Callable[[], ImageSeries], Facts]:
        """Return what opens the series, and its header, which may be asked before."""
        instances = self.list_instances()
        facts = find_typical_facts(instances, read_source_facts(self.first))
        return partial(open_instances, instances, facts, self.regrouped, self.divided), facts

    def open(self) -> ImageSeries:
        """Open the series; nothing is decoded yet."""
        return self.prepare()[0]()


def read_alone(source: Source) -> DicomSeries:
    """Return the series of one DICOM file, such as a multi-frame object."""
    with source.open() as file:
        header = scan_header(file, str(source))
    (batch,) = pack([(header, source)])
    return DicomSeries(uid=header.series_instance_uid, n_instances=1, first=source, batches=(batch.packed,))


@dataclass
class Contents:
    """What was met.

    Attributes
    ----------
    dicom
        The DICOM series, by study and path.
    volumes
        Other series that are open, each with where it lies; ``None`` for one that was handed over so.
    n_images
        Slice images that were met on the way, and are no series.
    error
        Of the first file that could not be read.
    held
        What of all this lies in memory: it can be opened for as long as this is kept.
    """

    dicom: list[DicomSeries] = field(default_factory=list)
    volumes: list[tuple[Source | None, ImageSeries]] = field(default_factory=list)
    n_images: int = 0
    error: InputError | None = None
    held: list[Held] = field(default_factory=list)


def look_through(inputs: Iterable[Input]) -> Contents:
    """Look at each input, into archives too; of DICOM the headers are read, and nothing is decoded.

    Raises
    ------
    UsageError
        If a slice image, which is no series, was named or handed over.
    """
    with SeriesIndex() as index:
        looking = _Looking(index)
        looking.take(inputs)
        identify_series(index)
        for study in index.iter_studies():
            for entry in study:
                looking.contents.dicom.append(
                    DicomSeries(
                        uid=entry.series_instance_uid,
                        n_instances=entry.n_instances,
                        first=entry.first,
                        batches=tuple(index.read_batches(entry.number)),
                        regrouped=entry.regrouped,
                        divided=entry.divided,
                    )
                )
        looking.contents.held = index.held
        return looking.contents


def look_below(path: Path) -> Contents:
    """Look through a folder, or an archive."""
    return look_through(iter_inputs([path]))


def _with_starts_ahead(group: list[Input]) -> list[Input]:
    read_starts_ahead(one.source for one in group if isinstance(one, Found) and one.error is None)
    return group


class _Looking:
    def __init__(self, index: SeriesIndex) -> None:
        self._index = index
        self.contents = Contents()

    def take(self, inputs: Iterable[Input]) -> None:
        for one in chain.from_iterable(map(_with_starts_ahead, in_groups(inputs, INPUTS_AT_ONCE))):
            if isinstance(one, GivenSeries):
                self.contents.volumes.append((None, one.series))
            elif isinstance(one, GivenSlice):
                raise no_series()
            else:
                try:
                    self._look(one)
                except (InputError, OSError) as error:
                    found = explain_os_error(error) if isinstance(error, OSError) else error
                    self.contents.error = self.contents.error or found

    def _look(self, found: Found) -> None:
        if found.error is not None:
            raise found.error
        header = scan_at_once(found.source)
        if header is not None:
            self._index.add(pack([(header, found.source)]))
            return
        with found.source.open() as file:
            kind = find_kind(file.read(PREFIX_BYTES))
            if kind is Kind.DICOM:
                file.seek(0)
                self._index.add(pack([(scan_header(file, str(found.source)), found.source)]))
                return
        if kind is Kind.NIFTI:
            opened = open_beside(found.source, look_beside(place_of(found.source)))
            self.contents.volumes.append((found.source, opened))
        elif kind is Kind.IMAGE:
            self.contents.n_images += 1
            if found.is_named:
                raise no_series()
        elif kind in (Kind.ZIP, Kind.TAR):
            self.take(list_archive(found.source))
        elif kind is Kind.DICOMDIR:
            self.take(list_directory(found))


def no_series() -> UsageError:
    """Return the error of a slice image."""
    return UsageError("a slice image is no series; hand it to classify.")
