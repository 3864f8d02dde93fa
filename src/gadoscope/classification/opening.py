"""One series is opened, wherever it lies, and nothing of it is answered yet."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from gadoscope.classification.beside import look_beside, open_beside
from gadoscope.classification.study.tasks import find_typical_facts, open_instances, read_source_facts
from gadoscope.errors import InputError, UsageError
from gadoscope.reading.archives.containers import list_archive, list_directory
from gadoscope.reading.archives.places import place_of
from gadoscope.reading.dicom.grouping.batches import pack, unpack
from gadoscope.reading.dicom.grouping.identify import identify_series
from gadoscope.reading.dicom.grouping.index import SeriesEntry, SeriesIndex
from gadoscope.reading.dicom.header import scan_header
from gadoscope.reading.discover import Found
from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_kind
from gadoscope.reading.given import ArrayAxes, GivenSeries, GivenSlice, Input, list_inputs
from gadoscope.reading.os_errors import explain_os_error
from gadoscope.reading.series import ImageSeries

if TYPE_CHECKING:
    from gadoscope.reading.given import What


def read_series(
    what: "What", *, spacing_mm: Sequence[float] | None = None, orientation: str | None = None
) -> ImageSeries:
    """Open the one series that is handed over; its voxels are decoded when they are asked for.

    Parameters
    ----------
    what
        A NIfTI file; a DICOM file, a folder or a zip of one series; or what lies in memory: a volume as an
        array, an image of nibabel, datasets of pydicom, an open file.
    spacing_mm, orientation
        Of an array; as of `classify`.

    Raises
    ------
    UsageError
        If it holds several series, or none, or is a slice image, which is no series.
    InputError
        If it cannot be read, or is refused.
    """
    opening = _Opening()
    with opening.index:
        opening.take(list_inputs(what, ArrayAxes(spacing_mm=spacing_mm, orientation=orientation)))
        return opening.finish()


class _Opening:
    """What was met so far: series that are open, instances of others, and the first thing that is neither."""

    def __init__(self) -> None:
        self.index = SeriesIndex()
        self._opened: list[ImageSeries] = []
        self._error: InputError | None = None

    def take(self, inputs: Iterable[Input]) -> None:
        """Look at each input."""
        for one in inputs:
            if isinstance(one, GivenSeries):
                self._opened.append(one.series)
            elif isinstance(one, GivenSlice):
                raise _no_series()
            else:
                try:
                    self._look(one)
                except (InputError, OSError) as error:
                    found = explain_os_error(error) if isinstance(error, OSError) else error
                    self._error = self._error or found

    def _look(self, found: Found) -> None:
        if found.error is not None:
            raise found.error
        with found.source.open() as file:
            prefix = file.read(PREFIX_BYTES)
            kind = find_kind(prefix)
            if kind is Kind.DICOM:
                file.seek(0)
                self.index.add(pack([(scan_header(file, str(found.source)), found.source)]))
                return
        if kind is Kind.NIFTI:
            self._opened.append(open_beside(found.source, look_beside(place_of(found.source))))
        elif kind is Kind.IMAGE and found.is_named:
            raise _no_series()
        elif kind in (Kind.ZIP, Kind.TAR):
            self.take(list_archive(found.source))
        elif kind is Kind.DICOMDIR:
            self.take(list_directory(found))

    def finish(self) -> ImageSeries:
        """Return the one series."""
        identify_series(self.index)
        entries = [entry for study in self.index.iter_studies() for entry in study]
        n_series = len(entries) + len(self._opened)
        if n_series > 1:
            firsts = [*(str(entry.first) for entry in entries), *(one.path for one in self._opened)]
            raise UsageError(
                f"this holds {n_series} series, {firsts[0]} is of one and {firsts[1]} of another; name one "
                "of them, or classify them all."
            )
        if entries:
            return _open_entry(entries[0], self.index)
        if self._opened:
            return self._opened[0]
        if self._error is not None:
            raise self._error
        raise UsageError("there is no series in this; name a NIfTI file, or the folder of a DICOM series.")


def _open_entry(entry: SeriesEntry, index: SeriesIndex) -> ImageSeries:
    instances = unpack(index.read_batches(entry.number))
    facts = find_typical_facts(instances, read_source_facts(entry.first))
    return open_instances(instances, facts, entry.regrouped, entry.divided)


def _no_series() -> UsageError:
    return UsageError("a slice image is no series; hand it to classify.")
