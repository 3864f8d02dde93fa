"""Networks by name."""

import pytest
import torch

from gadoscope.errors import ConfigError
from gadoscope.models.registry import build_network
from gadoscope.models.siim import Siim


def test_a_network_is_built_from_its_name_and_seed() -> None:
    network = build_network("siim", seed=5)
    assert isinstance(network, Siim)
    expected = Siim(torch.Generator().manual_seed(5))
    assert torch.equal(network.dense1.weight, expected.dense1.weight)


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match='no network "resnet"; set network to one of: compact, siim'):
        build_network("resnet", seed=5)
