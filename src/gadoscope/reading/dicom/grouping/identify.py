"""Which instances are one series, once all of them are in the index; to be done once.

A series may have been cut into parts, each with a SeriesInstanceUID of its own. A scanner gives each series
a number and an hour of its own, and counts its slices anew. So parts share these, as far as they are stated,
and their InstanceNumbers run on from one part to another, along one stack.
"""

from collections.abc import Sequence
from itertools import pairwise

from gadoscope.reading.dicom.grouping.divide import divide_series
from gadoscope.reading.dicom.grouping.index import Piece, SeriesIndex
from gadoscope.reading.dicom.grouping.loose import MOST_MISSING, find_loose_series, is_at_one_place
from gadoscope.reading.dicom.grouping.regroup import LIKENESS, FoundSeries, find_series, split_planes
from gadoscope.reading.dicom.grouping.tellers import FOLDER, PATIENT, STUDY, changes, list_frames, share
from gadoscope.reading.dicom.header import FrameHeader
from gadoscope.reading.dicom.regular import count_missing, count_numbers, is_regular
from gadoscope.reading.dicom.stack import find_distances

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
        cut = _find_cut_series(parts)
        if cut is not None:
            _join(index, cut)


def _join(index: SeriesIndex, found: FoundSeries) -> None:
    numbers = [piece.number for piece in found.pieces]
    index.join(numbers, found.sentence, is_one_study=found.is_one_study, is_one_uid=found.is_one_uid)


def _find_cut_series(pieces: Sequence[Piece]) -> FoundSeries | None:
    """Return the series that all of some pieces are, if they are one.

    Parameters
    ----------
    pieces
        Of one study or folder, alike in all but their patient, and with other InstanceNumbers each; in the
        order of their paths.
    """
    if len(split_planes(pieces)) > 1:
        return None
    frames = list_frames(pieces)
    is_stack = count_numbers(frames) == len(frames) and is_regular(frames) and _are_counted_along(frames)
    if not is_stack or count_missing(frames) > MOST_MISSING * len(frames):
        return None
    told_by = () if share(pieces, STUDY) else (FOLDER,)
    changing = tuple(name for name in (STUDY, PATIENT) if changes(pieces, name))
    return FoundSeries(tuple(pieces), told_by, LIKENESS, changing, unit="part")


def _are_counted_along(frames: Sequence[FrameHeader]) -> bool:
    """Return whether InstanceNumbers rise, or fall, along the stack.

    Those of two acquisitions, one between the slices of the other, run to and fro.
    """
    distances = find_distances(frames)
    numbers = [frames[index].number or 0 for index in distances.argsort()]
    rises = [one < other for one, other in pairwise(numbers)]
    return all(rises) or not any(rises)
