"""The default network: what it is, that its seed is its only origin, and that it needs little."""

import pytest
import torch
from torch import Tensor, nn

from gadoscope.models.compact import INPUT_SIZE, Compact, Norm
from gadoscope.models.network import gate_of, phase_of

BATCH_NORM_EPSILON = 1e-5


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(4, 1, INPUT_SIZE, INPUT_SIZE, generator=torch.Generator().manual_seed(0))


def scatter(model: nn.Module, seed: int = 1) -> None:
    """Draw every weight and running figure anew, so that nothing is 0 or 1 by its start."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if "running_var" in name:
                value.uniform_(0.5, 2, generator=generator)
            elif "conv" not in name:
                value.normal_(0, 0.5, generator=generator)


def by_torchs_own_modules(model: Compact, images: Tensor) -> Tensor:
    """Compute the network from its weights with ``torch.nn`` modules, in the order of the recipe."""
    weights = model.state_dict()

    def convolve(name: str, maps: Tensor) -> Tensor:
        kernel = weights[f"{name}.weight"]
        layer = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1, bias=False)
        layer.load_state_dict({"weight": kernel})
        return layer(maps)  # type: ignore[no-any-return]

    def normalise(name: str, maps: Tensor) -> Tensor:
        layer = nn.BatchNorm2d(maps.shape[1])
        parts = ("weight", "bias", "running_mean", "running_var")
        layer.load_state_dict({part: weights[f"{name}.{part}"] for part in parts}, strict=False)
        return layer.train(model.training)(maps)  # type: ignore[no-any-return]

    maps = images
    for stage in range(1, 6):
        maps = nn.MaxPool2d(2)(convolve(f"conv{stage}", maps))
        maps = normalise(f"norm{stage}", maps).relu()
        if stage >= 3:
            inner = normalise(f"block{stage}.norm1", convolve(f"block{stage}.conv1", maps)).relu()
            maps = (maps + normalise(f"block{stage}.norm2", convolve(f"block{stage}.conv2", inner))).relu()
    features = torch.cat([maps.flatten(2).mean(dim=2), maps.flatten(2).max(dim=2).values], dim=1)
    logits: Tensor = features @ weights["phase.weight"].T[:, 0] + weights["phase.bias"]
    return logits


@pytest.mark.parametrize("training", [True, False])
def test_the_network_is_the_recipes(images: Tensor, training: bool) -> None:
    model = Compact().train(training)
    scatter(model)
    with torch.no_grad():
        expected = by_torchs_own_modules(model, images)
        torch.testing.assert_close(phase_of(model(images)), expected, rtol=1e-4, atol=1e-4)


def test_it_has_0_67_million_parameters_and_its_table_adds_up_to_them() -> None:
    model = Compact(with_gate=True)
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    assert n_parameters == sum(layer.parameters for layer in model.layers()) == 674_897 + 544 * 64 + 64 + 65


def test_the_layer_table_has_the_shapes_that_the_network_really_makes(images: Tensor) -> None:
    model, seen = Compact().eval(), {}
    for name, module in model.named_children():
        module.register_forward_hook(
            lambda _module, _inputs, maps, name=name: seen.update({name: maps.shape[1:]})
        )
    model(images)
    for layer in model.layers():
        if layer.name in seen and layer.name != "phase":
            channels, rows, columns = seen[layer.name]
            assert layer.output_shape == (rows, columns, channels)


def test_the_weights_come_from_the_generator_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, again, other = (Compact(torch.Generator().manual_seed(seed)) for seed in (7, 7, 8))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.get_parameter("conv3.weight"), again.get_parameter("conv3.weight"))
    assert not torch.equal(first.get_parameter("conv3.weight"), other.get_parameter("conv3.weight"))


def test_an_untrained_network_says_one_half(images: Tensor) -> None:
    for answer in (Compact().eval()(images), Compact(with_gate=True).train()(images)[1]):
        assert torch.equal(answer, torch.zeros(4))


def test_a_gate_changes_nothing_of_the_phase(images: Tensor) -> None:
    plain, gated = Compact().eval(), Compact(with_gate=True).eval()
    scatter(plain)
    gated.load_state_dict(plain.state_dict(), strict=False)
    with torch.no_grad():
        assert torch.equal(phase_of(gated(images)), phase_of(plain(images)))
        assert gate_of(plain(images)) is None


def test_a_dropped_feature_has_no_say(images: Tensor) -> None:
    model = Compact().eval()
    scatter(model)
    with torch.no_grad():
        nothing = model(images, torch.zeros(4, model.n_features))
        assert torch.equal(nothing, model.phase.bias.expand(4))


def test_every_weight_learns_once_the_last_layer_has_moved(images: Tensor) -> None:
    model = Compact().train()
    scatter(model)
    phase_of(model(images)).square().sum().backward()  # type: ignore[no-untyped-call]  # torch's gap
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_norm_follows_the_batches_as_torchs_does(images: Tensor) -> None:
    ours, theirs = Norm(1), nn.BatchNorm2d(1, eps=BATCH_NORM_EPSILON)
    ours.initialise(1.0)
    for _ in range(3):
        torch.testing.assert_close(ours(images), theirs(images))
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
