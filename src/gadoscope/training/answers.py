"""A network is asked about slices that it does not learn from, a few at a time."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gadoscope.imaging.intensity import ImagePath
from gadoscope.models.network import Answer

BATCH = 64
"""Slices at a time: more take memory, and no less time."""


@torch.inference_mode()
def iter_answers(
    network: nn.Module, slices: NDArray[np.uint8] | NDArray[np.float32], image_path: ImagePath
) -> Iterator[Answer]:
    """Yield the answers to slices of the network's size, batch after batch, where the network lies.

    Parameters
    ----------
    slices
        Shape (n, size, size), 0..255.
    """
    network.eval()
    device = next(network.parameters()).device
    for start in range(0, len(slices), BATCH):
        scaled = image_path.scale(slices[start : start + BATCH])
        yield network(torch.from_numpy(scaled).to(device))
