"""Adam as Keras computes it, with decoupled weight decay if asked for, and the schedule of its step."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from gadoscope.errors import ConfigError
from gadoscope.training.checks import check_choice, check_range

OPTIMISERS = ("adam", "adamw")
SCHEDULES = ("constant", "cosine")


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig:
    """Adam as Keras computes it: ``epsilon`` is added to the root before the bias correction.

    ``weight_decay`` is read by ``adamw``: before each step a weight loses that share of it, times the
    learning rate; offsets and batch norms do not. ``warmup`` is in steps.
    """

    name: Literal["adam", "adamw"] = "adam"
    learning_rate: float = 5e-4
    schedule: Literal["constant", "cosine"] = "constant"
    warmup: int = 0
    weight_decay: float = 0.0
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        check_choice("optimiser.name", self.name, OPTIMISERS)
        check_range("optimiser.learning_rate", self.learning_rate, above=0)
        check_choice("optimiser.schedule", self.schedule, SCHEDULES)
        check_range("optimiser.warmup", self.warmup, least=0)
        check_range("optimiser.weight_decay", self.weight_decay, least=0)
        check_range("optimiser.beta_1", self.beta_1, above=0, below=1)
        check_range("optimiser.beta_2", self.beta_2, above=0, below=1)
        check_range("optimiser.epsilon", self.epsilon, above=0)
        if self.weight_decay and self.name != "adamw":
            raise ConfigError(
                f'optimiser.weight_decay is {self.weight_decay} and optimiser.name is "{self.name}", which '
                'has none; set optimiser.name to "adamw".'
            )

    @property
    def depends_on_length(self) -> bool:
        """Whether a step's size depends on how many steps there will be."""
        return self.schedule != "constant"

    def learning_rate_at(self, step: int, n_steps: int) -> float:
        """Return the learning rate of step ``step`` (from 0) of ``n_steps``.

        It rises linearly over the first ``warmup`` steps, then stays, or falls along half a cosine to 0.
        """
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        if self.schedule == "constant":
            return self.learning_rate
        done = (step - self.warmup) / max(1, n_steps - self.warmup)
        return self.learning_rate * (1 + math.cos(math.pi * done)) / 2


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


def build_optimiser(network: nn.Module, config: OptimiserConfig) -> KerasAdam:
    """Return the optimiser of all of the network's parameters.

    With ``adamw`` vectors (offsets, and the scales of batch norms) are not drawn towards zero: that would
    change what the network can say, not how smoothly it says it.

    References
    ----------
    Loshchilov and Hutter, Decoupled weight decay regularization, 2019
    """
    parameters: Any = network.parameters()
    options: dict[str, Any] = {}
    if config.name == "adamw":
        kernels = [parameter for parameter in network.parameters() if parameter.ndim > 1]
        vectors = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
        parameters = [
            {"params": kernels, "weight_decay": config.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        options = {"decoupled_weight_decay": True}
    return KerasAdam(
        parameters,
        learning_rate=config.learning_rate,
        betas=(config.beta_1, config.beta_2),
        epsilon=config.epsilon,
        **options,
    )
