"""Blocks of neighbours by name stand in for subjects that nobody named."""

from pathlib import Path

import numpy as np

from gadoscope.preparation.name_blocks import BLOCKS_A_FOLDER, number_blocks


def test_the_slices_of_a_head_are_seldom_cut_in_two() -> None:
    paths = [Path(f"pre/sub-{head}_{slice_}.png") for head in range(60) for slice_ in (2, 10, 1, 9)]
    block = number_blocks(paths)
    assert np.unique(block).size == BLOCKS_A_FOLDER
    heads = block.reshape(60, 4)
    assert (heads == heads[:, :1]).all()


def test_numbers_in_names_are_in_their_order_and_folders_apart() -> None:
    paths = [Path(f"{folder}/img{number}.png") for folder in ("pre", "post") for number in range(1, 21)]
    block = number_blocks(paths)
    assert (np.diff(block) >= 0).all()
    assert not set(block[:20]) & set(block[20:])


def test_few_images_are_blocks_of_their_own() -> None:
    assert np.unique(number_blocks([Path(f"{number}.png") for number in range(7)])).size == 7
