"""Series whose names changed from file to file as well: patient, study, number, description.

Left over here is what `regroup` found no series for. What still is said of a whole series tells it from
others; then its slices must make one dense stack, for single images of many patients differ as much.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence

from gadoscope.imaging.localizer import is_localizer
from gadoscope.reading.dicom.extents import measure_extent
from gadoscope.reading.dicom.grouping.index import Piece
from gadoscope.reading.dicom.grouping.regroup import (
    FoundSeries,
    find_folder,
    find_series,
    part_by_acquisition,
    split_planes,
)
from gadoscope.reading.dicom.grouping.tellers import (
    AGENT,
    DESCRIPTION,
    FEWEST_SLICES,
    FOLDER,
    MOMENT,
    NUMBER,
    PATIENT,
    PROTOCOL,
    SPACE,
    STUDY,
    UID,
    are_held,
    by_names,
    changes,
    count_places,
    find_plane,
    first_of,
    list_frames,
    list_headers,
    share,
    split,
)
from gadoscope.reading.dicom.regular import are_repeated_stacks, count_missing, count_numbers, is_regular

LOOSE_LIKENESS = "sequence, plane and matrix"
MOST_MISSING = 0.25
"""Part of the slices that a stack may lack: single images of scans of one geometry lie further apart."""
FEWEST_UNHELD = 6
"""Slices of a series of which no two say the same of patient, study, series, hour or space."""

_TELL = (STUDY, UID, PATIENT, NUMBER, MOMENT, SPACE, DESCRIPTION, PROTOCOL, AGENT)
# What a scanner writes once a series, and different patients do not share.
_HOLD = (STUDY, UID, PATIENT, MOMENT, SPACE)
# What may be new in each file though it is one series; hours and spaces often are.
_NAMES = (PATIENT, STUDY, NUMBER, DESCRIPTION, PROTOCOL, AGENT)


def find_loose_series(pieces: Sequence[Piece]) -> Iterator[FoundSeries]:
    """Yield the series that are made of some pieces; a piece that stands alone is in none.

    Parameters
    ----------
    pieces
        Alike in day, scanner, sequence and matrix, in the order of their paths; all with a
        SeriesInstanceUID, or all without.
    """
    left = {piece.number: piece for piece in pieces}
    for alike in split_planes(pieces):
        for place in _split_places(alike):
            for found in _find_in_place(place):
                for piece in found.pieces:
                    del left[piece.number]
                yield found
    for number in split(left.values(), by_names((STUDY, NUMBER))):
        if _are_localizer(number):
            for piece in number:
                del left[piece.number]
            yield FoundSeries(tuple(number), (), "sequence and matrix")
    # Those of one place that are named alike were left for this: now nothing else is known of them.
    for alike in split(left.values(), _say_all):
        yield from find_series(alike)


def _are_localizer(pieces: Sequence[Piece]) -> bool:
    """Return whether pieces of one number are the planes of a localizer, each with a UID of its own."""
    frames = list_frames(pieces)
    is_one = len(pieces) > 1 and share(pieces, STUDY) and share(pieces, NUMBER)
    return (
        is_one
        and count_numbers(frames) == len(frames)
        and is_localizer(map(measure_extent, split(frames, find_plane)))
    )


def is_at_one_place(found: FoundSeries) -> bool:
    """Return whether all slices lie at one place, as those of several series that are named alike."""
    return count_places(header for piece in found.pieces for header, _ in piece.instances) == 1


def _say_all(piece: Piece) -> Hashable:
    header = first_of(piece)
    return header.likeness, header.whose, header.description, header.protocol, header.agent


def _split_places(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return the pieces of each study that holds several, and of what is left those of each folder."""
    n_of = Counter(first_of(piece).study_instance_uid for piece in pieces)

    def find_place(piece: Piece) -> Hashable:
        study = first_of(piece).study_instance_uid
        is_holding = bool(study) and n_of[study] >= FEWEST_SLICES
        return is_holding, study if is_holding else find_folder(piece)

    return split(pieces, find_place)


def _find_in_place(pieces: Sequence[Piece]) -> Iterator[FoundSeries]:
    if len(pieces) < FEWEST_SLICES:
        return
    told_by = tuple(name for name in _TELL if _holds(pieces, name))
    for part in split(pieces, by_names(told_by)):
        told = tuple(name for name in told_by if share(part, name))
        for name, candidate in part_by_acquisition(part):
            place = () if share(candidate, STUDY) else (FOLDER,)
            if _is_series(candidate):
                changing = tuple(one for one in _NAMES if changes(candidate, one))
                by = (*told, *((name,) if name else ()), *place)
                yield FoundSeries(tuple(candidate), by, LOOSE_LIKENESS, changing)


def _holds(pieces: Sequence[Piece], name: str) -> bool:
    groups = split(pieces, by_names((name,)))
    return are_held([list_headers(group) for group in groups])


def _is_series(pieces: Sequence[Piece]) -> bool:
    frames = list_frames(pieces)
    if len(frames) < FEWEST_SLICES or len(pieces) == 1:
        return False
    if share(pieces, UID) and any(share(pieces, name) for name in (STUDY, PATIENT, MOMENT)):
        # The UID was left as it was; time points and planes belong to it as well.
        return count_numbers(frames) == len(frames)
    if changes(pieces, NUMBER) and count_numbers(frames) < len(frames):
        return False  # images that are series of their own all have the number 1
    is_held = any(share(pieces, name) for name in _HOLD)
    if is_regular(frames):
        fewest = FEWEST_SLICES if is_held else FEWEST_UNHELD
        return len(frames) >= fewest and count_missing(frames) <= MOST_MISSING * len(frames)
    # Two acquisitions that nothing tells apart: refused by whoever reads them, but for copies.
    return are_repeated_stacks(frames)
