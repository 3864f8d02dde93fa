"""What is too small to be a head, and what of real heads is small and is not."""

import numpy as np
import pytest

from gadoscope.imaging.extent import is_too_small
from gadoscope.imaging.volume import Geometry


def _geometry(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> Geometry:
    return Geometry(
        shape,
        np.array(
            [[0, 0, spacing_mm[2], 0], [0, spacing_mm[1], 0, 0], [spacing_mm[0], 0, 0, 0], [0, 0, 0, 1.0]]
        ),
    )


@pytest.mark.parametrize(
    ("what", "shape", "spacing_mm"),
    [
        ("a shoulder", (4, 64, 64), (4.0, 2.34, 2.34)),
        ("a wrist", (20, 256, 256), (3.0, 0.4, 0.4)),
        ("an ankle", (6, 320, 320), (3.5, 0.45, 0.45)),
        ("a mouse", (100, 256, 256), (0.1, 0.08, 0.08)),
        ("a rat", (24, 128, 128), (1.0, 0.25, 0.25)),
        ("a finger", (16, 256, 256), (2.0, 0.25, 0.25)),
        ("a joint of a few fine slices", (5, 320, 320), (3.5, 0.5, 0.5)),
        ("a joint in coarse pixels", (16, 64, 64), (1.0, 2.5, 2.5)),
    ],
)
def test_limbs_and_animals_are_too_small(
    what: str, shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]
) -> None:
    assert is_too_small(_geometry(shape, spacing_mm)), what


@pytest.mark.parametrize(
    ("what", "shape", "spacing_mm"),
    [
        ("a head", (24, 256, 256), (6.0, 0.9, 0.9)),
        ("three slices of a head", (3, 240, 240), (1.0, 0.99, 0.99)),
        ("a pituitary", (9, 256, 256), (3.0, 0.63, 0.63)),
        ("a pituitary in thin slices", (9, 256, 256), (2.0, 0.63, 0.63)),
        ("inner ears", (16, 256, 256), (1.0, 0.625, 0.625)),
        ("orbits", (16, 320, 320), (1.1, 0.5, 0.5)),
        ("a newborn's head", (22, 192, 192), (4.0, 0.78, 0.78)),
        ("a newborn's brain, cropped", (90, 130, 104), (1.0, 0.86, 0.86)),
        ("a brain, cropped", (130, 170, 140), (1.0, 1.0, 1.0)),
        ("one slice", (1, 64, 64), (4.0, 2.34, 2.34)),
        ("voxel sizes that were lost", (10, 64, 64), (5.0, 1.0, 1.0)),
    ],
)
def test_heads_are_not(
    what: str, shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]
) -> None:
    assert not is_too_small(_geometry(shape, spacing_mm)), what


def test_a_small_field_of_view_is_a_part_of_a_head_where_a_header_names_one_and_no_rodent() -> None:
    pituitary = _geometry((7, 256, 256), (2.0, 0.55, 0.55))
    assert is_too_small(pituitary)
    assert not is_too_small(pituitary, is_part=True)
    assert is_too_small(_geometry((24, 128, 128), (1.0, 0.25, 0.25)), is_part=True)
