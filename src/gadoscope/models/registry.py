"""The networks that a config can name."""

from collections.abc import Callable
from functools import partial

import torch

from gadoscope.errors import ConfigError
from gadoscope.models.average import Average
from gadoscope.models.compact import Compact
from gadoscope.models.network import Network
from gadoscope.models.siim import Siim

NETWORKS: dict[str, Callable[[torch.Generator], Network]] = {"siim": Siim, "compact": Compact}
"""Each builds a network whose weights come from the generator alone."""

GATED_NETWORKS: dict[str, Callable[[torch.Generator], Network]] = {
    "compact": partial(Compact, with_gate=True)
}
"""The same with a second answer: whether the slice is of a T1 brain."""


def build_network(
    name: str, seed: int, *, members: int = 1, mirrored: bool = False, with_gate: bool = False
) -> Network:
    """Return the network called ``name`` with the weights that ``seed`` gives.

    Parameters
    ----------
    members
        So many networks, of the seeds from ``seed`` on, whose logits are averaged.
    mirrored
        Whether each slice is looked at twice, as it is and mirrored.
    with_gate
        Whether it also says if a slice is of a T1 brain.

    Raises
    ------
    ConfigError
        If no network has that name, or it has no gate.
    """
    if name not in NETWORKS:
        known = ", ".join(sorted(NETWORKS))
        raise ConfigError(f'there is no network "{name}"; set network to one of: {known}.')
    if with_gate and name not in GATED_NETWORKS:
        known = ", ".join(sorted(GATED_NETWORKS))
        raise ConfigError(f'the network "{name}" has no gate; set network to one of: {known}.')
    build = (GATED_NETWORKS if with_gate else NETWORKS)[name]
    networks = [build(torch.Generator().manual_seed(seed + number)) for number in range(members)]
    return networks[0] if members == 1 and not mirrored else Average(networks, mirrored=mirrored)
