"""Whose weights a run keeps, and when it ends early: by the loss on the validation images alone.

With ``keep = "best"`` the weights of the epoch with the smallest validation loss are kept, of equals those of
the earliest. With ``patience`` the training ends once so many epochs in a row brought no smaller one. A loss
that is no number is never the smallest.

Validation then chooses the epoch as well as the threshold, so its own figures flatter: what is to be
believed is measured on images that were kept away, with ``split.test_fraction`` or of other hospitals.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gadoscope.errors import ConfigError
from gadoscope.training.checks import check_choice, check_range

LAST, BEST = "last", "best"

History = Sequence[Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class StoppingConfig:
    """Which epoch's weights are kept, and after how many epochs without a better one training ends.

    ``patience`` 0 trains all epochs.
    """

    keep: str = LAST
    patience: int = 0

    def __post_init__(self) -> None:
        check_choice("stopping.keep", self.keep, (LAST, BEST))
        check_range("stopping.patience", self.patience, least=0)
        if self.patience and self.keep != BEST:
            raise ConfigError(
                f'stopping.patience is {self.patience} and stopping.keep is "{self.keep}": whoever stops for '
                f'want of a better epoch keeps the best; set stopping.keep to "{BEST}".'
            )

    def find_kept(self, history: History) -> int:
        """Return the epoch, from 1, whose weights a run of this history keeps; 0 before the first."""
        if self.keep == LAST or not history:
            return len(history)
        losses = [_rank(row) for row in history]
        return losses.index(min(losses)) + 1

    def is_over(self, history: History) -> bool:
        """Return whether a run of this history ends here, however many epochs it has left."""
        return bool(self.patience) and len(history) - self.find_kept(history) >= self.patience

    def describe(self, history: History, n_epochs: int) -> tuple[str, ...]:
        """Return what a person must know of it: nothing where the last of ``n_epochs`` is kept."""
        kept, done = self.find_kept(history), len(history)
        if self.keep == LAST:
            return ()
        ended = f", and training ended after {done} of {n_epochs}" if done < n_epochs else ""
        loss = history[kept - 1]["validation_loss"]
        return (
            f"the weights of epoch {kept} are kept: its validation loss, {loss:.4f}, is the smallest of "
            f"{done} epochs{ended}; the validation figures flatter, since these images chose the epoch.",
        )


def _rank(row: Mapping[str, float]) -> float:
    loss = row["validation_loss"]
    return loss if math.isfinite(loss) else math.inf


class BestWeights:
    """A copy of the weights of the best epoch so far."""

    def __init__(self) -> None:
        self.weights: dict[str, Tensor] = {}

    def take(self, network: nn.Module) -> None:
        """Keep the network's present weights."""
        self.weights = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def give(self, network: nn.Module) -> None:
        """Give the network what was kept."""
        for name, value in network.state_dict().items():
            value.copy_(self.weights[name])
