"""Which instances are one series, once all of them are in the index; to be done once."""

from gadoscope.reading.dicom.grouping.cut import find_cut_series
from gadoscope.reading.dicom.grouping.divide import divide_series
from gadoscope.reading.dicom.grouping.index import SeriesIndex
from gadoscope.reading.dicom.grouping.loose import find_loose_series, is_at_one_place
from gadoscope.reading.dicom.grouping.regroup import FoundSeries, find_series

MOST_DIVIDED = 50_000
"""Instances under one SeriesInstanceUID that are looked at, about 100 MB: `classify` reads no more."""


def identify_series(index: SeriesIndex) -> None:
    """Divide what is several series and put together what is one, where UIDs do not say so."""
    for mixed in index.iter_mixed(MOST_DIVIDED):
        divided = divide_series(mixed.instances)
        if divided is not None:
            index.divide(mixed.number, divided.parts, divided.sentence)
    for alike in index.iter_alike("likeness"):
        for found in find_series(alike):
            # Of slices of several series that are named alike more may be known.
            if not is_at_one_place(found):
                _join(index, found)
    for alike in index.iter_alike("kin"):
        for found in find_loose_series(alike):
            _join(index, found)
    for parts in index.iter_cut():
        cut = find_cut_series(parts)
        if cut is not None:
            _join(index, cut)


def _join(index: SeriesIndex, found: FoundSeries) -> None:
    numbers = [piece.number for piece in found.pieces]
    index.join(numbers, found.sentence, is_one_study=found.is_one_study, is_one_uid=found.is_one_uid)
