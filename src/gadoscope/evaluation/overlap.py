"""Which images may judge a network: never those that it was trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gadoscope.labels import Label, Split
from gadoscope.preparation.manifest import Item, Manifest
from gadoscope.preparation.slices import FileDigests
from gadoscope.preparation.subjects import known_subjects

DIGEST_KEY = "sha256"
"""The column of a run's manifest that holds each file's SHA-256."""


@dataclass(frozen=True, kw_only=True)
class Division:
    """The images of an evaluation.

    ``evaluated`` have the split validation or test; ``trained_on`` count nowhere, and ``n_excluded``
    of them would have counted if the model had not seen them. ``training_sources`` is source to
    (pre, post) images in the training split. ``n_sealed`` counts the images of the run's own test split,
    and ``n_two_sided`` the subjects with images in validation and in test.
    """

    evaluated: tuple[Item, ...]
    trained_on: tuple[Item, ...]
    training_sources: dict[str, tuple[int, int]]
    n_excluded: int = 0
    n_shared_images: int = 0
    n_shared_subjects: int = 0
    n_two_sided: int = 0
    n_sealed: int = 0


def divide_own(manifest: Manifest) -> Division:
    """Divide the manifest of the run itself: the splits stand as they were in training."""
    trained_on = manifest.with_split(Split.TRAIN)
    sides = manifest.with_split(Split.VALIDATION), manifest.with_split(Split.TEST)
    evaluated = (*sides[0], *sides[1])
    known = {item.extra.get(DIGEST_KEY) for item in trained_on} - {None, ""}
    return Division(
        evaluated=evaluated,
        trained_on=trained_on,
        training_sources=_count_sources(trained_on),
        n_shared_images=sum(item.extra.get(DIGEST_KEY) in known for item in evaluated),
        n_shared_subjects=_count_shared(evaluated, trained_on),
        n_two_sided=_count_shared(*sides),
        n_sealed=len(sides[1]),
    )


def divide_foreign(manifest: Manifest, run: Manifest, digests: FileDigests) -> Division:
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
    known = [split_of.get(digest) for digest in digests.of(manifest.items)]
    placed = [
        replace(item, split=split or Split.TEST) for item, split in zip(manifest.items, known, strict=True)
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
        n_two_sided=_count_two_sided(evaluated),
        n_sealed=sum(split is Split.TEST for split in known),
    )


def divide_for_bundle(manifest: Manifest) -> Division:
    """Divide data for a bundle alone: rows without a split are test, rows marked train are left out."""
    placed = [replace(item, split=item.split or Split.TEST) for item in manifest.items]
    trained_on = tuple(item for item in placed if item.split is Split.TRAIN)
    evaluated = tuple(item for item in placed if item.split is not Split.TRAIN)
    return Division(
        evaluated=evaluated,
        trained_on=trained_on,
        training_sources={},
        n_excluded=len(trained_on),
        n_shared_subjects=_count_shared(evaluated, trained_on),
        n_two_sided=_count_two_sided(evaluated),
    )


def unite(divisions: Sequence[Division]) -> Division:
    """Return what may judge several models at once: images that none of them was trained on.

    An image that helped to choose the threshold of one of them is validation for all. Everything else is
    that of the first model.
    """
    seen = {item.path for division in divisions for item in division.trained_on}
    chosen = {
        item.path for division in divisions for item in division.evaluated if item.split is Split.VALIDATION
    }
    first = divisions[0]
    evaluated = tuple(
        replace(item, split=Split.VALIDATION) if item.path in chosen else item
        for item in first.evaluated
        if item.path not in seen
    )
    n_seen_by_others = len(first.evaluated) - len(evaluated)
    return replace(
        first,
        evaluated=evaluated,
        n_excluded=first.n_excluded + n_seen_by_others,
        n_two_sided=_count_two_sided(evaluated),
    )


def _count_sources(items: Sequence[Item]) -> dict[str, tuple[int, int]]:
    counts: dict[str, tuple[int, int]] = {}
    for item in items:
        n_pre, n_post = counts.get(item.source, (0, 0))
        counts[item.source] = (n_pre + (item.label is Label.PRE), n_post + (item.label is Label.POST))
    return counts


def _count_two_sided(evaluated: Sequence[Item]) -> int:
    sides = [[item for item in evaluated if item.split is split] for split in (Split.VALIDATION, Split.TEST)]
    return _count_shared(*sides)


def _count_shared(evaluated: Sequence[Item], trained_on: Sequence[Item]) -> int:
    """Count the subjects of both."""
    return len(set(known_subjects(evaluated)) & set(known_subjects(trained_on)) - {""})
