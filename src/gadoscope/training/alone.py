"""One process on one processor, which shares its work with nobody: what training needs of Lightning Fabric.

Importing Fabric takes as long as an epoch of a small training, for it brings torch's compiler.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Optimiser = TypeVar("Optimiser", bound=torch.optim.Optimizer)
Tensors = TypeVar("Tensors", bound=Tensor | tuple[Tensor, ...])


class Mixed(nn.Module):
    """A network that computes in bf16 what gains by it, and answers in fp32; its weights stay fp32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *given: Any) -> Tensor | tuple[Tensor, ...]:
        """Return what the network answers."""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            answer: Tensor | tuple[Tensor, ...] = self.network(*given)
        return tuple(part.float() for part in answer) if isinstance(answer, tuple) else answer.float()


class Alone:
    """What Fabric does on one processor, under the names that Fabric has for it.

    Parameters
    ----------
    precision
        ``fp32``, or ``bf16``: mixed, as Fabric's ``bf16-mixed``.
    """

    device = torch.device("cpu")
    global_rank = 0
    world_size = 1
    is_global_zero = True

    def __init__(self, precision: str = "fp32") -> None:
        self.precision = precision

    def setup(self, network: nn.Module, optimiser: Optimiser) -> tuple[nn.Module, Optimiser]:
        """Return what computes, of the same weights, and the optimiser as it is."""
        return Mixed(network) if self.precision == "bf16" else network, optimiser

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
