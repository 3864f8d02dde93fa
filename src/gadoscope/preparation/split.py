"""Divide labelled images into train, validation and test, and prove that no subject is on two sides.

What the data call test stays test. Where they name none, ``test_fraction`` takes whole subjects for it, the
same ones whatever the seed: no run is judged by what another one with another seed learnt. By ``subject`` and
``keras`` a part of the rest becomes validation, unless the data state one. By ``kfold`` one fold of the
rest is validation, whatever the data state: so each image is looked at once by a network that has not seen
its subject. By ``leave_source_out`` one source is test: so a network is judged on a hospital that neither its
weights nor its threshold know.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Literal

from gadoscope.errors import ConfigError, LeakError, ManifestError
from gadoscope.labels import Label, Split
from gadoscope.preparation.items import Item, Manifest
from gadoscope.preparation.stand_ins import name_for_split
from gadoscope.preparation.stratified import deal_subjects, draw_subjects
from gadoscope.preparation.subjects import known_subjects
from gadoscope.wording import N_SHOWN, name_some, plural, show_path

Method = Literal["keras", "subject", "kfold", "leave_source_out"]
METHODS: tuple[Method, ...] = ("keras", "subject", "kfold", "leave_source_out")

DEFAULT_FRACTION = 0.2
"""Of the training images, for validation; the lesson's."""
DEFAULT_FOLDS = 5
TEST_SEED = 0
"""Of the draw of the test part: not the run's, which changes from one run to the next."""
MIN_FOLDS = 2
"""One to look at, and one to learn from."""


def split_manifest(
    manifest: Manifest,
    *,
    method: Method,
    seed: int,
    validation_fraction: float = DEFAULT_FRACTION,
    test_fraction: float = 0.0,
    folds: int = DEFAULT_FOLDS,
    fold: int = 1,
    source: str = "",
) -> Manifest:
    """Return the manifest with a split for every image.

    Parameters
    ----------
    method
        ``subject``: whole subjects, the mixture of labels, planes and sources kept, whatever the rows'
        order; where subjects are unknown, groups of near-duplicates take their place.
        ``keras``: of each class the first images by file name; the seed is not used.
        ``kfold``: fold ``fold`` of ``folds`` is validation, of whole subjects as above.
        ``leave_source_out``: ``source`` is test, with every subject of it; validation is drawn from the
        other sources by subject.
    validation_fraction
        Share of the images that may become validation, above 0 and below 1; not for ``kfold``.
    test_fraction
        Share of the images that becomes test, by whole subjects, before anything else; 0 for none.
    folds, fold
        How many, at least 2; and which, from 1.
    source
        A source of the data.

    Raises
    ------
    ConfigError
        If a setting is none that is known, or does not fit the data.
    ManifestError
        If a class would be missing in train or in validation.
    """
    _check_settings(method, validation_fraction, folds, fold)
    notices = list(manifest.notices)
    subjects = None
    n_stated = len(manifest.with_split(Split.TEST))
    if test_fraction and n_stated:
        notices.append(
            f"the data say of {plural(n_stated, 'image')} that they are test: split.test_fraction adds none."
        )
    elif test_fraction:
        subjects = name_for_split(manifest, notices)
        manifest = _draw_test(manifest, subjects, test_fraction)
    if method == "kfold":
        subjects = subjects or name_for_split(manifest, notices)
        items = _hold_out_fold(manifest, subjects, notices, folds=folds, fold=fold, seed=seed)
        remedy = f"split.folds = {folds}"
    else:
        remedy = f"split.validation_fraction = {validation_fraction:g}"
        if method == "leave_source_out":
            subjects = subjects or name_for_split(manifest, notices)
            manifest = _hold_out_source(manifest, source, subjects, notices)
        items = _draw_validation(manifest, method, validation_fraction, seed, subjects, notices)
    divided = replace(manifest, items=items, notices=tuple(notices))
    _check_classes(divided, remedy)
    return divided


def list_sources(manifest: Manifest) -> list[str]:
    """Return the sources that can be left out in turn, by name: those of the images that are not test."""
    return sorted({item.source for item in _find_pool(manifest)})


def check_leaks(manifest: Manifest) -> None:
    """Check that no subject, and no image file, is in two parts of the data.

    Raises
    ------
    LeakError
        Counts what is on two sides and names the first files.
    """
    items = manifest.items
    subjects = known_subjects(items)
    contents = [item.extra.get("sha256", "") for item in items]
    for thing, keys in (("subject", subjects), ("image file", contents)):
        sides: dict[str, dict[Split, Item]] = defaultdict(dict)
        for item, key in zip(items, keys, strict=True):
            if key and item.split is not None:
                sides[key].setdefault(item.split, item)
        leaks = [list(firsts.items()) for firsts in sides.values() if len(firsts) > 1]
        if leaks:
            shown = "; ".join(
                " and ".join(f"{show_path(item.path)} ({split})" for split, item in leak)
                for leak in leaks[:N_SHOWN]
            )
            raise LeakError(
                f"on two sides of the split: {len(leaks)} of {len(sides)} {thing}s, such as {shown}. "
                "Use `--set split.method=subject`, or correct the splits that the data themselves state."
            )


def _check_settings(method: str, fraction: float, folds: int, fold: int) -> None:
    if method not in METHODS:
        raise ConfigError(f"split.method = {method!r}; expected {' or '.join(METHODS)}.")
    if not 0 < fraction < 1:
        raise ConfigError(f"split.validation_fraction = {fraction!r}; expected above 0, below 1.")
    if folds < MIN_FOLDS:
        raise ConfigError(f"split.folds = {folds}; expected {MIN_FOLDS} or more.")
    if not 1 <= fold <= folds:
        raise ConfigError(f"split.fold = {fold}; expected 1 to split.folds = {folds}.")


def _find_pool(manifest: Manifest) -> list[Item]:
    """Return the images that may change their side: all but test."""
    return [item for item in manifest.items if item.split is not Split.TEST]


def _place(items: Sequence[Item], validation: Collection[Path]) -> tuple[Item, ...]:
    """Return the items, test as it is, with ``validation`` as that and everything else as train."""
    return tuple(
        item
        if item.split is Split.TEST
        else replace(item, split=Split.VALIDATION if item.path in validation else Split.TRAIN)
        for item in items
    )


def _draw_validation(
    manifest: Manifest,
    method: Method,
    fraction: float,
    seed: int,
    subjects: Mapping[Path, str] | None,
    notices: list[str],
) -> tuple[Item, ...]:
    """Draw a part of the training images, unless the data state which images validate."""
    pool = _find_pool(manifest)
    stated = {item.path for item in pool if item.split is Split.VALIDATION}
    if stated:
        n_unsaid = sum(item.split is None for item in pool)
        if n_unsaid:
            notices.append(f"{n_unsaid} images had no split and were put into train: others say validation.")
        return _place(manifest.items, stated)
    if method == "keras":
        return _place(manifest.items, _choose_as_keras(pool, fraction))
    subjects = subjects or name_for_split(manifest, notices)
    return _place(manifest.items, draw_subjects(pool, subjects, fraction, seed))


def _draw_test(manifest: Manifest, subjects: Mapping[Path, str], fraction: float) -> Manifest:
    """Make whole subjects test, of the images that the data do not call validation."""
    pool = [item for item in manifest.items if item.split is not Split.VALIDATION]
    taken = draw_subjects(pool, subjects, fraction, TEST_SEED)
    items = tuple(replace(item, split=Split.TEST) if item.path in taken else item for item in manifest.items)
    for label in (Label.PRE, Label.POST):
        sides = {item.split for item in items if item.label is label}
        if sides and Split.TEST not in sides:  # where there is none at all, training says so
            raise ManifestError(
                f"split.test_fraction = {fraction:g} gives {show_path(manifest.origin)} no {label}-contrast "
                "image to test on: too few subjects have one. Add subjects, or leave test_fraction at 0."
            )
    return replace(manifest, items=items)


def _hold_out_fold(
    manifest: Manifest,
    subjects: Mapping[Path, str],
    notices: list[str],
    *,
    folds: int,
    fold: int,
    seed: int,
) -> tuple[Item, ...]:
    """Make one fold validation, after checking that every fold holds both classes."""
    pool = _find_pool(manifest)
    n_stated = sum(item.split is Split.VALIDATION for item in pool)
    if n_stated:
        notices.append(
            f"{n_stated} images that the data call validation were dealt into folds with the rest."
        )
    fold_of = deal_subjects(pool, subjects, folds, seed)
    held = {(fold_of[item.path], item.label) for item in pool}
    needed = product(range(folds), (Label.PRE, Label.POST))
    missing = [one for one in needed if one not in held]
    if missing:
        number, label = missing[0]
        raise ManifestError(
            f"fold {number + 1} of {folds} of {show_path(manifest.origin)} has no {label}-contrast image: "
            f"too few subjects have one. Ask for fewer folds than split.folds = {folds}."
        )
    return _place(manifest.items, {path for path, number in fold_of.items() if number == fold - 1})


def _hold_out_source(
    manifest: Manifest, source: str, subjects: Mapping[Path, str], notices: list[str]
) -> Manifest:
    """Make one source test, and with it whatever shows a subject of it (or a copy) under another name."""
    sources = list_sources(manifest)
    if source not in sources or len(sources) == 1:
        raise ConfigError(
            f"split.source = {source!r}; expected one of the {len(sources)} sources of "
            f"{show_path(manifest.origin)} that are not test: {', '.join(sources)}. "
            "Leaving one out needs two."
        )
    theirs = {subjects[item.path] for item in manifest.items if item.source == source}
    n_along = sum(subjects[item.path] in theirs and item.source != source for item in _find_pool(manifest))
    if n_along:
        notices.append(
            f"{n_along} images of other sources were left out of training with {source}: they show one of "
            "its subjects, or a copy of one of its images."
        )
    items = tuple(
        replace(item, split=Split.TEST) if subjects[item.path] in theirs else item for item in manifest.items
    )
    return replace(manifest, items=items)


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


def _check_classes(manifest: Manifest, remedy: str) -> None:
    for label in (Label.PRE, Label.POST):
        for split in (Split.TRAIN, Split.VALIDATION):
            if not any(item.label is label for item in manifest.with_split(split)):
                held = [item.path for item in manifest.items if item.label is label]
                way = f"add images or subjects, or change {remedy}" if held else f"add {label}-contrast ones"
                raise ManifestError(
                    f"the {split} part of {show_path(manifest.origin)} has no {label}-contrast image "
                    f"(there are {len(held)} in all{': ' + name_some(held) if held else ''}); a network "
                    f"learns and is judged by both phases: {way}."
                )


def digest_split(manifest: Manifest) -> str:
    """Return the SHA-256 of each image's content, label and side, whatever the order of the rows.

    An image is known by the SHA-256 of its file, so that moving the folder changes nothing; where that
    is unknown, by its name.
    """
    lines = sorted(
        f"{item.extra.get('sha256') or show_path(item.path)} {item.label} {item.split or ''}"
        for item in manifest.items
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check_split(manifest: Manifest, recorded: str) -> None:
    """Check that nobody changed the sides after they were recorded.

    Raises
    ------
    LeakError
        If an image was moved, added, removed or labelled anew.
    """
    present = digest_split(manifest)
    if present != recorded:
        raise LeakError(
            f"{show_path(manifest.origin)} is not the split that was trained with: its digest is "
            f"{present[:8]}, and {recorded[:8]} was recorded. An image was moved to another side, added, "
            "removed or labelled anew; put the file back as it was, or train again."
        )
