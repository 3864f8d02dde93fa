"""Who is one subject: one answer for splits, counts, intervals and whatever is frozen.

A subject is known by its id. An id that stands under two sources is taken for one person: kept on one side of
a split, counted once, drawn as one for an interval. If they are two people after all, that costs nothing that
can be measured; if they are one, anything else is a leak, or an interval that is too narrow
(docs/decisions/0028-who-is-one-subject.md). What would mix the pictures of two people, a series or a pair of
slices, reads an id within its source: `within_source`.

Where nobody is named something stands in: near-duplicates for a split (`stand_ins`), blocks of file names for
a trivial predictor, the series or the image itself for what is frozen or judged.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from gadoscope.labels import Label
from gadoscope.preparation.items import Item
from gadoscope.wording import list_names, plural

Links = Iterable[tuple[int, int]]
"""Pairs of images that show one picture."""


def name_subjects(ids: Iterable[str | None], stand_ins: Iterable[str]) -> list[str]:
    """Return a name for the subject of each image, the same for all images of one.

    Parameters
    ----------
    ids
        Of each image, whatever its source; None or empty where it is unknown.
    stand_ins
        What to take there; none may begin with ``subject``.
    """
    return [f"subject {one}" if one else other for one, other in zip(ids, stand_ins, strict=True)]


def known_subjects(items: Sequence[Item]) -> list[str]:
    """Return a name for the subject of each image, empty where it is unknown."""
    return name_subjects([item.subject_id for item in items], [""] * len(items))


def number_subjects(
    ids: Sequence[str | None],
    stand_ins: Sequence[str],
    *,
    sources: Sequence[str] | None = None,
    links: Links = (),
) -> NDArray[np.int64]:
    """Return the number of each image's subject, shape (n,), from 0 without gaps.

    Parameters
    ----------
    ids, stand_ins
        As for `name_subjects`; numbers are in the order of the names.
    sources
        Of each image: numbers are in the order of each subject's first source, then. It joins and parts
        nobody; but what is drawn from a seed depends on the order.
    links
        Subjects that these images are of count as one.
    """
    names = name_subjects(ids, stand_ins)
    if sources is not None:
        first = dict(sorted(zip(names, sources, strict=True), reverse=True))  # the least one is kept
        names = [f"{first[name]}\n{name}" if one else name for name, one in zip(names, ids, strict=True)]
    numbers: NDArray[np.int64] = np.unique(np.array(names, np.str_), return_inverse=True)[1].astype(np.int64)
    pairs = np.array([(numbers[one], numbers[other]) for one, other in links], np.int64).reshape(-1, 2)
    if not len(pairs):
        return numbers
    from scipy.sparse import coo_array  # noqa: PLC0415 — who only reads scans does without scipy
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 — as above

    n_subjects = int(numbers.max()) + 1
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), (n_subjects, n_subjects))
    joined: NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return joined[numbers]


def count_subjects(ids: Collection[str | None]) -> int | None:
    """Return how many subjects images with these ids are of; None where one is unknown, or for no image."""
    return len(set(ids)) if ids and all(ids) else None


def within_source(subject_id: str | None, source: str) -> tuple[str, str]:
    """Return what parts the images of two people for certain; the id is empty where it is unknown."""
    return subject_id or "", source


def tell_shared_ids(items: Iterable[Item]) -> tuple[str, ...]:
    """Return the notice that ids stand under several sources, and what that is taken for; none if none do."""
    sources: dict[str, set[str]] = defaultdict(set)
    for item in items:
        if item.subject_id:
            sources[item.subject_id].add(item.source)
    shared = [names for names in sources.values() if len(names) > 1]
    if not shared:
        return ()
    return (
        f"{plural(len(shared), 'subject id')} stand{'s' if len(shared) == 1 else ''} under several sources "
        f"({list_names(sorted(set().union(*shared)))}): each is taken for one person. If they are different "
        "people, make the ids differ, for instance by writing the source before the id.",
    )


def count_items(items: Sequence[Item]) -> dict[str, int | None]:
    """Return how many images, subjects (None where one is unknown) and labels of each class there are."""
    return {
        "n_images": len(items),
        "n_subjects": count_subjects([item.subject_id for item in items]),
        "n_pre": sum(item.label is Label.PRE for item in items),
        "n_post": sum(item.label is Label.POST for item in items),
    }
