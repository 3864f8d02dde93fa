"""An archive at a glance: how many series of each kind, by plane, source, scanner and month."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from gadoscope.labels import Phase, Status
from gadoscope.results.store.looks import Look
from gadoscope.results.store.queue import QueueQuery, lies_below, select_queue
from gadoscope.results.store.tables import ANSWERS, RUNS, SERIES
from gadoscope.text import unescaped

MOST_SOURCES = 30
"""Paths of runs that are told apart: each is a question to every row."""
OTHER_SOURCE = ""
"""What lies below none of them."""
KINDS = ("pre", "post", "mixed", "indeterminate", "refused", "failed")
"""What became of a series; each has one."""
_KIND_OF_PHASE = {Phase.PRE_CONTRAST: "pre", Phase.POST_CONTRAST: "post", Phase.MIXED: "mixed"}


class Share(NamedTuple):
    """So many of so many; `gadoscope.statistics.intervals` says how far that may be off."""

    n: int
    of: int


@dataclass
class Tally:
    """Series of one kind of place.

    Parameters
    ----------
    kinds
        How many became what, by `KINDS`.
    conflict, agree
        Of how many header and pixels say different things, and the same.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    conflict: int = 0
    agree: int = 0

    @property
    def n(self) -> int:
        """Return how many there are."""
        return self.kinds.total()

    @property
    def silence(self) -> Share:
        """Return of how many that were read as T1 brains the machine says nothing."""
        silent = self.kinds["indeterminate"]
        return Share(silent, silent + sum(self.kinds[kind] for kind in _KIND_OF_PHASE.values()))

    @property
    def conflicts(self) -> Share:
        """Return how many conflicts there are among the series whose header says something of contrast."""
        return Share(self.conflict, self.conflict + self.agree)

    def add(self, kind: str, agreement: str, n: int) -> None:
        """Count ``n`` series."""
        self.kinds[kind] += n
        self.conflict += n if agreement == "conflict" else 0
        self.agree += n if agreement == "agree" else 0


@dataclass
class Overview:
    """Series of a store that one model was asked about.

    Parameters
    ----------
    all
        All of them.
    by_look
        How many there are of each reason for a look.
    by_plane, by_source, by_scanner, by_month
        By what the row, the run or the header says; ``""`` where nothing does. Most first, months in order.
    """

    all: Tally = field(default_factory=Tally)
    by_look: Counter[Look] = field(default_factory=Counter)
    by_plane: dict[str, Tally] = field(default_factory=dict)
    by_source: dict[str, Tally] = field(default_factory=dict)
    by_scanner: dict[str, Tally] = field(default_factory=dict)
    by_month: dict[str, Tally] = field(default_factory=dict)


def count_kinds(connection: sa.Connection, query: QueueQuery, model: int, other: int | None) -> Overview:
    """Return the overview of what a query asks for, of the model of that number; as `select_queue`."""
    roots = list_sources(connection)
    source = (
        sa.case(
            *((lies_below(root), sa.literal(number)) for number, root in enumerate(roots)), else_=len(roots)
        )
        if roots
        else sa.literal(0)
    )
    groups = (
        ANSWERS.c.status,
        ANSWERS.c.phase,
        ANSWERS.c.agreement,
        sa.case(*((ANSWERS.c.look_order < look + 1, sa.literal(int(look))) for look in Look)).label("look"),
        ANSWERS.c.plane,
        source.label("source"),
        SERIES.c.scanner,
        SERIES.c.month,
    )
    asked = select_queue(query, model, other).with_only_columns(
        *groups, sa.func.count(), maintain_column_froms=True
    )
    rows = connection.execute(asked.group_by(*(sa.text(str(nth + 1)) for nth in range(len(groups)))))
    return _sum_up(rows, [*roots, OTHER_SOURCE])


def _sum_up(rows: Iterable[Sequence[Any]], sources: Sequence[str]) -> Overview:
    overview = Overview()
    for status, phase, agreement, look, plane, source, scanner, month, n in rows:
        kind = _find_kind(Status(status), phase)
        overview.by_look[Look(look)] += n
        overview.all.add(kind, agreement, n)
        named = (
            (overview.by_plane, plane),
            (overview.by_source, sources[source]),
            (overview.by_scanner, unescaped(scanner or "")),
            (overview.by_month, month or ""),
        )
        for tallies, name in named:
            tallies.setdefault(name, Tally()).add(kind, agreement, n)
    for tallies in (overview.by_plane, overview.by_source, overview.by_scanner):
        _order(tallies, key=lambda item: (-item[1].n, item[0]))
    _order(overview.by_month, key=lambda item: item[0])
    return overview


def _order(tallies: dict[str, Tally], key: Callable[[tuple[str, Tally]], Any]) -> None:
    ordered = sorted(tallies.items(), key=key)
    tallies.clear()
    tallies.update(ordered)


def list_sources(connection: sa.Connection) -> list[str]:
    """Return the paths that runs were given: the outermost, at most the `MOST_SOURCES` usual ones."""
    usual = Counter(
        root for (roots,) in connection.execute(sa.select(RUNS.c.roots)) for root in _read_roots(roots)
    )
    outer = _leave_out_inner(usual)
    return sorted(sorted(outer, key=lambda root: (-usual[root], root))[:MOST_SOURCES])


def _read_roots(roots: str) -> list[str]:
    said = json.loads(roots)
    return [root.rstrip("/") or root for root in said if isinstance(root, str)]


def _leave_out_inner(roots: Iterable[str]) -> list[str]:
    outer: list[str] = []
    for root in sorted(roots):
        if not outer or not f"{root}/".startswith(f"{outer[-1].rstrip('/')}/"):
            outer.append(root)
    return outer


def _find_kind(status: Status, phase: str | None) -> str:
    if status is Status.ANSWERED and phase is not None:
        return _KIND_OF_PHASE[Phase(phase)]
    return status.value
