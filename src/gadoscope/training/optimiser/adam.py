"""Adam as Keras computes it."""

import math
from collections.abc import Callable
from inspect import unwrap
from typing import Any

import torch

_step: Any = unwrap(torch.optim.Adam.step)


class KerasAdam(torch.optim.Adam):
    """Adam that adds epsilon where Keras does: to the root of the uncorrected second moment.

    Keras divides by ``sqrt(v) + epsilon`` and corrects the bias in the step size ("epsilon hat" of the
    paper); torch corrects ``v`` first. The two are equal when torch's epsilon is Keras' divided by the
    root of the correction, which changes from step to step.

    Torch wraps methods of its optimisers to keep its compiler out of them, and loads the compiler for that:
    seconds, where nothing is compiled. So they are taken as they are inside.

    References
    ----------
    Kingma and Ba, Adam, 2015, section 2, last paragraph
    """

    add_param_group = unwrap(torch.optim.Adam.add_param_group)
    zero_grad = unwrap(torch.optim.Adam.zero_grad)

    def __init__(
        self,
        parameters: Any,
        *,
        learning_rate: float,
        betas: tuple[float, float],
        epsilon: float,
        **options: Any,
    ) -> None:
        super().__init__(parameters, lr=learning_rate, betas=betas, eps=epsilon, **options)
        self.keras_epsilon = epsilon
        self.n_steps_done = 0

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # torch overloads on closure
        """Update the parameters once."""
        self.n_steps_done += 1
        for group in self.param_groups:
            correction = 1 - group["betas"][1] ** self.n_steps_done
            group["eps"] = self.keras_epsilon / math.sqrt(correction)
        with torch.no_grad():
            loss: float | None = _step(self, closure)
        return loss
