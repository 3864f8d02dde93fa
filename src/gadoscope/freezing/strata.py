"""How much each image counts where several hospitals choose together: none of them decides alone."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats
from gadoscope.statistics.columns import number_groups


def weigh_strata(
    is_post: Annotated[Bools, "n"],
    stratum: Annotated[NDArray[np.generic], "n"],
    group: Annotated[NDArray[np.generic], "n"],
) -> Annotated[Floats, "n"]:
    """Return how much each image counts, shape (n,), 1 on average.

    In each stratum, such as a hospital's images of one plane, both labels count alike; a stratum with one
    label says nothing of where to cut and counts nothing. Strata count by the square root of the subjects of
    their rarer label: by their number a large one would decide alone, and alike a tiny one would, by chance.

    Parameters
    ----------
    is_post, stratum, group
        Label, stratum and subject of each image, shape (n,).

    Returns
    -------
    array
        All 1 where no stratum has both labels.
    """
    place, subject = (number_groups(column, is_post.size) for column in (stratum, group))
    weight = np.zeros(is_post.size)
    for number in range(int(place.max(initial=-1)) + 1):
        sides = [(place == number) & (is_post == label) for label in (True, False)]
        fewest = min(np.unique(subject[side]).size for side in sides)
        for side in sides if fewest else ():
            weight[side] = np.sqrt(fewest) / side.sum()
    total = weight.sum()
    return weight * is_post.size / total if total > 0 else np.ones(is_post.size)
