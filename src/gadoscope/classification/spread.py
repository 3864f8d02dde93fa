"""A few volumes of a long series, from the first to the last: where all are refused, the series is.

A series of one phase is no T1 from its beginning to its end: functional, diffusion and perfusion series of
hundreds of volumes show it in any of them. A dynamic T1 series shows brain in all, so a few let it pass.
"""

from collections.abc import Sequence
from dataclasses import replace

from gadoscope.labels import Plane, SeriesResult, Status

N_LOOKED_AT = 5
"""Volumes; a series of no more is looked at whole. The gate refuses a few of a hundred T1 brains: that it
refuses all five of a series is a matter of the series, not of chance."""
_NOT_T1 = "not_t1_brain"


MANY_VOLUMES = 100
"""A dynamic T1 series seldom has so many; functional ones have."""
FRONT_VOLUMES = 20
"""Of many, where the way to the last one is dear: these are looked at, 20 to 60 s of a functional series."""


def spread_indices(n_volumes: int, *, is_dear: bool = False) -> list[int]:
    """Return which volumes are looked at first: the first, the last, and those evenly between.

    Empty where there are too few to leave any out.

    Parameters
    ----------
    n_volumes
        Of the whole series.
    is_dear
        Whether reading the last volume costs as much as reading all: then the last of many is left out.
    """
    if n_volumes <= N_LOOKED_AT:
        return []
    last = FRONT_VOLUMES if is_dear and n_volumes >= MANY_VOLUMES else n_volumes
    return [round(place * (last - 1) / (N_LOOKED_AT - 1)) for place in range(N_LOOKED_AT)]


def refuse_all(rows: Sequence[SeriesResult], n_volumes: int) -> SeriesResult | None:
    """Return the one row of a series of which every volume looked at was refused; else ``None``.

    Parameters
    ----------
    rows
        Of the volumes looked at.
    n_volumes
        Of the whole series.
    """
    if not rows or any(row.status is not Status.REFUSED for row in rows):
        return None
    last = max(row.volume_index or 0 for row in rows)
    planes = {row.plane for row in rows}
    reason = rows[0].reason
    which = f"of its {n_volumes} volumes, from the first to the last,"
    if last < n_volumes - 1:
        which = f"of the first {last + 1} of its {n_volumes} volumes"
    if all(row.reason.startswith(f"{_NOT_T1}:") for row in rows):
        reason = (
            f"{_NOT_T1}: {len(rows)} {which} were looked at, and none "
            "looks like a T1-weighted brain; if they are, look at it, and report it."
        )
    return replace(
        rows[0],
        volume_index=None,
        plane=planes.pop() if len(planes) == 1 else Plane.UNKNOWN,
        n_slices=sum(row.n_slices for row in rows),
        n_slices_used=sum(row.n_slices_used for row in rows),
        warnings=tuple(dict.fromkeys(warning for row in rows for warning in row.warnings)),
        reason=reason,
    )
