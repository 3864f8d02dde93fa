"""Put series together whose SeriesInstanceUID is missing, or new in every file.

What shares patient, description, sequence, matrix and plane is one series where the UIDs and numbers that are
left do not tell it apart and its slices make one regular stack. docs/decisions/0020 tells why so.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from gadoscope.errors import InputError
from gadoscope.imaging.geometry import find_plane
from gadoscope.imaging.localizer import is_localizer
from gadoscope.labels import Plane
from gadoscope.reading.dicom.header import FrameHeader, InstanceHeader
from gadoscope.reading.dicom.regular import count_numbers, is_regular
from gadoscope.reading.dicom.stack import check_plane
from gadoscope.reading.index import Piece, SeriesIndex

FEWEST_PIECES = 3
"""Of a series whose SeriesInstanceUID changes: two slices are always evenly spaced."""
LIKENESS = "description, sequence, plane and matrix"
PLANE_DIGITS, SPACING_DIGITS = 2, 3
"""To which direction cosines and pixel spacings (mm) are rounded; what is regular is measured afterwards."""

STUDY, NUMBER, MOMENT, SPACE = "StudyInstanceUID", "SeriesNumber", "SeriesTime", "FrameOfReferenceUID"
FOLDER = "folder"

_Teller: TypeAlias = Callable[[Piece], object]


def _first(piece: Piece) -> InstanceHeader:
    return piece.instances[0][0]


# What tells series apart where two of them or more have different values of it.
_TELLERS: dict[str, _Teller] = {
    STUDY: lambda piece: _first(piece).study_instance_uid,
    NUMBER: lambda piece: _first(piece).series_number,
    MOMENT: lambda piece: _first(piece).series_moment,
    SPACE: lambda piece: _first(piece).frame_of_reference_uid,
}
# What tells acquisitions apart; they are series, not volumes of one, if each counts its slices anew.
_ACQUISITIONS: dict[str, _Teller] = {
    "AcquisitionTime": lambda piece: (
        _first(piece).frame.acquisition_date,
        _first(piece).frame.acquisition_time,
    ),
    "AcquisitionNumber": lambda piece: _first(piece).frame.acquisition_number,
}


@dataclass(frozen=True)
class FoundSeries:
    """Pieces that are one series.

    Parameters
    ----------
    pieces
        In the order of their paths.
    told_by
        What told them from others, beside `LIKENESS`.
    """

    pieces: tuple[Piece, ...]
    told_by: tuple[str, ...]

    @property
    def is_one_study(self) -> bool:
        """Return whether they share a StudyInstanceUID."""
        return _share(self.pieces, STUDY)

    @property
    def sentence(self) -> str:
        """Return the warning that says on what the series rests."""
        is_named = bool(_first(self.pieces[0]).series_instance_uid)
        what = "SeriesInstanceUID changes from file to file" if is_named else "SeriesInstanceUID is missing"
        shared = [name for name in (STUDY, NUMBER, MOMENT) if _share(self.pieces, name)]
        told_by = dict.fromkeys((*shared, *self.told_by, LIKENESS))
        return f"{what}: put together by {', '.join(told_by)}"


def regroup(index: SeriesIndex) -> None:
    """Put together in the index what belongs together; to be done once, when all instances are there."""
    for alike in index.iter_alike():
        for found in find_series(alike):
            numbers = [piece.number for piece in found.pieces]
            index.join(numbers, found.sentence, is_one_study=found.is_one_study)


def find_series(pieces: Sequence[Piece]) -> Iterator[FoundSeries]:
    """Yield the series that are made of some pieces; a piece that stands alone is in none.

    Parameters
    ----------
    pieces
        Alike, in the order of their paths; all with a SeriesInstanceUID, or all without.
    """
    found = list(_find_stacks(pieces))
    by_number: defaultdict[object, list[FoundSeries]] = defaultdict(list)
    for series in found:
        by_number[_find_number(series)].append(series)
    for number, stacks in by_number.items():
        if number is not None and _are_localizer(stacks):
            yield FoundSeries(
                tuple(piece for series in stacks for piece in series.pieces),
                tuple(dict.fromkeys(name for series in stacks for name in series.told_by)),
            )
        else:
            yield from stacks


def _find_number(series: FoundSeries) -> object:
    """Return the study and the SeriesNumber that all share, or ``None``."""
    if not (_share(series.pieces, STUDY) and _share(series.pieces, NUMBER)):
        return None
    return tuple(_TELLERS[name](series.pieces[0]) for name in (STUDY, NUMBER))


def _are_localizer(stacks: Sequence[FoundSeries]) -> bool:
    """Return whether stacks are the planes of one localizer, which is refused as a whole or not at all."""
    planes = (_name_plane(_first(stack.pieces[0]).frame) for stack in stacks)
    return is_localizer((plane, len(stack.pieces)) for plane, stack in zip(planes, stacks, strict=True))


def _name_plane(frame: FrameHeader) -> Plane:
    try:
        check_plane(frame)
    except InputError:
        return Plane.UNKNOWN
    cosines = np.array(frame.orientation, dtype=np.float64)
    return find_plane(np.cross(cosines[:3], cosines[3:]))


def _find_stacks(pieces: Sequence[Piece]) -> Iterator[FoundSeries]:
    for alike in _split(pieces, _find_plane):
        told_by = tuple(name for name, teller in _TELLERS.items() if _tells(alike, teller))
        for part in _split(alike, _sayer(told_by)):
            yield from _find_in_part(part, told_by)


def _find_in_part(part: Sequence[Piece], told_by: tuple[str, ...]) -> Iterator[FoundSeries]:
    """Yield the series among pieces that no UID or number parts, but each may have values of its own."""
    own = tuple(name for name in _TELLERS if _is_own(part, name))
    for name, series in _part_softly(part):
        told = (*told_by, *((name,) if name else ()))
        # Each slice under another study or number: genuine single images are so too, but make no stack.
        candidates = [series] if not own or _is_counted_stack(series) else _split(series, _sayer(own))
        for candidate in candidates:
            if _is_series(candidate):
                yield FoundSeries(tuple(candidate), told)


def _is_series(pieces: Sequence[Piece]) -> bool:
    if not _first(pieces[0]).series_instance_uid:
        return len(pieces) > 1
    if len(pieces) < FEWEST_PIECES:
        return False
    # Images that are series of their own all have the number 1.
    frames = _list_frames(pieces)
    return is_regular(frames) or count_numbers(frames) >= FEWEST_PIECES


def _is_counted_stack(pieces: Sequence[Piece]) -> bool:
    frames = _list_frames(pieces)
    is_counted = count_numbers(frames) == len(frames) >= FEWEST_PIECES
    return is_counted and is_regular(frames)


def _part_softly(pieces: Sequence[Piece]) -> Iterator[tuple[str, Sequence[Piece]]]:
    """Part what is no stack by folder, or by acquisitions; yield each part and what parted it."""
    if len(pieces) < FEWEST_PIECES or is_regular(_list_frames(pieces)):
        yield "", pieces
        return
    if _tells(pieces, _find_folder):
        parts = _split(pieces, _find_folder)
        # Files of one series may lie scattered; folders tell where they hold stacks, or nothing else may.
        if not _share(pieces, STUDY) or all(is_regular(_list_frames(part)) for part in parts):
            for part in parts:
                for name, series in _part_by_acquisition(part):
                    yield name or FOLDER, series
            return
    yield from _part_by_acquisition(pieces)


def _part_by_acquisition(pieces: Sequence[Piece]) -> list[tuple[str, Sequence[Piece]]]:
    for name, teller in _ACQUISITIONS.items():
        if not _tells(pieces, teller):
            continue
        parts = [_list_frames(part) for part in _split(pieces, teller)]
        counted = [{frame.number for frame in part} - {None} for part in parts]
        is_restarted = all(counted) and len(set.union(*counted)) < sum(map(len, counted))
        if is_restarted and all(map(is_regular, parts)):
            return [(name, part) for part in _split(pieces, teller)]
    return [("", pieces)]


def _list_frames(pieces: Sequence[Piece]) -> list[FrameHeader]:
    """Return what is said of each slice; once of those whose headers are the same to the last byte."""
    headers = (header for piece in pieces for header, _ in piece.instances)
    unique = {(header.sop_instance_uid or header.name, header.digest): header for header in headers}
    return [header.frame for header in unique.values()]


def _split(pieces: Sequence[Piece], teller: _Teller) -> list[list[Piece]]:
    """Return the pieces of each value, all in their order."""
    parts: defaultdict[object, list[Piece]] = defaultdict(list)
    for piece in pieces:
        parts[teller(piece)].append(piece)
    return list(parts.values())


def _tells(pieces: Sequence[Piece], teller: _Teller) -> bool:
    """Return whether there are several values, and not nearly one for each piece."""
    return 1 < len({teller(piece) for piece in pieces}) <= len(pieces) / 2


def _is_own(pieces: Sequence[Piece], name: str) -> bool:
    """Return whether nearly each piece has a value of its own that would tell series apart.

    An hour or a frame of reference for each file says nothing where a number or a study is shared.
    """
    stronger = {MOMENT: NUMBER, SPACE: STUDY}.get(name)
    if len(pieces) == 1 or (stronger and _share(pieces, stronger)):
        return False
    return len({_TELLERS[name](piece) for piece in pieces}) > 1


def _share(pieces: Sequence[Piece], name: str) -> bool:
    values = {_TELLERS[name](piece) for piece in pieces}
    return len(values) == 1 and values.pop() not in ("", None)


def _sayer(names: Sequence[str]) -> _Teller:
    return lambda piece: tuple(_TELLERS[name](piece) for name in names)


def _find_folder(piece: Piece) -> object:
    return piece.instances[0][1].folder


def _find_plane(piece: Piece) -> object:
    frame = _first(piece).frame
    orientation = tuple(round(cosine, PLANE_DIGITS) + 0.0 for cosine in frame.orientation or ())
    spacing = tuple(round(one, SPACING_DIGITS) for one in frame.spacing_mm or ())
    return frame.rows, frame.columns, orientation, spacing
