"""Which slices of a volume the network reads: upright, with square pixels, in 256 greys."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import RefusedError
from gadoscope.imaging.geometry import OBLIQUE_TOLERANCE_DEG, PLANES, find_closest_plane
from gadoscope.imaging.reformat import reformat
from gadoscope.imaging.stack import Picked, read_stack
from gadoscope.imaging.volume import Geometry, LazyVolume, check_size
from gadoscope.imaging.window import find_limits, to_grey
from gadoscope.labels import Plane

MAX_SLICES = 512
"""More slices of one plane than any volume has; a larger number is a typing error."""

OBLIQUE = "the slices are far from any of the three planes: read as the closest one"
BLANK_LEFT_OUT = "some slices have the same value everywhere: left out"
WINDOW_IGNORED = "the window in the file does not fit its values: percentiles were used"
REFORMATTED = "{} slices were computed from the volume, which was acquired in another plane"


@dataclass(frozen=True, kw_only=True)
class SlicePolicy:
    """Which slices a network reads; part of its bundle.

    Parameters
    ----------
    planes
        Planes that the network reads; empty: any.
    n_slices
        Slices of each plane, evenly inside the middle of the stack; fewer where it has fewer.
    extent
        That middle, as a part of the whole stack: above 0, at most 1.
    volume_planes
        Planes read of a 3-D volume, computed from it where it was acquired in another; empty: its own
        plane if that is among ``planes``, else the first of ``planes``.

    Raises
    ------
    ValueError
        If a value is not one of those expected.
    """

    planes: tuple[Plane, ...] = ()
    n_slices: int = 5
    extent: float = 0.2
    volume_planes: tuple[Plane, ...] = ()

    def __post_init__(self) -> None:
        for name in ("planes", "volume_planes"):
            planes = getattr(self, name)
            if len(set(planes)) < len(planes) or not set(planes) <= set(PLANES):
                raise ValueError(
                    f"{name} = {list(map(str, planes))}; expected {', '.join(PLANES)}, each once at most."
                )
        if self.planes and not set(self.volume_planes) <= set(self.planes):
            raise ValueError(
                f"volume_planes = {list(map(str, self.volume_planes))}; expected some of the planes, "
                f"{list(map(str, self.planes))}."
            )
        if type(self.n_slices) is not int or not 1 <= self.n_slices <= MAX_SLICES:
            raise ValueError(f"n_slices = {self.n_slices!r}; expected a whole number, 1 to {MAX_SLICES}.")
        if type(self.extent) not in {int, float} or not 0 < self.extent <= 1:
            raise ValueError(f"extent = {self.extent!r}; expected a number above 0, at most 1.")

    def choose_indices(self, n_slices: int) -> list[int]:
        """Return the slices to read of a stack of ``n_slices``: growing, each once, at least one."""
        middle = self.extent * n_slices
        first = (n_slices - middle) / 2
        centres = (first + middle * (k + 0.5) / self.n_slices for k in range(self.n_slices))
        return list(dict.fromkeys(min(int(centre), n_slices - 1) for centre in centres))


@dataclass(frozen=True, eq=False)
class ChosenSlices:
    """What the network is to see of a volume.

    Attributes
    ----------
    pixels
        Upright slices with square pixels, 0..255, each uint8 (row, column). Of one plane they are in the
        order of DICOM's slice normal: from the patient's left to the right, from feet to head, from
        front to back.
    plane
        Plane in which the volume was acquired; ``UNKNOWN`` if more than 45 degrees from all three.
    n_slices
        Slices of the volume.
    warnings
        Repairs, one sentence each, without values of this file.
    """

    pixels: tuple[NDArray[np.uint8], ...]
    plane: Plane
    n_slices: int
    warnings: tuple[str, ...]


def choose_slices(volume: LazyVolume, policy: SlicePolicy) -> ChosenSlices:
    """Decode the slices that ``policy`` asks for, and no others, and make them upright and grey.

    A stack of slices is read in its own plane. Of a 3-D volume, slices in other planes can be computed
    from the affine. Black and white are found once, over all chosen slices.

    Raises
    ------
    RefusedError
        ``plane_not_supported``, ``too_small``, ``too_large``: before anything is decoded; ``blank``.
    InputError
        As ``volume.read_slices`` raises it, if not one slice can be decoded.
    """
    geometry = volume.geometry
    check_size(*geometry.shape[1:])
    picked = _pick(volume, find_planes(geometry, policy), policy)
    notes = [note for part in picked for note in part.warnings]
    stacks = _leave_out_blank([part.voxels for part in picked], notes)
    low, high = _find_limits(volume, stacks, notes)
    return ChosenSlices(
        pixels=tuple(pixels for stack in stacks for pixels in to_grey(stack, low, high)),
        plane=geometry.plane,
        n_slices=geometry.shape[0],
        warnings=tuple(dict.fromkeys((*volume.warnings, *notes))),
    )


def find_planes(geometry: Geometry, policy: SlicePolicy) -> tuple[Plane | None, ...]:
    """Return the planes to read; ``None`` is the volume's own, whatever that is.

    Raises
    ------
    RefusedError
        ``plane_not_supported``.
    """
    own = geometry.plane
    if geometry.is_three_dimensional:
        if policy.volume_planes:
            return tuple(None if plane is own else plane for plane in policy.volume_planes)
        return (None,) if not policy.planes or own in policy.planes else policy.planes[:1]
    if not policy.planes or own in policy.planes:
        return (None,)
    what = "in none of the three planes" if own is Plane.UNKNOWN else str(own)
    raise RefusedError(
        "plane_not_supported",
        f"these {geometry.shape[0]} slices, {geometry.spacing_mm[0]:.3g} mm apart, are {what}; this model "
        f"reads {' and '.join(policy.planes)} slices, or 3-D volumes: classify such a series of the study.",
    )


def _pick(volume: LazyVolume, planes: Sequence[Plane | None], policy: SlicePolicy) -> list[Picked]:
    """Read or compute the slices of each plane; ``None`` is the volume's own."""
    others = [plane for plane in planes if plane is not None]
    computed = (
        dict(zip(others, reformat(volume, others, policy.choose_indices), strict=True)) if others else {}
    )
    picked = []
    for plane in planes:
        if plane is None:
            part = read_stack(volume, policy.choose_indices)
            _, angle_deg = find_closest_plane(volume.geometry.normal)
            note = OBLIQUE if angle_deg > OBLIQUE_TOLERANCE_DEG else None
        else:
            part, note = computed[plane], REFORMATTED.format(plane)
        picked.append(Picked(part.voxels, (*part.warnings, note) if note else part.warnings))
    return picked


def _leave_out_blank(stacks: list[NDArray[np.float32]], notes: list[str]) -> list[NDArray[np.float32]]:
    """Leave out slices of one value: padding, or a damaged stream that a decoder took for an empty image.

    Raises
    ------
    RefusedError
        ``blank``, if there are no others.
    """
    varied = [stack.min(axis=(1, 2)) < stack.max(axis=(1, 2)) for stack in stacks]
    if not any(some.any() for some in varied):
        raise RefusedError("blank", "all pixels have the same value: there is no image to judge.")
    if all(some.all() for some in varied):
        return stacks
    notes.append(BLANK_LEFT_OUT)
    return [stack[some] for stack, some in zip(stacks, varied, strict=True)]


def _find_limits(
    volume: LazyVolume, stacks: list[NDArray[np.float32]], notes: list[str]
) -> tuple[float, float]:
    """Return black and white for all slices together."""
    voxels = stacks[0] if len(stacks) == 1 else np.concatenate([stack.reshape(-1) for stack in stacks])
    limits = find_limits(voxels, volume.window)
    if volume.window is not None and limits != volume.window:
        notes.append(WINDOW_IGNORED)
    return limits
