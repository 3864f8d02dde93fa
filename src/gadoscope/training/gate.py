"""The gate in training: what shows it what no T1 brain is, and what its answer costs."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every torch programme uses

from gadoscope.errors import ConfigError


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
