"""Put together what is one series, and divide what is several, where SeriesInstanceUIDs do not say so.

In this order (`identify`): several series under one UID are divided (`divide`); series whose UID is missing
or new in every file are put together from pieces that are alike (here); then those whose names changed as
well (`loose`); then series cut into parts (`cut`). docs/decisions/0020 tells why so.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gadoscope.imaging.localizer import is_localizer
from gadoscope.reading.dicom.extents import measure_extent
from gadoscope.reading.dicom.grouping.index import Piece
from gadoscope.reading.dicom.grouping.tellers import (
    ACQUISITION,
    FEWEST_SLICES,
    FOLDER,
    MOMENT,
    NUMBER,
    SPACE,
    STUDY,
    TELLERS,
    TIME,
    UID,
    by_names,
    find_plane,
    first_of,
    list_frames,
    share,
    split,
)
from gadoscope.reading.dicom.header import FrameHeader
from gadoscope.reading.dicom.regular import count_numbers, is_regular

LIKENESS = "description, sequence, plane and matrix"
# What tells series apart where two of them or more have different values of it.
_TELL = (STUDY, NUMBER, MOMENT, SPACE)


@dataclass(frozen=True)
class FoundSeries:
    """Pieces that are one series.

    Parameters
    ----------
    pieces
        In the order of their paths.
    told_by
        What told them from others, beside ``likeness``.
    likeness
        In what else they are alike.
    changing
        What each of them says otherwise than the others, beside SeriesInstanceUID.
    unit
        What each of them is.
    """

    pieces: tuple[Piece, ...]
    told_by: tuple[str, ...]
    likeness: str = LIKENESS
    changing: tuple[str, ...] = ()
    unit: str = "file"

    @property
    def is_one_study(self) -> bool:
        """Return whether they share a StudyInstanceUID."""
        return share(self.pieces, STUDY)

    @property
    def is_one_uid(self) -> bool:
        """Return whether they share a SeriesInstanceUID."""
        return share(self.pieces, UID)

    @property
    def sentence(self) -> str:
        """Return the warning that says on what the series rests."""
        shared = [name for name in (STUDY, UID, NUMBER, MOMENT) if share(self.pieces, name)]
        told_by = dict.fromkeys((*shared, *self.told_by, self.likeness))
        return f"{self._say_why()}: put together by {', '.join(told_by)}"

    def _say_why(self) -> str:
        is_named = bool(first_of(self.pieces[0]).series_instance_uid)
        changing = (*((UID,) if is_named and not self.is_one_uid else ()), *self.changing)
        missing = "" if is_named else f"{UID} is missing"
        if not changing:
            return missing
        verb = "changes" if len(changing) == 1 else "change"
        said = f"{', '.join(changing)} {verb} from {self.unit} to {self.unit}"
        return f"{missing}, {said}" if missing else said


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
    if not (share(series.pieces, STUDY) and share(series.pieces, NUMBER)):
        return None
    return by_names((STUDY, NUMBER))(series.pieces[0])


def _are_localizer(stacks: Sequence[FoundSeries]) -> bool:
    """Return whether stacks are the planes of one localizer, which is refused as a whole or not at all."""
    return is_localizer(measure_extent(list_frames(stack.pieces)) for stack in stacks)


def _find_stacks(pieces: Sequence[Piece]) -> Iterator[FoundSeries]:
    for alike in split_planes(pieces):
        told_by = tuple(name for name in _TELL if _tells(alike, name))
        for part in split(alike, by_names(told_by)):
            yield from _find_in_part(part, told_by)


def split_planes(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Return the pieces of each plane, size and pixel spacing."""
    return split(pieces, lambda piece: find_plane(first_of(piece).frame))


def _find_in_part(part: Sequence[Piece], told_by: tuple[str, ...]) -> Iterator[FoundSeries]:
    """Yield the series among pieces that no UID or number parts, but each may have values of its own."""
    own = tuple(name for name in _TELL if _is_own(part, name))
    for name, series in _part_softly(part):
        told = (*told_by, *((name,) if name else ()))
        # Each slice under another study or number: genuine single images are so too, but make no stack.
        is_stack = not own or _is_counted_stack(series)
        for candidate in [series] if is_stack else split(series, by_names(own)):
            if _is_series(candidate):
                changing = tuple(name for name in own if name == STUDY) if is_stack else ()
                yield FoundSeries(tuple(candidate), told, changing=changing)


def _is_series(pieces: Sequence[Piece]) -> bool:
    if not first_of(pieces[0]).series_instance_uid:
        return len(pieces) > 1
    if len(pieces) < FEWEST_SLICES:
        return False
    # Images that are series of their own all have the number 1.
    frames = list_frames(pieces)
    return is_regular(frames) or count_numbers(frames) >= FEWEST_SLICES


def _is_counted_stack(pieces: Sequence[Piece]) -> bool:
    frames = list_frames(pieces)
    is_counted = count_numbers(frames) == len(frames) >= FEWEST_SLICES
    return is_counted and is_regular(frames)


def _part_softly(pieces: Sequence[Piece]) -> Iterator[tuple[str, Sequence[Piece]]]:
    """Part what is no stack by folder, or by acquisitions; yield each part and what parted it."""
    if len(pieces) < FEWEST_SLICES or is_regular(list_frames(pieces)):
        yield "", pieces
        return
    parts = split(pieces, find_folder)
    # Files of one series may lie scattered; folders tell where they hold stacks, or nothing else may.
    if _are_few(len(parts), pieces) and (
        not share(pieces, STUDY) or all(is_regular(list_frames(part)) for part in parts)
    ):
        for part in parts:
            for name, series in part_by_acquisition(part):
                yield name or FOLDER, series
        return
    yield from part_by_acquisition(pieces)


def part_by_acquisition(pieces: Sequence[Piece]) -> list[tuple[str, Sequence[Piece]]]:
    """Part by hour or number of acquisition; return each part and what parted it.

    Acquisitions are series, not volumes of one, if each counts its slices anew.
    """
    for name in (TIME, ACQUISITION):
        if not _tells(pieces, name):
            continue
        parted = split(pieces, by_names((name,)))
        parts = [list_frames(part) for part in parted]
        if is_restarted(parts) and all(map(is_regular, parts)):
            return [(name, part) for part in parted]
    return [("", pieces)]


def is_restarted(parts: Sequence[Sequence[FrameHeader]]) -> bool:
    """Return whether all parts state InstanceNumbers, and some state those of another one."""
    counted = [{frame.number for frame in part} - {None} for part in parts]
    return all(counted) and len(set.union(*counted)) < sum(map(len, counted))


def find_folder(piece: Piece) -> str:
    """Return the folder of the first instance of a piece."""
    return piece.instances[0][1].folder


def _tells(pieces: Sequence[Piece], name: str) -> bool:
    """Return whether there are several values, and not nearly one for each piece."""
    return _are_few(len({TELLERS[name](first_of(piece)) for piece in pieces}), pieces)


def _are_few(n_values: int, pieces: Sequence[Piece]) -> bool:
    return 1 < n_values <= len(pieces) / 2


def _is_own(pieces: Sequence[Piece], name: str) -> bool:
    """Return whether nearly each piece has a value of its own that would tell series apart.

    An hour or a frame of reference for each file says nothing where a number or a study is shared.
    """
    stronger = {MOMENT: NUMBER, SPACE: STUDY}.get(name)
    if len(pieces) == 1 or (stronger and share(pieces, stronger)):
        return False
    return len({TELLERS[name](first_of(piece)) for piece in pieces}) > 1
