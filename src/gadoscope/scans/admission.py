"""What is asked of a scan before its voxels: its tags, its planes, how large it is; then its slices.

`classify` asks it of what it answers, and whoever trains or judges asks it of what is labelled: what one of
them refuses, all do.
"""

from collections.abc import Callable, Sequence

from gadoscope.errors import InputError, RefusedError
from gadoscope.evidence.body_part import names_head, names_part_of_head
from gadoscope.evidence.sequence import check_sequence
from gadoscope.imaging.extent import find_extent_mm, is_too_small
from gadoscope.imaging.geometry import PLANES
from gadoscope.imaging.localizer import StackExtent, is_localizer
from gadoscope.imaging.volume import LazyVolume
from gadoscope.reading.series import Facts, ImageSeries, SeriesVolume

MAX_PLANES_SAID = 6
"""Stacks that the reason of a localizer counts; more are not needed to believe it."""
Warnings = tuple[str, ...]


def admit_series(open_series: Callable[[], ImageSeries], facts: Facts | None) -> tuple[ImageSeries, Warnings]:
    """Open a series that may be a T1 brain, by its header and its planes.

    Parameters
    ----------
    open_series
        Opens it; its errors are passed on.
    facts
        The header as far as it is known before.

    Raises
    ------
    RefusedError
        If the header, or how its volumes lie, says that it is something else.
    """
    # From the tags alone first: a localizer's geometry need not make sense.
    warnings = check_sequence(facts) if facts is not None else ()
    series = open_series()
    if series.facts is not None and series.facts is not facts:  # opening may have counted the volumes
        warnings = check_sequence(series.facts)
    _check_planes(series.volumes)
    return series, warnings


def _check_planes(volumes: Sequence[SeriesVolume]) -> None:
    """Refuse a localizer that no tag calls so."""
    stacks = []
    for volume in volumes if len(volumes) > 1 else ():
        try:
            geometry = volume.open().geometry
        except InputError:  # it says so itself when it is answered
            continue
        n_slices = geometry.shape[0]
        stacks.append(StackExtent(geometry.plane, n_slices, geometry.spacing_mm[0] if n_slices > 1 else None))
    if is_localizer(stacks):
        said = ", ".join(f"{one.n_slices} {one.plane}" for one in stacks[:MAX_PLANES_SAID])
        is_in_all = {one.plane for one in stacks} >= set(PLANES)
        where = "in all three planes" if is_in_all else "far apart in two planes"
        raise RefusedError("localizer", f"few slices {where} ({said}) are a localizer.")


def admit_volume(volume: SeriesVolume, facts: Facts) -> tuple[LazyVolume, Warnings]:
    """Open a volume of a series that was admitted.

    Parameters
    ----------
    facts
        The header of the series, and over it what is said of this volume.

    Raises
    ------
    RefusedError
        If the header of this volume says that it is no T1 brain.
    """
    # Only what the volume itself says is asked here: the series was asked before it was opened.
    warnings = check_sequence(facts) if volume.facts else ()
    return volume.open(), warnings


def check_extent(volume: LazyVolume, facts: Facts) -> LazyVolume:
    """Refuse what is too small to be a head, unless a tag says that it is one."""
    is_small = is_too_small(volume.geometry, is_part=names_part_of_head(facts))
    if is_small and not names_head(facts):
        through, down, right = find_extent_mm(volume.geometry)
        raise RefusedError(
            "not_t1_brain",
            f"{through:.0f} x {down:.0f} x {right:.0f} mm hold no head; if it is one, its voxel sizes are "
            "wrong: mend them.",
        )
    return volume
