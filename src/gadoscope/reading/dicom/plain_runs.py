"""Elements of a plain header that followed each other before, stepped over together.

Instances of a series are written alike: nearly all of their elements have the tags and the lengths of the
last file's, and only some values are longer or shorter. So elements that stood side by side are remembered as
a run, by how the first one is written. Whether they stand there again is one comparison of all their headers,
byte by byte; then the walk over them would find what it found before, and they need not be walked. A run that
stands there in part is cut where the files differ.
"""

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from gadoscope.reading.dicom.elements import Element

HEAD_BYTES = 8
"""Of how an element begins, by which runs are found: tag, and representation with length, or length."""
MOST_IN_A_RUN = 32
"""Elements: a run is made in a tenth of a millisecond, and cut at what differs."""
MOST_BYTES_IN_A_RUN = 16 * 1024
"""Of an element: what is longer is not spelt out in a run, and differs from file to file anyway."""
MOST_RUNS = 2000
"""Some twenty for each way in which a scanner writes its headers; about 5 MB. Then all are forgotten."""

_Unpack = Callable[[bytes, int], tuple[Any, ...]]


class Part(NamedTuple):
    """An element of a run.

    Parameters
    ----------
    tag, form
        Its tag, and its value representation where the file says it.
    head
        How it is written, up to its value.
    n_bytes
        Of the value.
    is_kept
        Whether the value is asked for.
    """

    tag: int
    form: str | None
    head: bytes
    n_bytes: int
    is_kept: bool


class Run(NamedTuple):
    """Elements that stood side by side.

    Parameters
    ----------
    parts
        At least one.
    first, last, n_bytes
        Their first and last tag, and how far they reach.
    read_heads, heads
        What reads how they are written, and what it has to find.
    read_values, tags, forms, orders
        What reads the values that are asked for, and what they are; all are little endian.
    """

    parts: tuple[Part, ...]
    first: int
    last: int
    n_bytes: int
    read_heads: _Unpack
    heads: tuple[bytes, ...]
    read_values: _Unpack
    tags: tuple[int, ...]
    forms: tuple[str | None, ...]
    orders: tuple[bool, ...]


class Runs:
    """What is remembered of one kind of headers. For several threads: who loses a race learns it again."""

    def __init__(self) -> None:
        self._by_head: dict[bytes, Run | None] = {}

    def knows(self, head: bytes) -> bool:
        """Return whether something is remembered of elements that begin so, be it that they stand alone."""
        return head in self._by_head

    def follow(self, data: bytes, at: int, previous: int, found: dict[int, Element]) -> tuple[int, int]:
        """Step over the runs that stand in ``data`` at ``at``, and keep what is asked of them.

        Returns
        -------
        at, previous
            Where the element behind them begins, and the last tag before it.
        """
        known = self._by_head
        while True:
            head = data[at : at + HEAD_BYTES]
            run = known.get(head)
            if run is None or run.first <= previous:
                return at, previous
            try:
                heads = run.read_heads(data, at)
                if heads != run.heads:
                    self._cut(head, run, heads)
                    continue
                values = run.read_values(data, at)
            except struct.error:  # the data end inside it
                return at, previous
            found.update(zip(run.tags, zip(run.forms, values, run.orders, strict=True), strict=True))
            at += run.n_bytes
            previous = run.last

    def _cut(self, head: bytes, run: Run, heads: tuple[bytes, ...]) -> None:
        """Remember no more of a run than what stands there."""
        pairs = enumerate(zip(heads, run.heads, strict=True))
        self.remember(head, run.parts[: next(index for index, (one, other) in pairs if one != other)])

    def remember(self, head: bytes, parts: tuple[Part, ...]) -> None:
        """Remember elements by how the first one begins; none of them where that one stands alone."""
        if len(self._by_head) >= MOST_RUNS:
            self._by_head.clear()
        self._by_head[head] = make_run(parts) if parts else None


def make_run(parts: tuple[Part, ...]) -> Run:
    """Return a run of some elements, at least one."""
    heads = "".join(f"{len(part.head)}s{part.n_bytes}x" for part in parts)
    values = "".join(f"{len(part.head)}x{part.n_bytes}{'s' if part.is_kept else 'x'}" for part in parts)
    kept = [part for part in parts if part.is_kept]
    return Run(
        parts=parts,
        first=parts[0].tag,
        last=parts[-1].tag,
        n_bytes=sum(len(part.head) + part.n_bytes for part in parts),
        read_heads=struct.Struct(heads).unpack_from,
        heads=tuple(part.head for part in parts),
        read_values=struct.Struct(values).unpack_from,
        tags=tuple(part.tag for part in kept),
        forms=tuple(part.form for part in kept),
        orders=(True,) * len(kept),
    )
