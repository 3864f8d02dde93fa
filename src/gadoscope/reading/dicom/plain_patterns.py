"""What the headers of a series share, compared as it stands; between lie the values that differ.

Of the ten thousand bytes of a header, a dozen values are an instance's own: numbers, positions, hours. So two
headers of a series become a pattern: bytes that are the same, and elements whose values differ. Where the
pattern fits the next header, to the last byte outside of those values, a walk over it would find the same
elements; only their values are new, of whatever length.

A pattern is made only of what needs no second look: no sequence, no value that decides how others are read.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.elements import Element

MOST_PATTERNS = 4
"""Series whose files lie among each other; each that does not fit costs a microsecond or two."""
MOST_VARYING = 48
"""Elements: with more of them a walk is as quick."""
FEWEST_LEFT = 8
"""Headers that may be learnt before the first one fits: two a series, and some more."""
ITEM_BYTES = b"\xfe\xff\x00\xe0"
_DECIDING = frozenset((tags.TRANSFER_SYNTAX_UID, tags.SPECIFIC_CHARACTER_SET, tags.SERIES_INSTANCE_UID))


class Place(NamedTuple):
    """Where an element lies.

    Parameters
    ----------
    tag, form
        Its tag, and its value representation where the file says it.
    at, value_at, end
        Where it, its value, and the next element begin.
    n_length
        Bytes of its length, which end where the value begins.
    may_vary
        Whether it is stepped over by its length alone.
    """

    tag: int
    form: str | None
    at: int
    value_at: int
    end: int
    n_length: int
    may_vary: bool


class _Piece(NamedTuple):
    """Bytes that are the same, up to an element's length; its value varies, and is kept where it is asked."""

    same: bytes
    n_same: int
    n_length: int
    tag: int
    form: str | None
    is_kept: bool


class Pattern:
    """How the headers of a series are written.

    Parameters
    ----------
    meta, data
        Where the elements of the file meta information and of the data set lie in ``head``, in order.
    head
        A header up to its pixels, and how their element begins, but for its length.
    varying
        Tags of the elements whose values vary.
    found
        What was asked of both in that header.
    about
        Its transfer syntax, and the tag of its pixels.
    """

    def __init__(
        self,
        places: tuple[Sequence[Place], Sequence[Place]],
        head: bytes,
        varying: frozenset[int],
        found: tuple[Mapping[int, Element], Mapping[int, Element]],
        about: tuple[str, int],
    ) -> None:
        meta, data = places
        self.syntax, self.pixel_tag = about
        self._meta_at, self.varying = meta[0].at, varying
        self._found_meta, self._found = found
        self._meta, self._meta_end = _cut(meta, head, data[0].at, varying, self._found_meta)
        self._data, self._tail = _cut(data, head, len(head), varying, self._found)
        self._n_tail = len(self._tail)
        self.said: Any = None
        """What others remember of what does not vary."""

    def fit(self, data: bytes, longest: int) -> "Fit | None":
        """Return what a header says, if it is written so; a value longer than ``longest`` is none."""
        meta = dict(self._found_meta)
        begin = _follow(self._meta, data, self._meta_at, meta, longest)
        if begin < 0 or not data.startswith(self._meta_end, begin):
            return None
        begin += len(self._meta_end)
        found = dict(self._found)
        at = _follow(self._data, data, begin, found, longest)
        if at < 0 or not data.startswith(self._tail, at):
            return None
        return Fit(meta, found, begin, at + self._n_tail)


class Fit(NamedTuple):
    """What is asked of a header that fits; where its data set begins, and where the length of its pixels."""

    meta: dict[int, Element]
    found: dict[int, Element]
    begin: int
    length_at: int


def _follow(pieces: Sequence[_Piece], data: bytes, at: int, found: dict[int, Element], longest: int) -> int:
    """Return where the last value ends, or -1 where something else stands there."""
    for same, n_same, n_length, tag, form, is_kept in pieces:
        if not data.startswith(same, at):
            return -1
        at += n_same
        value_at = at + n_length
        end = value_at + int.from_bytes(data[at:value_at], "little")
        if is_kept:
            value = data[value_at:end]
            if len(value) > longest or ITEM_BYTES in value:
                return -1
            found[tag] = form, value, True
        at = end
    return at


def _cut(
    places: Sequence[Place], head: bytes, end: int, varying: frozenset[int], found: Mapping[int, Element]
) -> tuple[tuple[_Piece, ...], bytes]:
    """Return the pieces of some elements, and what is the same behind the last of them."""
    pieces, start = [], places[0].at
    for place in places:
        if place.tag in varying:
            same = head[start : place.value_at - place.n_length]
            pieces.append(_Piece(same, len(same), place.n_length, place.tag, place.form, place.tag in found))
            start = place.end
    return tuple(pieces), head[start:end]


class _Seen(NamedTuple):
    """A header that was walked: its elements, each as it stands there."""

    spelt: dict[int, bytes]
    varying: frozenset[int]


class Patterns:
    """The patterns of the last series that were read. For several threads: who loses a race learns again."""

    def __init__(self) -> None:
        self._patterns: tuple[Pattern, ...] = ()
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()
        self._n_left = FEWEST_LEFT

    def find(self, data: bytes, longest: int) -> "tuple[Pattern, Fit] | None":
        """Return the pattern that fits, and what it finds."""
        for pattern in self._patterns:
            fit = pattern.fit(data, longest)
            if fit is not None:
                self._n_left += 1
                if pattern is not self._patterns[0]:
                    self._put_first(pattern)
                return pattern, fit
        return None

    def wants(self) -> bool:
        """Return whether one more header is worth learning: patterns have fitted as often as none did."""
        self._n_left = min(self._n_left, 4 * FEWEST_LEFT) - 1
        return self._n_left >= 0

    def learn(
        self,
        places: tuple[Sequence[Place], Sequence[Place]],
        head: bytes,
        found: tuple[Mapping[int, Element], Mapping[int, Element]],
        about: tuple[str, int],
    ) -> None:
        """Compare a header with the last one of its series that was walked; parameters as of `Pattern`."""
        spelt = {place.tag: head[place.at : place.end] for part in places for place in part}
        series = spelt.get(tags.SERIES_INSTANCE_UID, b"")
        before = self._seen.pop(series, None)
        varying: frozenset[int] = frozenset()
        if before is not None and before.spelt.keys() == spelt.keys():
            differing = {tag for tag, one in spelt.items() if one != before.spelt[tag]}
            varying = before.varying | differing
            if _may_vary(places, varying):
                self._put_first(Pattern(places, head, varying, found, about))
        self._seen[series] = _Seen(spelt, varying)
        while len(self._seen) > MOST_PATTERNS:
            self._seen.popitem(last=False)

    def _put_first(self, pattern: Pattern) -> None:
        others = [one for one in self._patterns if one is not pattern]
        self._patterns = (pattern, *others[: MOST_PATTERNS - 1])


def _may_vary(places: tuple[Sequence[Place], Sequence[Place]], varying: frozenset[int]) -> bool:
    first_of_data = places[1][0].tag  # by which the encoding is told
    if len(varying) > MOST_VARYING or first_of_data in varying or not varying.isdisjoint(_DECIDING):
        return False
    return all(place.may_vary for part in places for place in part if place.tag in varying)
