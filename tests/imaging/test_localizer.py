"""Which slices are a localizer by where they lie, and which are not."""

import pytest

from gadoscope.imaging.localizer import StackExtent, is_localizer, is_scout
from gadoscope.labels import Plane

SAGITTAL, AXIAL, CORONAL = Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL


@pytest.mark.parametrize(
    ("stacks", "expected"),
    [
        ([StackExtent(plane, 15, 5.0) for plane in (SAGITTAL, AXIAL, CORONAL)], True),
        ([StackExtent(plane, 16, 5.0) for plane in (SAGITTAL, AXIAL, CORONAL)], False),
        ([StackExtent(SAGITTAL, 3, 20.0), StackExtent(AXIAL, 3, 10.0)], True),
        ([StackExtent(SAGITTAL, 1), StackExtent(AXIAL, 9, 10.0)], True),
        ([StackExtent(SAGITTAL, 3, 20.0), StackExtent(AXIAL, 3, 9.9)], False),
        ([StackExtent(SAGITTAL, 3, 20.0), StackExtent(AXIAL, 10, 12.0)], False),
        ([StackExtent(SAGITTAL, 3, 20.0), StackExtent(SAGITTAL, 3, 20.0)], False),
        ([StackExtent(SAGITTAL, 1), StackExtent(Plane.UNKNOWN, 1)], False),
    ],
)
def test_few_slices_in_three_planes_or_far_apart_in_two_are_a_localizer(
    stacks: list[StackExtent], expected: bool
) -> None:
    assert is_localizer(stacks) is expected


@pytest.mark.parametrize(
    ("n_slices", "distance_mm", "thickness_mm", "expected"),
    [
        (3, 20.0, 8.0, True),
        (5, 10.0, 5.0, True),
        (3, 15.0, 8.0, False),  # the gap is narrower than a slice
        (6, 20.0, 8.0, False),
        (2, 20.0, 8.0, False),
        (3, 20.0, 1.4, False),  # thin ones, chosen from a volume
        (3, 9.3, 4.6, False),
    ],
)
def test_a_lone_plane_is_a_localizer_where_its_gaps_are_as_wide_as_its_thick_slices(
    n_slices: int, distance_mm: float, thickness_mm: float, expected: bool
) -> None:
    assert is_scout(n_slices, distance_mm, thickness_mm) is expected
