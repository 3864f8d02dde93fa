"""Which images an epoch shows, in which steps: shuffled, or balanced by source, label and subject.

Where one hospital has only post-contrast images and another only pre-contrast ones, a network learns the
hospital. Balanced batches take that away as far as the data allow: fixed shares of the sources, and couples
of one image of each label: of one subject at one slice position, where there is such a pair, which differs in
nothing but the contrast agent; else of one source and plane, or of one source; else of one plane, or sagittal
would mean post-contrast where the only sagittal images are.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import ConfigError
from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.preparation.subjects import within_source
from gadoscope.training.checks import SHARE_ROUNDING, check_choice, check_range, check_shares

SamplingMethod = Literal["shuffle", "balanced"]
SHUFFLE: SamplingMethod = "shuffle"
BALANCED: SamplingMethod = "balanced"

SLICE_COLUMN = "slice"
"""Column of a manifest with the place of a slice in its series; else the number that ends its file's name."""
TRAILING_NUMBER = re.compile(r"(\d{1,9})$")

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How an epoch is drawn.

    Parameters
    ----------
    method
        ``shuffle`` shows each image once; ``balanced`` fills each batch by shares of the sources, two
        images at a time, one of each label. A source of one label gets the other from the other sources.
    pairs
        Whether the second image of a couple is of the same subject, at the nearest slice position, where
        there is one.
    steps_per_epoch
        Of ``balanced``; 0 takes as many steps as show as many images as there are.
    shares
        Of ``balanced``: source to share of each batch, with what is coupled to its images. Sources not
        named share the rest alike.
    """

    method: SamplingMethod = SHUFFLE
    pairs: bool = True
    steps_per_epoch: int = 0
    shares: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_choice("sampling.method", self.method, (SHUFFLE, BALANCED))
        check_range("sampling.steps_per_epoch", self.steps_per_epoch, least=0)
        if self.steps_per_epoch and self.method != BALANCED:
            raise ConfigError(
                f'sampling.steps_per_epoch is {self.steps_per_epoch} and sampling.method is "{self.method}", '
                f'which shows each image once; set sampling.method to "{BALANCED}".'
            )
        check_shares("sampling.shares", self.shares)

    def share_of(self, sources: Iterable[str]) -> dict[str, float]:
        """Return the share of each source that there is; they add up to 1.

        A named source that is held out leaves its share to the others.

        Raises
        ------
        ConfigError
            If a source would never be drawn because the named ones take everything.
        """
        present = sorted(set(sources))
        unnamed = [source for source in present if source not in self.shares]
        rest = max(0.0, 1 - sum(self.shares.values()))
        if unnamed and rest <= SHARE_ROUNDING and self.shares:
            raise ConfigError(
                f"sampling.shares leave nothing for {', '.join(unnamed)}; "
                "name each source with its share, or let the shares add up to less than 1."
            )
        shares = {
            source: self.shares[source] if source in self.shares else rest / len(unnamed)
            for source in present
        }
        total = sum(shares.values())
        if not total > 0:
            raise ConfigError("sampling.shares are all 0 for the sources of these data; give one more.")
        return {source: share / total for source, share in shares.items()}


def count_steps(n_images: int, batch_size: int, config: SamplingConfig) -> int:
    """Return how many steps an epoch has; when shuffled the last one may be small, as in Keras."""
    if config.method == BALANCED and config.steps_per_epoch:
        return config.steps_per_epoch
    return -(-n_images // batch_size)


def draw_epoch(
    items: Sequence[Item], rows: Rows, *, batch_size: int, config: SamplingConfig, seed: Sequence[int]
) -> list[Rows]:
    """Return the rows of each step of an epoch, drawn from ``seed`` alone.

    Parameters
    ----------
    items
        The images' rows of the manifest; ``shuffle`` does not look at them.
    rows
        Which of them to train on, shape (n,).
    """
    generator = np.random.default_rng(seed)
    if config.method == SHUFFLE:
        order = generator.permutation(rows)
        return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
    return _draw_balanced(items, rows, batch_size, config, generator)


def find_partners(items: Sequence[Item], rows: Rows) -> dict[int, Rows]:
    """Return for each row those of the other label, same subject, source and plane, at the nearest place.

    A row without a partner is not in the answer. Where a place is unknown every candidate is a partner.
    """
    groups: dict[tuple[object, ...], dict[Label, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in rows.tolist():
        item = items[row]
        if item.subject_id is not None:
            groups[within_source(item.subject_id, item.source), item.plane][item.label].append(row)
    partners: dict[int, Rows] = {}
    for labels in groups.values():
        for label, other in ((Label.PRE, Label.POST), (Label.POST, Label.PRE)):
            candidates = np.array(labels.get(other, []), np.int64)
            if len(candidates):
                places = np.array([find_place(items[row]) for row in candidates])
                for row in labels.get(label, []):
                    partners[row] = _take_nearest(candidates, places, find_place(items[row]))
    return partners


def find_place(item: Item) -> float:
    """Return the slice number of an image; NaN if nothing says it."""
    if item.slice_number is not None:
        return float(item.slice_number)
    try:
        return float(item.extra[SLICE_COLUMN])
    except (KeyError, ValueError):  # no such column, or no number in it: then the file's name
        number = TRAILING_NUMBER.search(item.path.stem)
        return float(number[1]) if number else float("nan")


def _take_nearest(candidates: Rows, places: NDArray[np.float64], place: float) -> Rows:
    distance = np.abs(places - place)
    known = np.isfinite(distance)
    return candidates[distance == distance[known].min()] if known.any() else candidates


def _draw_balanced(
    items: Sequence[Item], rows: Rows, batch_size: int, config: SamplingConfig, generator: np.random.Generator
) -> list[Rows]:
    by_source: dict[str, list[int]] = defaultdict(list)
    for row in rows.tolist():
        by_source[items[row].source].append(row)
    shares = config.share_of(by_source)
    partners = find_partners(items, rows) if config.pairs else {}
    stand_ins = _StandIns(items, by_source, shares, generator)
    couples = {
        source: _iter_couples(items, by_source[source], partners, stand_ins, generator)
        for source in sorted(by_source)
    }
    steps = []
    for _ in range(count_steps(len(rows), batch_size, config)):
        counts = _allot(list(shares.values()), batch_size // 2, generator.random())
        drawn = [
            row
            for source, count in zip(shares, counts, strict=True)
            for _ in range(count)
            for row in next(couples[source])
        ]
        steps.append(np.array(drawn, np.int64))
    return steps


class _StandIns:
    """Images of the other label for those whose own source has none, drawn by the shares of the sources."""

    def __init__(
        self,
        items: Sequence[Item],
        by_source: Mapping[str, Sequence[int]],
        shares: Mapping[str, float],
        generator: np.random.Generator,
    ) -> None:
        self._items, self._shares, self._generator = items, shares, generator
        self._rows: dict[tuple[Label, Plane | None], dict[str, list[int]]] = defaultdict(dict)
        for source, rows in by_source.items():
            for row in rows if shares[source] else ():
                for plane in (items[row].plane, None):
                    self._rows[items[row].label, plane].setdefault(source, []).append(row)

    def draw(self, row: int) -> int | None:
        """Return an image of the other label, of the same plane if there is one; else None."""
        item = self._items[row]
        other = Label.PRE if item.label is Label.POST else Label.POST
        found = self._rows.get((other, item.plane)) or self._rows.get((other, None))
        if not found:
            return None
        chances = np.array([self._shares[source] for source in found])
        source = list(found)[int(self._generator.choice(len(found), p=chances / chances.sum()))]
        return int(self._generator.choice(found[source]))


def _iter_couples(
    items: Sequence[Item],
    rows: Sequence[int],
    partners: Mapping[int, Rows],
    stand_ins: _StandIns,
    generator: np.random.Generator,
) -> Iterator[tuple[int, int]]:
    """Yield couples of one source for ever: first the next image of one label in turn, then its partner.

    Where there is none it is the next image of the other label in the same plane, if the source has one
    there: a source whose sagittal images are mostly of one label would else teach the plane.
    """
    by_label: dict[Label, list[int]] = defaultdict(list)
    by_plane: dict[tuple[Label, Plane], list[int]] = defaultdict(list)
    for row in rows:
        by_label[items[row].label].append(row)
        by_plane[items[row].label, items[row].plane].append(row)
    labels = sorted(by_label)
    decks = [_iter_shuffled(by_label[label], generator) for label in labels]
    of_plane = {key: _iter_shuffled(chosen, generator) for key, chosen in by_plane.items()}
    while True:
        for index, deck in enumerate(decks):
            first = next(deck)
            if first in partners:
                yield first, int(generator.choice(partners[first]))
            elif len(decks) > 1:
                other = 1 - index
                yield first, next(of_plane.get((labels[other], items[first].plane), decks[other]))
            else:
                second = stand_ins.draw(first)
                yield first, next(deck) if second is None else second


def _iter_shuffled(rows: Sequence[int], generator: np.random.Generator) -> Iterator[int]:
    """Yield ``rows`` for ever, all of them before any comes again."""
    while True:
        yield from generator.permutation(rows).tolist()


def _allot(shares: Sequence[float], n: int, offset: float) -> list[int]:
    """Divide ``n`` by ``shares``: whole numbers that add up to ``n``, on average exactly the shares.

    Systematic sampling: with one ``offset``, uniform in [0, 1), no count is further than 1 from its share.
    """
    ends = np.floor(np.cumsum(shares) * n + offset)
    ends[-1] = n
    return [int(count) for count in np.diff(ends, prepend=0.0)]
