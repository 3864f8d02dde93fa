"""Draw whole subjects so that every part holds the same mixture of labels, planes and sources.

The order of the subjects is a hash of seed and name, so a draw is the same on every machine, with
every version of every library, and whatever the order of the rows.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item

Stratum = tuple[Label, Plane | None, str | None]
"""Label, plane and source: what every part should hold in the same mixture. None stands for any."""
Strata = Mapping[str, Counter[Stratum]]
"""Subject to its number of images in each stratum."""


def draw_subjects(
    pool: Sequence[Item], subjects: Mapping[Path, str], fraction: float, seed: int
) -> set[Path]:
    """Draw whole subjects until they hold about ``fraction`` of each stratum.

    Subjects come in an order drawn from the seed; each is taken if that brings the counts nearer to
    what is wanted (sum of squares, relative to each stratum's size). So a source of a few subjects may
    give none: one of two people would be half of it, and training would lack them.
    """
    strata = _count_strata(pool, subjects)
    totals = _total(strata)
    order = _shuffle(strata, seed)
    missing = {stratum: fraction * total for stratum, total in totals.items()}
    taken: set[str] = set()
    for name in order:
        gain = math.fsum(
            (missing[stratum] ** 2 - (missing[stratum] - n) ** 2) / totals[stratum] ** 2
            for stratum, n in strata[name].items()
        )
        if gain > 0:
            taken.add(name)
            for stratum, n in strata[name].items():
                missing[stratum] -= n
    _complete_classes(taken, strata, order)
    return {item.path for item in pool if subjects[item.path] in taken}


def deal_subjects(
    pool: Sequence[Item], subjects: Mapping[Path, str], n_folds: int, seed: int
) -> dict[Path, int]:
    """Deal whole subjects into folds of about equal size in each stratum; return each image's, from 0.

    The largest subjects are dealt first, each to the fold that holds least of what it brings.
    """
    strata = _count_strata(pool, subjects)
    for counts in strata.values():
        # The label alone counts as well: strata of one subject each must not meet in one fold.
        for (label, _, _), n in list(counts.items()):
            counts[label, None, None] += n
    totals = _total(strata)
    held: list[Counter[Stratum]] = [Counter() for _ in range(n_folds)]
    n_subjects = [0] * n_folds
    fold_of: dict[str, int] = {}
    for name in sorted(_shuffle(strata, seed), key=lambda name: -strata[name].total()):
        # What a subject adds to the sum of squares of the folds' counts, relative to each stratum.
        cost = [
            math.fsum(n * counts[stratum] / totals[stratum] ** 2 for stratum, n in strata[name].items())
            for counts in held
        ]
        fold = min(range(n_folds), key=lambda fold: (cost[fold], n_subjects[fold]))
        fold_of[name] = fold
        held[fold].update(strata[name])
        n_subjects[fold] += 1
    return {item.path: fold_of[subjects[item.path]] for item in pool}


def _count_strata(pool: Sequence[Item], subjects: Mapping[Path, str]) -> dict[str, Counter[Stratum]]:
    strata: dict[str, Counter[Stratum]] = defaultdict(Counter)
    for item in pool:
        strata[subjects[item.path]][item.label, item.plane, item.source] += 1
    return strata


def _total(strata: Strata) -> Counter[Stratum]:
    totals: Counter[Stratum] = Counter()
    for counts in strata.values():
        totals.update(counts)
    return totals


def _shuffle(strata: Strata, seed: int) -> list[str]:
    return sorted(
        strata, key=lambda name: hashlib.sha256(f"{seed} {name}".encode("utf-8", "surrogateescape")).digest()
    )


def _complete_classes(taken: set[str], strata: Strata, order: Sequence[str]) -> None:
    """If few large subjects left a class out of one part, move the smallest that holds it there."""
    for label in (Label.PRE, Label.POST):
        holders = [name for name in order if any(its_label is label for its_label, _, _ in strata[name])]
        holders.sort(key=lambda name: strata[name].total())
        if len(holders) > 1 and taken.isdisjoint(holders):
            taken.add(holders[0])
        elif len(holders) > 1 and taken.issuperset(holders):
            taken.discard(holders[0])
