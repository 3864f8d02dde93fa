"""The lesson's network cut behind one convolution, so that its maps there can be listened to.

`Siim` calls its convolutions as functions, in whichever order is fastest, so no module ever holds the
maps that Grad-CAM weighs. Here the same weights give the same answer in the plain order, and a module
stands at the cut.
"""

import numpy as np
import torch.nn.functional as F  # noqa: N812 - the name that every torch programme uses
from numpy.typing import NDArray
from torch import Tensor, nn

from gadoscope.models.lesson import FILTERS, KERNEL_SIZE, POOL_SIZE, map_sizes
from gadoscope.models.siim import Siim

N_STAGES = len(FILTERS)


class CutNetwork(nn.Module):
    """A view of ``network``, sharing its weights, with a module behind the convolution of ``stage``.

    Parameters
    ----------
    network
        Left as it is; training it further changes the answers of this view too.
    stage
        Which convolution, 1 to 6. ``cut`` is the module whose output are its maps after the ReLU and
        before the pool, shape (n, filters, row, column).

    Raises
    ------
    ValueError
        If there is no such stage.
    """

    def __init__(self, network: Siim, stage: int) -> None:
        super().__init__()
        _check_stage(stage)
        self.network = network
        self.stage = stage
        self.cut = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, shape (n,), of grey slices in [0, 1], shape (n, 1, 331, 331)."""
        maps = images
        for stage, convolution in enumerate(self.network.convolutions, start=1):
            # Three equal channels convolved are one channel convolved with the kernels' sum.
            kernel = convolution.weight.sum(dim=1, keepdim=True) if stage == 1 else convolution.weight
            maps = F.conv2d(maps, kernel, convolution.bias)
            maps = self.cut(maps) if stage == self.stage else F.relu(maps)
            maps = F.max_pool2d(maps, POOL_SIZE)
        features = maps.permute(0, 2, 3, 1).flatten(1)
        logits: Tensor = self.network.dense2(F.relu(self.network.dense1(features)))
        return logits.squeeze(1)


def cell_centres(stage: int) -> NDArray[np.float64]:
    """Return where the cells of a stage's maps look: the middles of their receptive fields.

    Convolutions without padding eat the border, so the cells do not tile the image. The six of the last
    convolution look at pixels 78.5, 110.5 ... 238.5 of 331; a map stretched to the image would put the
    outer ones 50 pixels too far out.

    Returns
    -------
    numpy.ndarray
        Pixels of the network's input, from 0, the same for rows and columns, shape (cells,).

    References
    ----------
    Dumoulin V, Visin F. A guide to convolution arithmetic for deep learning. arXiv:1603.07285
    """
    _check_stage(stage)
    step: int = POOL_SIZE ** (stage - 1)
    convolved, _ = map_sizes()[stage - 1]
    first = (receptive_field(stage) - 1) / 2
    return first + step * np.arange(convolved, dtype=np.float64)


def receptive_field(stage: int) -> int:
    """Return how many pixels, in each direction, a cell of a stage's maps sees."""
    _check_stage(stage)
    steps: list[int] = [POOL_SIZE**index for index in range(stage)]
    seen_by_convolutions = sum(step * (KERNEL_SIZE - 1) for step in steps)
    seen_by_pools = sum(step * (POOL_SIZE - 1) for step in steps[:-1])
    return 1 + seen_by_convolutions + seen_by_pools


def _check_stage(stage: int) -> None:
    if not 1 <= stage <= N_STAGES:
        raise ValueError(f"stage = {stage}; the network has convolutions 1 to {N_STAGES}.")
