"""A series that was cut into parts, each with a SeriesInstanceUID of its own.

A scanner gives each series a number and an hour of its own, and counts its slices anew. So parts share these,
as far as they are stated, and their InstanceNumbers run on from one part to another, along one stack.
"""

from collections.abc import Sequence
from itertools import pairwise

from gadoscope.reading.dicom.grouping.index import Piece
from gadoscope.reading.dicom.grouping.loose import MOST_MISSING
from gadoscope.reading.dicom.grouping.regroup import LIKENESS, FoundSeries, split_planes
from gadoscope.reading.dicom.grouping.tellers import FOLDER, PATIENT, STUDY, changes, list_frames, share
from gadoscope.reading.dicom.header import FrameHeader
from gadoscope.reading.dicom.regular import count_missing, count_numbers, is_regular
from gadoscope.reading.dicom.stack import find_distances


def find_cut_series(pieces: Sequence[Piece]) -> FoundSeries | None:
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
