"""The gate in training: what its second answer costs, and where its threshold is frozen."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every torch programme uses
from numpy.typing import NDArray

from gadoscope.decision.calibration import sigmoid
from gadoscope.decision.gate import Gate
from gadoscope.errors import ConfigError, ManifestError
from gadoscope.wording import plural

OTHER_SHARE = 0.125
"""Images labelled other that join each batch, as a share of it: 6 of 48, of every source alike."""

MARGIN = 1e-3
"""In logits, below the least sure image where none may be refused: ONNX Runtime and torch round apart."""


@dataclass(frozen=True, kw_only=True)
class GateConfig:
    """Whether the network also learns to tell a T1 brain from everything else.

    Parameters
    ----------
    counterexamples
        Images drawn for each batch that show no T1 brain, as a share of the batch; 0 for none.
    use_other
        Whether the images that the manifest labels ``other`` take part.
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
    weight: float = 0.5
    max_refused: float = 0.005

    def __post_init__(self) -> None:
        if not 0 <= self.counterexamples < 1:
            raise ConfigError(
                f"gate.counterexamples is {self.counterexamples}; expected a share of the batch, 0 or more "
                "and below 1."
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
        return 1 / (1 + self.counterexamples + OTHER_SHARE * self.use_other)


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


def freeze_gate(
    is_t1: NDArray[np.bool_],
    logit: NDArray[np.float64],
    group: NDArray[np.generic],
    config: GateConfig,
) -> Gate:
    """Choose the threshold on validation images: the highest one that refuses few enough T1 brains.

    Each subject counts once, whatever the number of its images. The threshold lies half way, in logits,
    between the least sure image that passes and the surest one that does not, and at ``config.t1_share`` at
    most: where validation holds few images, or all of them are sure, the strictest threshold lies close to
    1, and the next hospital's images would be refused.

    Parameters
    ----------
    is_t1
        Whether each image is a T1 brain; shape (n,).
    logit
        The gate's.
    group
        The subject of each.

    Raises
    ------
    ManifestError
        If no image is a T1 brain, or a logit is not a finite number.
    """
    if not is_t1.any():
        raise ManifestError("validation holds no T1 brain, so the gate has no threshold; add such images.")
    if not np.isfinite(logit).all():
        raise ManifestError("the gate's logit of a validation image is not a finite number; train again.")
    threshold = min(_strictest(logit[is_t1], group[is_t1], config.max_refused), config.t1_share)
    passes = sigmoid(logit) >= threshold
    return Gate(
        threshold=threshold,
        max_refused=config.max_refused,
        chosen_on=f"validation: {plural(int(is_t1.sum()), 'image')} of T1 brains, "
        f"{plural(int((~is_t1).sum()), 'other image')}",
        reached=_describe(passes, is_t1),
    )


def _strictest(logit: NDArray[np.float64], group: NDArray[np.generic], max_refused: float) -> float:
    """Return the probability below which at most ``max_refused`` of the T1 brains lie, subjects alike."""
    _, subject, n_images = np.unique(group, return_inverse=True, return_counts=True)
    order = np.argsort(logit, kind="stable")
    share = np.cumsum(1 / n_images[subject[order]]) / len(n_images)
    n_refused = int(np.searchsorted(share, max_refused + 1e-9, side="right"))  # rounding of the sums
    if n_refused == 0:
        return float(sigmoid(logit[order[0]] - MARGIN))
    middle = (logit[order[n_refused - 1]] + logit[order[min(n_refused, len(order) - 1)]]) / 2
    return float(sigmoid(middle))


def _describe(passes: NDArray[np.bool_], is_t1: NDArray[np.bool_]) -> str:
    refused, others = int((~passes & is_t1).sum()), ~is_t1
    said = f"It refuses {refused} of {plural(int(is_t1.sum()), 'T1 brain')}"
    if others.any():
        said += f" and {int((~passes & others).sum())} of {plural(int(others.sum()), 'other image')}"
    return said + "."
