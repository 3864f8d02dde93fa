"""Several slices at each place, and no attribute that tells their volumes apart: only an order is left.

Numbers are counted through one volume, then through the next, or through the slices of one place, then of
the next. Where they are neither, or say the same twice, two acquisitions were mixed by whoever removed their
UIDs, and a guess would make volumes out of slices of both.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import RefusedError

MOST_MISSING = 0.5
"""Part of the places that a volume may lack and still be one, where volumes are told by recurring places."""


def order_untold(said: Sequence[tuple[Any, ...]], places: NDArray[np.int_]) -> list[list[int]]:
    """Return volumes of slices that nothing but their order tells apart.

    Parameters
    ----------
    said
        What of each slice can be put in order: hour, then number.
    places
        The number of its place.

    Returns
    -------
    list of list of int
        For each volume its slices, in that order.

    Raises
    ------
    RefusedError
        ``untold_slices``, if the order does not tell either.
    """
    order = sorted(range(len(said)), key=lambda index: said[index])
    by_place: defaultdict[int, list[int]] = defaultdict(list)
    for index in order:
        by_place[int(places[index])].append(index)
    most = max(map(len, by_place.values()))
    ranked = [[row[rank] for row in by_place.values() if rank < len(row)] for rank in range(most)]
    ranked = [sorted(volume, key=lambda index: said[index]) for volume in ranked]
    if len(set(said)) == len(said):
        if _follow_each_other(list(by_place.values()), said):
            return ranked
        if _follow_each_other(ranked, said) and _go_one_way(ranked, places):
            return ranked
        walked = _cut_where_places_recur(order, places)
        if min(map(len, walked)) > MOST_MISSING * len(by_place) and _go_one_way(walked, places):
            return walked
    elif all(len({said[index] for index in row}) == len(row) for row in by_place.values()) and (
        _are_constant(ranked, said)
    ):
        return ranked
    raise RefusedError(
        "untold_slices",
        f"{len(said)} slices lie at {len(by_place)} places, and no attribute, hour or number tells which "
        "belong together; export the series again, each on its own.",
    )


def _follow_each_other(groups: list[list[int]], said: Sequence[tuple[Any, ...]]) -> bool:
    """Return whether the slices of one group all come before, or all after those of another."""
    spans = sorted((min(said[i] for i in group), max(said[i] for i in group)) for group in groups)
    return all(before[1] < after[0] for before, after in pairwise(spans))


def _are_constant(ranked: list[list[int]], said: Sequence[tuple[Any, ...]]) -> bool:
    """Return whether all slices of a volume say one and the same."""
    return all(len({said[index] for index in volume}) == 1 for volume in ranked)


def _go_one_way(volumes: list[list[int]], places: NDArray[np.int_]) -> bool:
    """Return whether the places follow each other alike in every volume, or along the normal."""
    paths = [[int(places[index]) for index in volume] for volume in volumes]
    first = {place: step for step, place in enumerate(paths[0])}
    steps = [[first[place] for place in path if place in first] for path in paths]
    return all(one == sorted(one) for one in steps) or all(
        path in (sorted(path), sorted(path, reverse=True)) for path in paths
    )


def _cut_where_places_recur(order: list[int], places: NDArray[np.int_]) -> list[list[int]]:
    volumes: list[list[int]] = [[]]
    met: set[int] = set()
    for index in order:
        place = int(places[index])
        if place in met:
            volumes.append([])
            met = set()
        met.add(place)
        volumes[-1].append(index)
    return volumes
