"""Adam as Keras computes it."""

import math
from collections.abc import Callable
from typing import Any

import torch


class KerasAdam(torch.optim.Adam):
    """Adam that adds epsilon where Keras does: to the root of the uncorrected second moment.

    Keras divides by ``sqrt(v) + epsilon`` and corrects the bias in the step size ("epsilon hat" of the
    paper); torch corrects ``v`` first. The two are equal when torch's epsilon is Keras' divided by the
    root of the correction, which changes from step to step.

    References
    ----------
    Kingma and Ba, Adam, 2015, section 2, last paragraph
    """

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
        loss: float | None = super().step(closure)
        return loss
