"""What every network is to training, export and explanation, whichever layers it has."""

from abc import ABC, abstractmethod
from typing import NamedTuple

from torch import Tensor, nn

Answer = Tensor | tuple[Tensor, Tensor] | tuple[Tensor, Tensor, Tensor]
"""Logits of POST_CONTRAST, shape (n,); of a network with a gate also those of "a T1 brain", shape (n,), and,
where it has learned to say what else an image is, of each kind, shape (n, n_kinds)."""


class Layer(NamedTuple):
    """One row of the layer table."""

    name: str
    output_shape: tuple[int, ...]
    """Without the batch; images as (row, column, channel), as Keras prints them."""
    parameters: int


class Network(nn.Module, ABC):
    """Grey slices in, logits out.

    Attributes
    ----------
    n_features
        Features that the dropout sees.
    dropout_rate
        Share of them that training drops.
    """

    n_features: int
    dropout_rate: float

    @abstractmethod
    def forward(self, images: Tensor, keep: Tensor | None = None) -> Answer:
        """Return the logits.

        Parameters
        ----------
        images
            Grey slices in [0, 1], shape (n, 1, size, size), float.
        keep
            Dropout mask, shape (n, n_features): 0 where a feature is dropped, 1 / (1 - rate) where it is
            kept. ``None`` at inference. It is an argument, not a random draw in here, so that the mask of
            an image cannot depend on batch size, rank or resume.
        """

    @abstractmethod
    def layers(self) -> list[Layer]:
        """Return the layer table."""


def phase_of(answer: Answer) -> Tensor:
    """Return the logits of POST_CONTRAST, shape (n,)."""
    return answer[0] if isinstance(answer, tuple) else answer


def gate_of(answer: Answer) -> Tensor | None:
    """Return the logits of "a T1 brain", shape (n,), or None of a network without a gate."""
    return answer[1] if isinstance(answer, tuple) else None


def kinds_of(answer: Answer) -> Tensor | None:
    """Return the logits of what else an image is, shape (n, n_kinds), or None where that is not known."""
    return answer[2] if isinstance(answer, tuple) and len(answer) > 2 else None  # noqa: PLR2004 - the third


def count_parameters(module: nn.Module) -> int:
    """Return how many numbers training changes in ``module``."""
    return sum(parameter.numel() for parameter in module.parameters())
