"""One process on one processor, which shares its work with nobody: what training needs of Lightning Fabric.

Importing Fabric takes as long as an epoch of a small training, for it brings torch's compiler.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor, nn

Model = TypeVar("Model", bound=nn.Module)
Optimiser = TypeVar("Optimiser", bound=torch.optim.Optimizer)
Tensors = TypeVar("Tensors", bound=Tensor | tuple[Tensor, ...])


class Alone:
    """What Fabric does on one processor in fp32, under the names that Fabric has for it."""

    device = torch.device("cpu")
    global_rank = 0
    world_size = 1
    is_global_zero = True

    def setup(self, network: Model, optimiser: Optimiser) -> tuple[Model, Optimiser]:
        """Return both as they are."""
        return network, optimiser

    def to_device(self, tensors: Tensors) -> Tensors:
        """Return tensors as they are: they lie where the network does."""
        return tensors

    def backward(self, loss: Tensor) -> None:
        """Add to each weight's gradient."""
        loss.backward()  # type: ignore[no-untyped-call]  # torch's gap

    def all_reduce(self, tensor: Tensor, *, reduce_op: str) -> Tensor:
        """Return the sum, or the mean, over this one process."""
        return tensor

    def barrier(self) -> None:
        """Wait for nobody."""

    def rank_zero_first(self) -> AbstractContextManager[None]:
        """Let the first process go first, which is this one."""
        return nullcontext()
