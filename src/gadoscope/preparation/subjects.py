"""Who is on which image: the subject that the data name, or a group of near-duplicates in its place."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gadoscope.errors import InputError
from gadoscope.labels import Label, Split
from gadoscope.parallel import map_in_order
from gadoscope.preparation.items import Item, Manifest
from gadoscope.preparation.near_duplicates import group_near_duplicates, hash_slice
from gadoscope.reading.images import read_slice


def name_subjects(manifest: Manifest, notices: list[str]) -> dict[Path, str]:
    """Return each image's subject; where it is unknown, a name for its group of near-duplicates.

    One id under two sources is one subject here: keeping two people together costs nothing, one
    person on two sides would be a leak. What the user must know is appended to ``notices``.
    """
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
