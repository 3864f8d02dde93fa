"""Several networks that answer as one: the mean of their logits.

One seed scatters, and the mean of a few scatters less. The members never meet in training: each looks at
images of its own and has the gradients that it would have alone.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from gadoscope.models.network import Answer, Layer, Network, gate_of, kinds_of, phase_of

Combination = Callable[[list[Tensor]], Tensor]

COLUMN_AXIS = 3
"""Of (n, channel, row, column)."""


class Average(Network):
    """The mean logit of ``members``, each of a slice and, if ``mirrored``, of its mirror image too.

    Parameters
    ----------
    members
        Networks of one kind, one or more.
    mirrored
        Whether left and right are exchanged for a second look. A slice and its mirror image then have
        the same logit.
    """

    def __init__(self, members: Sequence[Network], *, mirrored: bool = False) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.mirrored = mirrored
        self.n_features = members[0].n_features
        self.dropout_rate = members[0].dropout_rate

    def forward(self, images: Tensor, keep: Tensor | None = None) -> Answer:
        """Return the logits; in training those of each member on its own part of the images.

        Parameters
        ----------
        images
            As `Network.forward` says. In training the images of all members one after the other, of
            each the same number; the logits come in the same order.
        """
        if self.training:
            return self._learn(images, keep)
        views = [images, images.flip(COLUMN_AXIS)] if self.mirrored else [images]
        answers = [member(view) for member in self.members for view in views]
        return _combine(answers, lambda logits: torch.stack(logits).mean(dim=0))

    def _learn(self, images: Tensor, keep: Tensor | None) -> Answer:
        n = len(self.members)
        masks = [None] * n if keep is None else keep.chunk(n)
        parts = zip(self.members, images.chunk(n), masks, strict=True)
        return _combine([member(part, mask) for member, part, mask in parts], torch.cat)

    def layers(self) -> list[Layer]:
        """Return the layer table of every member, numbered from 0 as in the names of the weights."""
        first, *_ = tables = [member.layers() for member in self._networks()]
        return [
            first[0],
            *(
                layer._replace(name=f"members.{index}.{layer.name}")
                for index, table in enumerate(tables)
                for layer in table[1:]
            ),
            Layer("mean", (1,), 0),
        ]

    def _networks(self) -> list[Network]:
        return [member for member in self.members if isinstance(member, Network)]


def _combine(answers: Sequence[Answer], how: Combination) -> Answer:
    phase = how([phase_of(answer) for answer in answers])
    gates = [gate for gate in map(gate_of, answers) if gate is not None]
    kinds = [of_kind for of_kind in map(kinds_of, answers) if of_kind is not None]
    if kinds:
        return phase, how(gates), how(kinds)
    return (phase, how(gates)) if gates else phase
