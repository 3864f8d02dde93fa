"""Labels that are probably wrong: the network, trained on other subjects, disagrees with confidence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats
from gadoscope.statistics.columns import check_scores, number_groups, sum_by_group


@dataclass(frozen=True, eq=False, kw_only=True)
class Suspects:
    """Images ranked by how much the network doubts their label.

    Attributes
    ----------
    order
        Rows of the table, the most suspect first, shape (n,).
    doubt
        1 less the probability of the label, both classes' probabilities shifted so that the network is
        as sure of one class as of the other; shape (n,), of each row, in [0, 1].
    is_suspect
        Whether the network is at least as sure of the other label as it is, on average, of images that
        carry it; shape (n,), of each row.
    subject_doubt
        Mean doubt over all images of the row's subject and label, shape (n,): a wrong label is wrong
        for the whole series.
    confidence_pre, confidence_post
        What the network gives, on average, to the label of pre- and of post-contrast images; None
        where there is none.
    """

    order: NDArray[np.intp]
    doubt: Floats
    is_suspect: Bools
    subject_doubt: Floats
    confidence_pre: float | None
    confidence_post: float | None


def rank_suspects(is_post: Bools, out_of_fold_probability: Floats, group: NDArray[np.generic]) -> Suspects:
    """Rank images by confident disagreement between label and network.

    A suspect is not an error: rare but right cases come up, too. It must be looked at.

    Parameters
    ----------
    is_post, group
        Label and subject of each image, shape (n,).
    out_of_fold_probability
        P(post-contrast) of each image by a network that saw no image of its subject, shape (n,): one
        that trained on a wrong label has learned it.

    Raises
    ------
    ManifestError
        If there is no image, or a probability is not a number.

    References
    ----------
    Northcutt, Jiang and Chuang, J. Artif. Intell. Res. 70 (2021) 1373
    """
    check_scores(is_post, out_of_fold_probability)
    post = out_of_fold_probability
    pre = 1 - post
    confidence_pre = float(pre[~is_post].mean()) if not is_post.all() else None
    confidence_post = float(post[is_post].mean()) if is_post.any() else None
    # A class without images sets no standard that an image could meet.
    sure_pre = pre >= confidence_pre if confidence_pre is not None else np.zeros(pre.size, dtype=np.bool_)
    sure_post = post >= confidence_post if confidence_post is not None else np.zeros(pre.size, dtype=np.bool_)
    says_post = sure_post & (~sure_pre | (post > pre))
    says_pre = sure_pre & ~says_post
    doubt = 1 - _self_confidence(is_post, post, confidence_pre, confidence_post)
    series = number_groups(group, is_post.size) * 2 + is_post
    subject_doubt = (sum_by_group(doubt, series) / np.maximum(np.bincount(series), 1))[series]
    return Suspects(
        order=np.lexsort((-subject_doubt, -doubt)),
        doubt=doubt,
        is_suspect=np.where(is_post, says_pre, says_post),
        subject_doubt=subject_doubt,
        confidence_pre=confidence_pre,
        confidence_post=confidence_post,
    )


def _self_confidence(
    is_post: Bools, post: Floats, confidence_pre: float | None, confidence_post: float | None
) -> Floats:
    """Return the probability of each label, less the confidence that its class usually gets."""
    if confidence_pre is None or confidence_post is None:
        return np.where(is_post, post, 1 - post)
    # Shifted by the larger of the two so that none is negative, and scaled to sum to 1 again.
    highest = max(confidence_pre, confidence_post)
    shifted_pre = 1 - post - confidence_pre + highest
    shifted_post = post - confidence_post + highest
    return np.where(is_post, shifted_post, shifted_pre) / (shifted_pre + shifted_post)
