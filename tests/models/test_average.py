"""Several networks that answer as one."""

from typing import Any

import pytest
import torch
from torch import Tensor

from gadoscope.errors import ConfigError
from gadoscope.models.average import Average
from gadoscope.models.network import Network, gate_of, phase_of
from gadoscope.models.registry import build_network
from tests.models.test_compact import scatter

SIZE = 64


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(6, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


def build(**options: Any) -> Network:
    network = build_network("compact", 3, **options)
    scatter(network)
    return network


def members(network: Network) -> list[Network]:
    assert isinstance(network, Average)
    return [member for member in network.members if isinstance(member, Network)]


def test_the_answer_is_the_mean_logit_of_the_members(images: Tensor) -> None:
    network = build(members=3, with_gate=True).eval()
    with torch.no_grad():
        answers = [member(images) for member in members(network)]
        for choose in (phase_of, gate_of):
            logits = [choose(answer) for answer in answers]
            mean = torch.stack([one for one in logits if one is not None]).mean(dim=0)
            torch.testing.assert_close(choose(network(images)), mean)


def test_a_mirrored_network_answers_alike_on_a_slice_and_its_mirror_image(images: Tensor) -> None:
    network = build(mirrored=True).eval()
    with torch.no_grad():
        torch.testing.assert_close(network(images), network(images.flip(3)))
        alone = members(network)[0]
        assert not torch.allclose(alone(images), alone(images.flip(3)))


def test_in_training_each_member_sees_its_own_part_alone(images: Tensor) -> None:
    network = build(members=2).train()
    keep = torch.rand(6, network.n_features)
    logits = phase_of(network(images, keep))
    torch.testing.assert_close(
        logits[:3], phase_of(members(build(members=2))[0].train()(images[:3], keep[:3]))
    )
    logits[:3].sum().backward()  # type: ignore[no-untyped-call]  # torch's gap
    first, second = members(network)
    assert all(parameter.grad is not None for parameter in first.parameters())
    assert all(parameter.grad is None or not parameter.grad.any() for parameter in second.parameters())


def test_a_member_has_the_weights_of_its_own_seed() -> None:
    pair = members(build_network("compact", 3, members=2))
    for seed, member in enumerate(pair, start=3):
        alone = build_network("compact", seed)
        assert torch.equal(member.get_parameter("conv2.weight"), alone.get_parameter("conv2.weight"))


def test_the_layer_table_counts_every_member() -> None:
    one, three = build_network("compact", 3), build_network("compact", 3, members=3)
    counts = [sum(layer.parameters for layer in network.layers()) for network in (one, three)]
    assert counts[1] == 3 * counts[0] == sum(parameter.numel() for parameter in three.parameters())


def test_one_network_without_a_mirror_is_no_average() -> None:
    assert not isinstance(build_network("compact", 3), Average)


def test_the_lessons_network_has_no_gate() -> None:
    with pytest.raises(ConfigError, match='the network "siim" has no gate; set network to one of: compact'):
        build_network("siim", 3, with_gate=True)
