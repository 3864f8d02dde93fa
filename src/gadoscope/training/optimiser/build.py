"""Which optimiser, and the schedule of its step."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from torch import nn

from gadoscope.errors import ConfigError
from gadoscope.training.checks import check_choice, check_range
from gadoscope.training.optimiser.adam import KerasAdam
from gadoscope.training.optimiser.muon import Muon

OPTIMISERS = ("adam", "adamw", "muon")
SCHEDULES = ("constant", "cosine")
KERNEL_AXES = 4
"""Of a convolution: maps out, maps in, height, width."""


@dataclass(frozen=True, kw_only=True)
class OptimiserConfig:
    """Adam as Keras computes it: ``epsilon`` is added to the root before the bias correction.

    ``adamw`` and ``muon`` read ``weight_decay``: before each step a weight loses that share of it, times the
    learning rate; offsets and batch norms do not. ``muon`` steps the kernels of convolutions by orthogonal
    matrices (`gadoscope.training.optimiser.muon`), and all else as ``adamw`` does. ``warmup`` is in steps.
    """

    name: Literal["adam", "adamw", "muon"] = "adam"
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
        if self.weight_decay and self.name == "adam":
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


def build_optimiser(network: nn.Module, config: OptimiserConfig) -> KerasAdam:
    """Return the optimiser of all of the network's parameters.

    With ``adamw`` and ``muon`` vectors (offsets, and the scales of batch norms) are not drawn towards zero:
    that would change what the network can say, not how smoothly it says it.

    References
    ----------
    Loshchilov and Hutter, Decoupled weight decay regularization, 2019
    """
    settings: dict[str, Any] = {
        "learning_rate": config.learning_rate,
        "betas": (config.beta_1, config.beta_2),
        "epsilon": config.epsilon,
    }
    if config.name == "adam":
        return KerasAdam(network.parameters(), **settings)
    settings["decoupled_weight_decay"] = True
    weights = [each for each in network.parameters() if each.ndim > 1]
    vectors = {"params": [each for each in network.parameters() if each.ndim <= 1], "weight_decay": 0.0}
    if config.name == "adamw":
        return KerasAdam([{"params": weights, "weight_decay": config.weight_decay}, vectors], **settings)
    kernels = [each for each in weights if _is_inner_kernel(each)]
    matrices = [each for each in weights if not _is_inner_kernel(each)]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, vectors]
    return Muon(kernels, groups, weight_decay=config.weight_decay, **settings)


def _is_inner_kernel(parameter: nn.Parameter) -> bool:
    """Return whether this is a convolution's kernel of more than one channel: not that of the first."""
    return parameter.ndim == KERNEL_AXES and parameter.shape[1] > 1
