"""Whether the columns of a prediction table can be judged at all; each fault is one clear sentence."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats, Integers
from gadoscope.errors import ManifestError


def check_scores(is_post: Bools, *scores: Floats) -> None:
    """Raise ManifestError unless every score is a finite number and has a label.

    Raises
    ------
    ManifestError
        If there is no row, the lengths differ, or a score is NaN or infinite.
    """
    if is_post.size == 0:
        raise ManifestError("there is no image to judge: the table is empty.")
    for score in scores:
        if score.shape != is_post.shape:
            raise ManifestError(f"{is_post.size} labels, but {score.size} scores: each image needs both.")
        n_bad = int((~np.isfinite(score)).sum())
        if n_bad:
            raise ManifestError(
                f"{n_bad} of {score.size} scores are not numbers; "
                "the network's weights are damaged: train again or use another bundle."
            )


def number_groups(group: NDArray[np.generic], n: int) -> Annotated[Integers, "n"]:
    """Return the subject of each image as a whole number from 0 without gaps, shape (n,).

    Raises
    ------
    ManifestError
        If ``group`` does not have ``n`` entries.
    """
    if group.shape != (n,):
        raise ManifestError(f"{n} images, but {group.size} subjects: each image needs one.")
    numbers: Integers = np.unique(group, return_inverse=True)[1].astype(np.int64)
    return numbers


def sum_by_group(
    values: NDArray[np.generic], group: Annotated[Integers, "n"], n_groups: int = 0
) -> Annotated[Floats, "groups"]:
    """Return the sum of the values of each group, shape (groups,), at least ``n_groups`` long."""
    return np.asarray(np.bincount(group, weights=values, minlength=n_groups), dtype=np.float64)


def effective_number(group: NDArray[np.generic]) -> float:
    """Return Kish's effective number of subjects, (sum of sizes)^2 / sum of squared sizes.

    It is what the images count for if all those of one subject say the same.

    References
    ----------
    Kish, Survey Sampling, Wiley 1965
    """
    size = np.unique(group, return_counts=True)[1].astype(np.float64)
    return float(size.sum() ** 2 / (size**2).sum()) if size.size else 0.0
