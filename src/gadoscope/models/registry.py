"""The networks that a config can name."""

from collections.abc import Callable

import torch

from gadoscope.errors import ConfigError
from gadoscope.models.siim import Siim

NETWORKS: dict[str, Callable[[torch.Generator], Siim]] = {"siim": Siim}
"""Each builds a network whose weights come from the generator alone."""


def build_network(name: str, seed: int) -> Siim:
    """Return the network called ``name`` with the weights that ``seed`` gives.

    Raises
    ------
    ConfigError
        If no network has that name.
    """
    if name not in NETWORKS:
        known = ", ".join(sorted(NETWORKS))
        raise ConfigError(f'there is no network "{name}"; set network to one of: {known}.')
    return NETWORKS[name](torch.Generator().manual_seed(seed))
