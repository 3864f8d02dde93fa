"""What argued for which answer: occlusion for every bundle, and Grad-CAM where the layers are known.

Occlusion hides places and asks again; it needs only the bundle. Grad-CAM reads from one pass how the
maps of a convolution carried the answer; it needs torch and the network's layers. The two methods have
nothing in common but the network: where they agree, the evidence is the network's and not the method's.

The original Grad-CAM gives each map one weight, the mean of its gradient over all places. That suits
networks that average over places before they answer. Ours does not: it flattens, so one map may argue for
post-contrast at the sinus and for pre-contrast at the nose, and the mean belongs to neither. Measured
(docs/explanation/what-the-network-looks-at.md), its maps are unrelated to occlusion and resemble those of
random weights. So each place has its own gradient here, which is called HiResCAM, and is exact: with
the biases' part, the cells add up to the logit.

References
----------
Selvaraju et al., Grad-CAM: visual explanations from deep networks, ICCV 2017
Draelos, Carin, Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks,
arXiv:2011.08891
Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018
"""

import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.stats import spearmanr

from gadoscope.explanation.cut import CutNetwork, cell_centres, receptive_field
from gadoscope.imaging.intensity import ImagePath
from gadoscope.models.lesson import INPUT_SIZE
from gadoscope.models.siim import Siim

STAGE = 4
"""Convolution whose maps are read: the last one whose evidence can still be placed.

Its cells see 38 pixels, as wide as a patch of the occlusion. Rank correlation with occlusion on phantom
slices: 0.65 at convolution 3, 0.82 at 4, 0.77 at 5, 0.33 at 6, whose 36 cells see half the image each.
"""


RANDOM_SEEDS = (1, 2, 3)
"""Networks that learned nothing, for `similarity_with_random_weights`."""


def grad_cam(
    network: Siim,
    resized: NDArray[np.uint8],
    image_path: ImagePath,
    *,
    stage: int = STAGE,
    averaged: bool = False,
) -> NDArray[np.float32]:
    """Return Grad-CAM of the logit at the convolution of ``stage``, one value for each cell of its maps.

    The sum over the maps of activation times gradient. It keeps its sign: with one logit for two phases,
    what is negative argues for the other one.

    Parameters
    ----------
    resized
        Shape (331, 331), uint8, as ``image_path.resize_slice`` makes it.
    averaged
        Whether each map's gradient is averaged over all places first: the original Grad-CAM.

    Returns
    -------
    numpy.ndarray
        Shape (cells, cells), float32; `spread` lays it over the image.
    """
    # A view of its own for each call: captum listens at the cut, and threads must not hear each other.
    view = CutNetwork(network, stage)
    method = load_methods()[averaged]
    image = torch.from_numpy(image_path.scale(resized[np.newaxis]))
    evidence: torch.Tensor = method(view, view.cut).attribute(image)
    cells: NDArray[np.float32] = evidence[0].sum(dim=0).detach().numpy()
    return cells


@cache
def load_methods() -> tuple[Any, Any]:
    """Return captum's two methods: with a gradient for each place, and the averaged one.

    Loading them takes as long as dozens of maps, and only the lesson's network has maps. Call this before
    threads do: it holds back a warning, which Python does for all threads at once.
    """
    with warnings.catch_warnings():
        # In a notebook it looks for the widgets of a progress bar, which nothing here shows.
        warnings.filterwarnings("ignore", message="IProgress not found")
        from captum.attr import LayerGradCam, LayerGradientXActivation  # noqa: PLC0415 — as said above
    return LayerGradientXActivation, LayerGradCam


def spread(cells: NDArray[np.float32], stage: int) -> NDArray[np.float32]:
    """Return a stage's map over the network's input, smooth as far as its cells see, (331, 331) float32."""
    centres = cell_centres(stage)
    place = (np.arange(INPUT_SIZE) - centres[0]) / (centres[1] - centres[0])
    laid = map_coordinates(cells, np.meshgrid(place, place, indexing="ij"), order=1, mode="nearest")
    # A cell does not say where in its field it saw something: two standard deviations to either side.
    return np.asarray(gaussian_filter(laid, sigma=receptive_field(stage) / 4), dtype=np.float32)


def similarity_with_random_weights(
    network: Siim,
    slices: Sequence[NDArray[np.uint8]],
    image_path: ImagePath,
    *,
    stage: int = STAGE,
    averaged: bool = False,
) -> float:
    """Return how alike the maps of ``network`` are to those of networks that learned nothing.

    A map that stays the same when every weight is drawn anew shows the image, not the network (Adebayo
    2018).

    Parameters
    ----------
    slices
        Slices as they were read, one or more.

    Returns
    -------
    float
        Mean absolute rank correlation of the cells over slices and ``RANDOM_SEEDS``: 0 (unrelated) to 1
        (the same map). Absolute, for a random last layer turns the sign of a whole map, and would bring
        the mean of any method to zero. NaN if every map is flat.
    """
    strangers = [type(network)(torch.Generator().manual_seed(seed)).eval() for seed in RANDOM_SEEDS]
    found = []
    for pixels in slices:
        resized = image_path.resize_slice(pixels)
        ours, *theirs = (
            grad_cam(model, resized, image_path, stage=stage, averaged=averaged)
            for model in (network, *strangers)
        )
        found += [similarity(ours, other) for other in theirs]
    known = [value for value in found if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def similarity(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the absolute rank correlation (Spearman) of two maps of one shape; NaN if one is flat."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return abs(float(spearmanr(first, second, axis=None).statistic))
