"""Muon: kernels of convolutions step by an orthogonal matrix, everything else as Adam says.

As a matrix of output maps by inputs a kernel's gradient is long in a few directions and short in the others,
and the few are what Adam learns first. Muon makes all of them equally long, so that rare evidence is learnt
beside the common: half the steps reach the same loss ([decision](../decisions/0019-muon.md)). torch's own
Muon takes matrices alone, and a kernel has four axes.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from gadoscope.training.optimiser.adam import KerasAdam

MOMENTUM = 0.95
"""Of the gradient; with Nesterov's look ahead."""
STEP = 0.8
"""Root mean square of a kernel's step, in learning rates. Adam's is about 0.2 to 0.4."""
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the odd polynomial that takes singular values to about 1, those near 0 fastest (Jordan et al.)."""
N_ROUNDS = 5
NORM_EPSILON = 1e-7


class Muon(KerasAdam):
    """Adam for ``others``; for ``kernels`` momentum whose singular values are all made about 1.

    A kernel's momentum lies where Adam keeps its first moment, and it has no second. Its gradient is used up
    by the step.

    Parameters
    ----------
    kernels
        Of convolutions: (maps out, maps in, height, width).
    others
        Groups of parameters, as `torch.optim.Adam` takes them.
    learning_rate, weight_decay
        Of both; decay is decoupled: a kernel first loses ``learning_rate * weight_decay`` of itself.

    References
    ----------
    Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024
    Liu et al., Muon is scalable for LLM training, 2025 (steps as long as Adam's)
    """

    def __init__(
        self,
        kernels: Iterable[nn.Parameter],
        others: Iterable[dict[str, Any]],
        *,
        learning_rate: float,
        weight_decay: float,
        **options: Any,
    ) -> None:
        orthogonal = {"params": list(kernels), "weight_decay": weight_decay, "is_orthogonal": True}
        groups = [{"is_orthogonal": False, **group} for group in others]
        super().__init__([orthogonal, *groups], learning_rate=learning_rate, **options)

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # torch overloads on closure
        """Update the parameters once."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group["is_orthogonal"]:
                for kernel in group["params"]:
                    self._step_kernel(kernel, group["lr"], group["weight_decay"])
        super().step()
        return loss

    @torch.no_grad()
    def _step_kernel(self, kernel: nn.Parameter, learning_rate: float, weight_decay: float) -> None:
        if kernel.grad is None:
            return
        state = self.state[kernel]
        if not state:
            state["exp_avg"] = torch.zeros_like(kernel)
        momentum = state["exp_avg"]
        momentum.lerp_(kernel.grad, 1 - MOMENTUM)
        ahead = kernel.grad.lerp(momentum, MOMENTUM)
        kernel.grad = None  # what Adam then passes over
        # Singular values do not depend on the order of columns: that of channels-last needs no copy.
        rows = ahead.permute(0, 2, 3, 1)
        direction = orthogonalise(rows.reshape(len(rows), -1))
        length = STEP * math.sqrt(max(direction.shape))
        kernel.mul_(1 - learning_rate * weight_decay)
        kernel.add_(direction.reshape(rows.shape).permute(0, 3, 1, 2), alpha=-learning_rate * length)


def orthogonalise(matrix: Tensor) -> Tensor:
    """Return a matrix of the same singular vectors, whose singular values lie between about 0.7 and 1.2.

    Five rounds of a polynomial need products of matrices alone, and no decomposition. How close to 1 they
    come does not matter to what is learnt.
    """
    # All rounds are polynomials of the Gram matrix of the shorter side: they are multiplied there, where they
    # are small, and meet the matrix once.
    is_tall = matrix.shape[0] > matrix.shape[1]
    wide = (matrix.T if is_tall else matrix) / (matrix.norm() + NORM_EPSILON)
    gram = wide @ wide.T
    factor = product = _find_factor(gram)
    for _ in range(N_ROUNDS - 1):
        gram = factor @ gram @ factor
        factor = _find_factor(gram)
        product = factor @ product
    turned: Tensor = product @ wide
    return turned.T if is_tall else turned


def _find_factor(gram: Tensor) -> Tensor:
    """Return what a round multiplies a matrix by whose Gram matrix is ``gram``."""
    first, third, fifth = COEFFICIENTS
    factor = torch.addmm(gram, gram, gram, beta=third, alpha=fifth)
    factor.diagonal().add_(first)
    return factor
