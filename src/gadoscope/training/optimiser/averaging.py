"""The mean of the weights over the last steps: what is validated, frozen and exported.

The weights of single steps jump about the place that their mean is in. An exponential moving average
follows them at the cost of one addition a step.

References
----------
Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gadoscope.training.checks import check_share

# The first steps are far from where training ends: the mean forgets them sooner, as in TensorFlow's
# ExponentialMovingAverage(num_updates), whose constants these are.
WARM_UP_START = 1
WARM_UP_LENGTH = 10


@dataclass(frozen=True, kw_only=True)
class AveragingConfig:
    """How much of the mean stays at each step; 0 takes the weights of the last step."""

    decay: float = 0.0

    def __post_init__(self) -> None:
        check_share("averaging.decay", self.decay)


class WeightAverage:
    """The moving average of a network's weights, and of its batch norms' running figures.

    Parameters
    ----------
    network
        Its present weights are the first mean; it is not changed.
    decay
        Share of the mean that stays at each step.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = network
        self.decay = decay
        self.n_updates = 0
        self.mean = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take in the network's present weights."""
        self.n_updates += 1
        decay = min(self.decay, (WARM_UP_START + self.n_updates) / (WARM_UP_LENGTH + self.n_updates))
        for name, value in self.network.state_dict().items():
            self.mean[name].lerp_(value, 1 - decay)

    @torch.no_grad()
    def load(self, mean: dict[str, Tensor], n_updates: int) -> None:
        """Go on from a mean that was saved."""
        self.n_updates = n_updates
        for name, value in mean.items():
            self.mean[name].copy_(value)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the network the mean for a while, then its own weights back."""
        own = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self.give()
        try:
            yield
        finally:
            _copy(own, self.network)

    def give(self) -> None:
        """Give the network the mean for good."""
        _copy(self.mean, self.network)


@torch.no_grad()
def _copy(weights: dict[str, Tensor], network: nn.Module) -> None:
    for name, value in network.state_dict().items():
        value.copy_(weights[name])
