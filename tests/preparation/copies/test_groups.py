"""What a split keeps together where nobody is named: all that an audit of the same images calls copies."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.inspection.copies import group_copies
from gadoscope.inspection.measure import Measurement, measure_items
from gadoscope.preparation.copies.groups import group_alike, look_at, look_at_nothing
from gadoscope.preparation.manifest import read_manifest
from gadoscope.preparation.near_duplicates import group_near_duplicates
from gadoscope.preparation.stand_ins import name_for_split
from tests.support.heads import head_slices

STEP = 6
"""Of the slices of all heads: neighbours are no copies, but these are further apart still."""


def originals() -> list[NDArray[np.uint8]]:
    return list(head_slices().values())[::STEP]


def cut(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the slice without a tenth of each side, as a screenshot shows it."""
    rows, columns = (side // 10 for side in pixels.shape)
    return pixels[rows:-rows, columns:-columns]


def test_a_copy_whose_borders_were_cut_goes_with_its_original() -> None:
    wholes = originals()
    looks = [look_at(pixels) for pixels in [*wholes, *map(cut, wholes)]]

    by_hash = group_near_duplicates(np.array([look.hash for look in looks], dtype=np.uint64))
    assert (by_hash[len(wholes) :] != by_hash[: len(wholes)]).any(), "the hash alone parts some"
    groups = group_alike(looks)
    assert np.array_equal(groups[len(wholes) :], groups[: len(wholes)])


def test_nothing_goes_with_what_cannot_be_read() -> None:
    looks = [look_at(originals()[0]), look_at_nothing(b"12345678"), look_at_nothing(b"87654321")]

    assert group_alike(looks).tolist() == [0, 1, 2]
    assert group_alike(looks[:1]).tolist() == [0]


def test_what_the_audit_calls_copies_a_split_keeps_together(tmp_path: Path) -> None:
    for number, pixels in enumerate(originals()):
        for place, name, picture in (("no_gad", "a", pixels), ("with_gad", "z", cut(pixels))):
            (tmp_path / place).mkdir(exist_ok=True)
            Image.fromarray(picture).save(tmp_path / place / f"{name}{number}.png")
    manifest = read_manifest(tmp_path)
    measured = {
        index: one
        for index, one in enumerate(measure_items(manifest.items).results)
        if isinstance(one, Measurement)
    }
    copies = group_copies(manifest.items, measured)
    assert copies

    names = name_for_split(manifest, [])
    for group in copies:
        assert len({names[manifest.items[index].path] for index in group.members}) == 1
