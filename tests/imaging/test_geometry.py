"""Planes and the way up, by the affine alone."""

import numpy as np
import pytest

from gadoscope.imaging.geometry import PLANES, VIEWS, Upright, find_closest_plane, find_plane, find_upright
from gadoscope.labels import Plane
from gadoscope.phantom.physics.acquire import DIRECTIONS
from tests.support.volumes import UPRIGHT, random_rotations, rotation

NORMALS = {Plane.SAGITTAL: (1.0, 0.0, 0.0), Plane.CORONAL: (0.0, 1.0, 0.0), Plane.AXIAL: (0.0, 0.0, 1.0)}


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("sense", [1, -1])
@pytest.mark.parametrize("degrees", [0, 5, 20, 44.9, 45])
def test_slices_up_to_45_degrees_off_belong_to_the_closest_plane(
    plane: Plane, sense: int, degrees: float
) -> None:
    normal = np.array(NORMALS[plane])
    axis = np.roll(normal, 1) + 0.3 * np.roll(normal, 2)  # perpendicular, and along no axis of the patient
    found, angle_deg = find_closest_plane(7 * sense * rotation(axis, degrees) @ normal)
    assert found is plane
    assert angle_deg == pytest.approx(degrees, abs=1e-5)
    assert find_plane(rotation(axis, degrees) @ normal) is plane


def test_slices_further_than_45_degrees_from_all_planes_belong_to_none() -> None:
    diagonal = np.ones(3)
    assert find_plane(diagonal) is Plane.UNKNOWN
    assert find_closest_plane(diagonal)[1] == pytest.approx(54.7356, abs=1e-4)


def test_two_planes_equally_close_are_told_apart_by_no_last_bit() -> None:
    between = np.array([np.cos(np.pi / 4), np.sin(np.pi / 4), 0.0])
    found = {find_plane(between + error * np.array([1, -1, 0])) for error in (-1e-12, 0, 1e-12)}
    assert found == {Plane.SAGITTAL}


@pytest.mark.parametrize("plane", PLANES)
def test_the_views_are_those_of_the_phantoms_scanner(plane: Plane) -> None:
    right, down, through = DIRECTIONS[plane]
    np.testing.assert_array_equal(VIEWS[plane].right, right)
    np.testing.assert_array_equal(VIEWS[plane].down, down)
    np.testing.assert_array_equal(VIEWS[plane].through, through)


@pytest.mark.parametrize("plane", PLANES)
def test_a_slice_that_is_upright_is_not_touched(plane: Plane) -> None:
    _, down, right = UPRIGHT[plane].T
    assert find_upright(down, right, plane) == Upright(False, False, False)


def test_the_transpose_comes_before_the_flips() -> None:
    pixels = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    turned = Upright(transpose=True, flip_rows=True, flip_columns=False).apply(pixels)
    np.testing.assert_array_equal(turned[0], [[2, 5], [1, 4], [0, 3]])


def test_no_slice_however_oblique_is_ever_mirrored() -> None:
    for turned in random_rotations(500):
        _, along_rows, along_columns = turned.T
        plane, _ = find_closest_plane(np.cross(along_columns, along_rows))
        upright = find_upright(along_rows, along_columns, plane)
        down, right = (along_columns, along_rows) if upright.transpose else (along_rows, along_columns)
        down, right = down * (-1) ** upright.flip_rows, right * (-1) ** upright.flip_columns
        # Seen from the side that a radiologist sees it from, and turned by 45 degrees at most.
        assert np.cross(right, down) @ VIEWS[plane].through > 0
        assert down @ VIEWS[plane].down + right @ VIEWS[plane].right >= 1
