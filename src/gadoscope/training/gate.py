"""The gate in training: what shows it what no T1 brain is, and what its answer costs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every torch programme uses
from numpy.typing import NDArray

from gadoscope.errors import ConfigError
from gadoscope.training.checks import check_shares


@dataclass(frozen=True, kw_only=True)
class GateConfig:
    """Whether the network also learns to tell a T1 brain from everything else.

    Parameters
    ----------
    counterexamples
        Images drawn for each batch that show no T1 brain, as a share of the batch; 0 for none.
    use_other
        Whether the images that the manifest labels ``other`` take part.
    others
        Of them so many join each batch, as a share of it.
    shares
        Of those that join, by source; sources that are not named share the rest by the square root of
        their number of images.
    weight
        Of the gate's loss against that of the phase.
    max_refused
        Largest share of the T1 brains of validation that the threshold may refuse.

    Raises
    ------
    ConfigError
        If a value does not fit.
    """

    counterexamples: float = 0.0
    use_other: bool = False
    others: float = 0.125
    shares: Mapping[str, float] = field(default_factory=dict)
    weight: float = 0.5
    max_refused: float = 0.005

    def __post_init__(self) -> None:
        if not 0 <= self.counterexamples < 1:
            raise ConfigError(
                f"gate.counterexamples is {self.counterexamples}; expected a share of the batch, 0 or more "
                "and below 1."
            )
        if not 0 < self.others < 1:
            raise ConfigError(
                f"gate.others is {self.others}; expected a share of the batch, between 0 and 1."
            )
        check_shares("gate.shares", self.shares)
        if not 0 < self.weight < math.inf:
            raise ConfigError(f"gate.weight is {self.weight}; expected a number above 0.")
        if not 0 <= self.max_refused < 1:
            raise ConfigError(
                f"gate.max_refused is {self.max_refused}; expected a share, 0 or more and below 1."
            )

    @property
    def is_off(self) -> bool:
        """Whether the network has no gate: nothing would show it what no T1 brain is."""
        return self.counterexamples == 0 and not self.use_other

    @property
    def t1_share(self) -> float:
        """T1 brains among all that the gate is shown in training.

        An image that it calls a T1 brain with this probability looked no more like one than like the rest.
        """
        return 1 / (1 + self.counterexamples + self.others * self.use_other)

    def chances_of(self, sources: Sequence[str]) -> NDArray[np.float64]:
        """Return how likely each image of no T1 brain is to be drawn, by the source of each, shape (n,).

        A few hundred real images must not drown in thousands that cost nothing to make, and thirty of one
        hospital must not come as often as six hundred of many. A named source that is held out leaves its
        share to the others.
        """
        names, source, n_images = np.unique(
            np.asarray(sources, np.str_), return_inverse=True, return_counts=True
        )
        named = np.array([name in self.shares for name in names.tolist()], bool)
        weights = np.where(named, 0.0, np.sqrt(n_images))
        weights *= max(0.0, 1 - sum(self.shares.values())) / max(weights.sum(), 1)
        weights += [self.shares.get(name, 0.0) for name in names.tolist()]
        if len(names) and not weights.sum() > 0:
            raise ConfigError("gate.shares are all 0 for the sources labelled other; give one more.")
        chances = (weights / n_images)[source]
        return np.asarray(chances / chances.sum(), np.float64)


def gate_loss(
    phase_losses: torch.Tensor, gate_logits: torch.Tensor, is_t1: torch.Tensor, config: GateConfig
) -> torch.Tensor:
    """Return the loss of each image: of its phase where it is a T1 brain, and of the gate, shape (n,).

    Parameters
    ----------
    phase_losses
        Shape (n,); any finite number where an image has no phase.
    gate_logits
        Of "a T1 brain", shape (n,).
    is_t1
        1 for a T1 brain, 0 for everything else; float, shape (n,).
    """
    of_gate = F.binary_cross_entropy_with_logits(gate_logits, is_t1, reduction="none")
    return phase_losses * is_t1 + config.weight * of_gate
