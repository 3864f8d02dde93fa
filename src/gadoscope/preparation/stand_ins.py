"""What stands in for subjects that nobody named, so that a split keeps copies of one picture together."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from gadoscope.errors import InputError
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.labels import Split
from gadoscope.parallel import map_in_order
from gadoscope.preparation.copies.groups import Look, group_alike, look_at, look_at_nothing
from gadoscope.preparation.items import Item, Manifest
from gadoscope.preparation.slices import read_item
from gadoscope.preparation.subjects import name_subjects


def name_for_split(manifest: Manifest, notices: list[str]) -> dict[Path, str]:
    """Return each image's subject; where it is unknown, a name for its group of near-duplicates.

    What the user must know is appended to ``notices``.
    """
    items = manifest.items
    unknown = [item for item in items if not item.subject_id]
    alike = _name_alike(unknown, manifest.origin) if unknown else {}
    names = name_subjects([item.subject_id for item in items], [alike.get(item.path, "") for item in items])
    subjects = {item.path: name for item, name in zip(items, names, strict=True)}
    if not unknown:
        return subjects
    notices.append(
        f"the subjects of {len(unknown)} images are unknown: {len(set(alike.values()))} groups of "
        "near-duplicates stood in for them. That keeps copies of an image on one side, but not the "
        "slices of one person, so figures may be better than they are on new people."
    )
    n_seen = _count_seen_in_test(unknown, subjects)
    if n_seen:
        notices.append(f"{n_seen} test images are near-duplicates of images outside the test part.")
    return subjects


def _name_alike(unknown: Sequence[Item], origin: Path) -> dict[Path, str]:
    """Return a name for the group of near-duplicates that each image is in."""
    folder = origin if origin.is_dir() else origin.parent
    # By name relative to the data, so that neither the rows' order nor a moved folder changes the draw.
    ordered = sorted(unknown, key=lambda item: os.path.relpath(item.path, folder))
    groups = group_alike(list(map_in_order(_look_at, ordered, 0)))
    return {
        item.path: f"like {os.path.relpath(ordered[group].path, folder)}"
        for item, group in zip(ordered, groups, strict=True)
    }


def _look_at(item: Item) -> Look:
    """Return what is kept of an image, or of the middle one of the slices of a scan."""
    try:
        pixels = read_item(item, SlicePolicy()).pixels
    except InputError:
        # The preparation names every unreadable image; here it only must not end up beside others.
        return look_at_nothing(hashlib.sha256(os.fsencode(item.path)).digest())
    return look_at(pixels[len(pixels) // 2])


def _count_seen_in_test(items: Sequence[Item], groups: Mapping[Path, str]) -> int:
    outside = {groups[item.path] for item in items if item.split is not Split.TEST}
    return sum(groups[item.path] in outside for item in items if item.split is Split.TEST)
