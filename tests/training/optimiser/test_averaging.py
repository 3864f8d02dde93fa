"""The moving average of weights, against its own formula."""

import pytest
import torch

from gadoscope.errors import ConfigError
from gadoscope.models.compact import Norm
from gadoscope.training.optimiser.averaging import AveragingConfig, WeightAverage


def make() -> Norm:
    norm = Norm(2)
    norm.initialise(1.0)
    return norm


def test_the_mean_is_that_of_the_formula_with_weights_and_running_figures_alike() -> None:
    network = make()
    average = WeightAverage(network, decay=0.9)
    expected = torch.tensor(1.0, dtype=torch.float64)
    for step in range(1, 200):
        with torch.no_grad():
            network.weight.fill_(float(step))
            network.running_var.fill_(float(step))
        average.update()
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    for name in ("weight", "running_var"):
        torch.testing.assert_close(average.mean[name], expected.float().expand(2))


def test_the_first_weights_are_soon_forgotten() -> None:
    network = make()
    average = WeightAverage(network, decay=0.999)
    with torch.no_grad():
        network.weight.fill_(5)
    for _ in range(50):
        average.update()
    # A decay of 0.999 from the first step on would still hold 95 % of the start.
    assert average.mean["weight"][0] > 4.9


def test_the_network_has_the_mean_for_a_while_and_then_its_own_weights() -> None:
    network = make()
    average = WeightAverage(network, decay=0.5)
    with torch.no_grad():
        network.bias.fill_(3)
    with average.in_place():
        assert torch.equal(network.bias, torch.zeros(2))
    assert torch.equal(network.bias, torch.full((2,), 3.0))
    average.give()
    assert torch.equal(network.bias, torch.zeros(2))


def test_a_decay_of_one_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"averaging\.decay is 1; expected a number of 0 or more and below 1"
    ):
        AveragingConfig(decay=1)
