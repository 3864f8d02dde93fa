"""Which images may judge a network: never those that it was trained on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gadoscope.labels import Label, Split
from gadoscope.preparation.manifest import Item, Manifest

DIGEST_KEY = "sha256"
"""The column of a run's manifest that holds each file's SHA-256."""


@dataclass(frozen=True, kw_only=True)
class Division:
    """The images of an evaluation.

    ``evaluated`` have the split validation or test; ``trained_on`` count nowhere, and ``n_excluded``
    of them would have counted if the model had not seen them. ``training_sources`` is source to
    (pre, post) images in the training split.
    """

    evaluated: tuple[Item, ...]
    trained_on: tuple[Item, ...]
    training_sources: dict[str, tuple[int, int]]
    n_excluded: int = 0
    n_shared_images: int = 0
    n_shared_subjects: int = 0


def divide_own(manifest: Manifest) -> Division:
    """Divide the manifest of the run itself: the splits stand as they were in training."""
    trained_on = manifest.with_split(Split.TRAIN)
    evaluated = (*manifest.with_split(Split.VALIDATION), *manifest.with_split(Split.TEST))
    known = {item.extra.get(DIGEST_KEY) for item in trained_on} - {None, ""}
    return Division(
        evaluated=evaluated,
        trained_on=trained_on,
        training_sources=_count_sources(trained_on),
        n_shared_images=sum(item.extra.get(DIGEST_KEY) in known for item in evaluated),
        n_shared_subjects=_count_shared(evaluated, trained_on),
    )


def divide_foreign(manifest: Manifest, run: Manifest) -> Division:
    """Divide other data for a run: by what the run has seen, whatever the data says of itself.

    An image whose SHA-256 stands in the run's training split counts nowhere; one of its validation
    split is validation, since the threshold was chosen on it; all others are test.
    """
    split_of = {
        item.extra[DIGEST_KEY]: item.split
        for split in (Split.TEST, Split.VALIDATION, Split.TRAIN)  # what was trained on comes last and wins
        for item in run.with_split(split)
        if item.extra.get(DIGEST_KEY)
    }
    placed = [
        replace(item, split=split_of.get(hash_file(item.path)) or Split.TEST) for item in manifest.items
    ]
    evaluated = tuple(item for item in placed if item.split is not Split.TRAIN)
    trained_on = tuple(item for item in placed if item.split is Split.TRAIN)
    training = run.with_split(Split.TRAIN)
    return Division(
        evaluated=evaluated,
        trained_on=trained_on,
        training_sources=_count_sources(training),
        n_excluded=len(trained_on),
        n_shared_subjects=_count_shared(evaluated, training),
    )


def divide_for_bundle(manifest: Manifest) -> Division:
    """Divide data for a bundle alone: rows without a split are test, rows marked train are left out."""
    placed = [replace(item, split=item.split or Split.TEST) for item in manifest.items]
    trained_on = tuple(item for item in placed if item.split is Split.TRAIN)
    return Division(
        evaluated=tuple(item for item in placed if item.split is not Split.TRAIN),
        trained_on=trained_on,
        training_sources={},
        n_excluded=len(trained_on),
    )


def count_items(items: Sequence[Item]) -> dict[str, int | None]:
    """Return how many images, subjects (None where one is unknown) and labels of each class there are."""
    subjects = {(item.source, item.subject_id) for item in items}
    known = bool(items) and all(item.subject_id for item in items)
    return {
        "n_images": len(items),
        "n_subjects": len(subjects) if known else None,
        "n_pre": sum(item.label is Label.PRE for item in items),
        "n_post": sum(item.label is Label.POST for item in items),
    }


def hash_file(path: Path) -> str:
    """Return a file's SHA-256, empty where it cannot be read: reading it will say why."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _count_sources(items: Sequence[Item]) -> dict[str, tuple[int, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for item in items:
        n_pre, n_post = counts.get(item.source, (0, 0))
        counts[item.source] = (n_pre + (item.label is Label.PRE), n_post + (item.label is Label.POST))
    return counts


def _count_shared(evaluated: Sequence[Item], trained_on: Sequence[Item]) -> int:
    """Count the subjects of both; a subject is a source and an id."""
    sides = [
        {(item.source, item.subject_id) for item in items if item.subject_id}
        for items in (evaluated, trained_on)
    ]
    return len(sides[0] & sides[1])
