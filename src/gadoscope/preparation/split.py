"""Divide labelled images into train and validation, and prove that no subject is on both sides.

What the data say is obeyed: an image that is labelled test stays there, and if any image is labelled
validation nothing is drawn. Otherwise a part of the training images (and of those whose split is not
said) becomes validation: by subject, or by file name exactly as Keras' `validation_split` does it.
"""

import hashlib
import math
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from gadoscope.errors import ConfigError, InputError, LeakError, ManifestError
from gadoscope.labels import Label, Split
from gadoscope.preparation.items import N_SHOWN, Item, Manifest, name_some, printable
from gadoscope.preparation.near_duplicates import group_near_duplicates, hash_slice
from gadoscope.preparation.pool import map_in_order
from gadoscope.reading.images import read_slice

Method = Literal["keras", "subject"]
METHODS: tuple[Method, ...] = ("keras", "subject")
_Stratum = tuple[Label, str]  # label and source: both parts should hold the same mixture of them


def split_manifest(manifest: Manifest, *, method: Method, validation_fraction: float, seed: int) -> Manifest:
    """Return the manifest with a split for every image.

    Parameters
    ----------
    method
        ``subject``: whole subjects, the mixture of labels and sources kept, whatever the rows' order;
        where subjects are unknown, groups of near-duplicates take their place.
        ``keras``: of each class the first images by file name; the seed is not used.
    validation_fraction
        Share of the images that may become validation, above 0 and below 1.

    Raises
    ------
    ConfigError
        If the method or the fraction is none that is known.
    ManifestError
        If a class would be missing in train or in validation.
    """
    _check_settings(method, validation_fraction)
    notices = list(manifest.notices)
    chosen: set[Path] = set()
    pool = [item for item in manifest.items if item.split in (None, Split.TRAIN)]
    if manifest.with_split(Split.VALIDATION):
        n_unsaid = sum(item.split is None for item in manifest.items)
        if n_unsaid:
            notices.append(f"{n_unsaid} images had no split and were put into train: others say validation.")
    elif method == "keras":
        chosen = _choose_as_keras(pool, validation_fraction)
    else:
        chosen = _choose_subjects(pool, _name_subjects(manifest, notices), validation_fraction, seed)
    items = tuple(
        replace(item, split=Split.VALIDATION if item.path in chosen else item.split or Split.TRAIN)
        for item in manifest.items
    )
    divided = replace(manifest, items=items, notices=tuple(notices))
    _check_classes(divided, validation_fraction)
    return divided


def check_leaks(manifest: Manifest) -> None:
    """Check that no subject, and no image file, is in two parts of the data.

    Raises
    ------
    LeakError
        Counts what is on two sides and names the first files.
    """
    subjects = {item.path: item.subject_id for item in manifest.items}
    contents = {item.path: item.extra.get("sha256") for item in manifest.items}
    for thing, keys in (("subject", subjects), ("image file", contents)):
        sides: dict[str, dict[Split, Item]] = defaultdict(dict)
        for item in manifest.items:
            key = keys[item.path]
            if key is not None and item.split is not None:
                sides[key].setdefault(item.split, item)
        leaks = [list(firsts.items()) for firsts in sides.values() if len(firsts) > 1]
        if leaks:
            shown = "; ".join(
                " and ".join(f"{printable(item.path)} ({split})" for split, item in leak)
                for leak in leaks[:N_SHOWN]
            )
            raise LeakError(
                f"on two sides of the split: {len(leaks)} of {len(sides)} {thing}s, such as {shown}. "
                "Use `--set split.method=subject`, or correct the splits that the data themselves state."
            )


def _check_settings(method: str, fraction: float) -> None:
    if method not in METHODS:
        raise ConfigError(f"split.method = {method!r}; expected {' or '.join(METHODS)}.")
    if not 0 < fraction < 1:
        raise ConfigError(f"split.validation_fraction = {fraction!r}; expected above 0, below 1.")


def _choose_as_keras(pool: Sequence[Item], fraction: float) -> set[Path]:
    """Choose as Keras' `flow_from_directory(subset="validation")` with ``validation_split=fraction``.

    References
    ----------
    keras 3.15, legacy/preprocessing/image.py: _list_valid_filenames_in_directory
    """
    chosen: set[Path] = set()
    for label in Label:
        files = sorted(
            (item.path for item in pool if item.label is label),
            key=lambda path: (os.fspath(path.parent), path.name),
        )
        chosen.update(files[: int(fraction * len(files))])
    return chosen


def _name_subjects(manifest: Manifest, notices: list[str]) -> dict[Path, str]:
    """Return each image's subject; where it is unknown, a name for its group of near-duplicates."""
    unknown = [item for item in manifest.items if item.subject_id is None]
    subjects = {item.path: f"subject {item.subject_id}" for item in manifest.items}
    if not unknown:
        return subjects
    folder = manifest.origin if manifest.origin.is_dir() else manifest.origin.parent
    # By name relative to the data, so that neither the rows' order nor a moved folder changes the draw.
    unknown.sort(key=lambda item: os.path.relpath(item.path, folder))
    groups = group_near_duplicates(np.array(list(map_in_order(_hash_item, unknown, 0)), dtype=np.uint64))
    for item, group in zip(unknown, groups, strict=True):
        subjects[item.path] = f"like {os.path.relpath(unknown[group].path, folder)}"
    notices.append(
        f"the subjects of {len(unknown)} images are unknown: {len(set(groups.tolist()))} groups of "
        "near-duplicates stood in for them. That keeps copies of an image on one side, but not the "
        "slices of one person, so figures may be better than they are on new people."
    )
    n_seen = _count_seen_in_test(unknown, subjects)
    if n_seen:
        notices.append(f"{n_seen} test images are near-duplicates of images outside the test part.")
    return subjects


def _hash_item(item: Item) -> np.uint64:
    try:
        return hash_slice(read_slice(item.path).pixels)
    except InputError:
        # The preparation names every unreadable image; here it only must not end up beside others.
        digest = hashlib.sha256(os.fsencode(item.path)).digest()
        return np.uint64(int.from_bytes(digest[:8]))


def _count_seen_in_test(items: Sequence[Item], groups: Mapping[Path, str]) -> int:
    outside = {groups[item.path] for item in items if item.split is not Split.TEST}
    return sum(groups[item.path] in outside for item in items if item.split is Split.TEST)


def _choose_subjects(
    pool: Sequence[Item], subjects: Mapping[Path, str], fraction: float, seed: int
) -> set[Path]:
    """Draw whole subjects until validation holds about ``fraction`` of each label and source.

    Subjects come in an order drawn from the seed; each is taken if that brings the counts nearer to
    what is wanted (sum of squares, relative to each stratum's size). The order is a hash of seed and
    name, so it is the same on every machine and with every version of every library.
    """
    strata: dict[str, Counter[_Stratum]] = defaultdict(Counter)
    for item in pool:
        strata[subjects[item.path]][item.label, item.source] += 1
    totals = Counter(stratum for counts in strata.values() for stratum in counts.elements())
    order = sorted(
        strata, key=lambda name: hashlib.sha256(f"{seed} {name}".encode("utf-8", "surrogateescape")).digest()
    )
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


def _complete_classes(taken: set[str], strata: Mapping[str, Counter[_Stratum]], order: Sequence[str]) -> None:
    """If few large subjects left a class out of one part, move the smallest that holds it there."""
    for label in (Label.PRE, Label.POST):
        holders = [name for name in order if any(its_label is label for its_label, _ in strata[name])]
        holders.sort(key=lambda name: strata[name].total())
        if len(holders) > 1 and taken.isdisjoint(holders):
            taken.add(holders[0])
        elif len(holders) > 1 and taken.issuperset(holders):
            taken.discard(holders[0])


def _check_classes(manifest: Manifest, fraction: float) -> None:
    for label in (Label.PRE, Label.POST):
        for split in (Split.TRAIN, Split.VALIDATION):
            if not any(item.label is label for item in manifest.with_split(split)):
                held = [item.path for item in manifest.items if item.label is label]
                raise ManifestError(
                    f"the {split} part of {printable(manifest.origin)} has no {label}-contrast image "
                    f"(there are {len(held)} in all{': ' + name_some(held) if held else ''}); "
                    f"add images or subjects, or change split.validation_fraction = {fraction:g}."
                )
