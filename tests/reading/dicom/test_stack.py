"""Where slices lie: the order, the steps and what is missing, as highdicom finds them."""

from typing import Any

import numpy as np
import pytest
from highdicom.spatial import create_affine_matrix_from_attributes, get_volume_positions
from numpy.typing import NDArray

from gadoscope.reading.dicom.header import FrameHeader
from gadoscope.reading.dicom.stack import MISSING_SLICES, SPACING_TOLERANCE, build_stack

KINDS = ("even", "missing", "rounded", "jittered", "sheared", "uneven")


def place_slices(kind: str, generator: np.random.Generator) -> tuple[NDArray[np.float64], list[float]]:
    """Return positions, shape (n, 3), mm, and the orientation, of a stack that lies any way."""
    turn, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    along_row, along_column = turn[0], turn[1]
    normal = np.cross(along_row, along_column)
    gap = generator.uniform(0.8, 6)
    multiples = np.arange(generator.integers(3, 30), dtype=float)
    if kind == "missing":
        multiples = np.delete(multiples, generator.integers(1, len(multiples) - 1))
    if kind == "jittered":  # about the tolerance, on either side of it
        multiples = multiples + generator.uniform(-1, 1, len(multiples)) * SPACING_TOLERANCE
    if kind == "uneven":
        multiples = multiples + generator.uniform(-0.3, 0.3, len(multiples))
    positions = generator.uniform(-100, 100, 3) + multiples[:, None] * gap * normal
    if kind == "sheared":
        positions = positions + multiples[:, None] * generator.uniform(0.1, 1) * along_row
    digits = 3 if kind == "rounded" else 9
    return np.round(positions, digits), [*along_row, *along_column]


@pytest.mark.parametrize("kind", KINDS)
def test_slices_are_ordered_spaced_and_missed_as_highdicom_finds_them(kind: str) -> None:
    generator = np.random.default_rng(KINDS.index(kind))
    for _ in range(60):
        positions, orientation = place_slices(kind, generator)
        spacing_mm = tuple(generator.uniform(0.4, 2, 2))
        frames = [
            FrameHeader(
                rows=8,
                columns=9,
                orientation=tuple(orientation),
                position_mm=tuple(position),
                spacing_mm=spacing_mm,
                slice_spacing_mm=None,
                slice_thickness_mm=None,
            )
            for position in generator.permutation(positions)
        ]
        stack = build_stack(frames)
        asked: dict[str, Any] = {"rtol": SPACING_TOLERANCE, "handedness": "LEFT_HANDED"}
        spacing, places = get_volume_positions(positions.tolist(), orientation, **asked)
        if spacing is None:
            gaps = np.diff(positions @ np.cross(orientation[:3], orientation[3:]))
            asked |= {"allow_missing_positions": True, "spacing_hint": float(np.median(gaps))}
            spacing, places = get_volume_positions(positions.tolist(), orientation, **asked)
        assert (spacing is None) == any(warning != MISSING_SLICES for warning in stack.warnings)
        if spacing is not None and places is not None:
            assert np.linalg.norm(stack.geometry.affine[:3, 0]) == pytest.approx(spacing)
            filled = [place for place, index in enumerate(stack.order) if index is not None]
            assert filled == sorted(places)
        expected = create_affine_matrix_from_attributes(
            image_position=positions[0],
            image_orientation=orientation,
            pixel_spacing=spacing_mm,
            index_convention="DR",
            slices_first=True,
        )
        np.testing.assert_allclose(stack.geometry.affine[:3, 1:], expected[:3, 1:], atol=1e-9)
