"""The lesson's network: its figures, and the same function as the lesson's straightforward order."""

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from gadoscope.models.siim import Siim, glorot_uniform_limit, he_uniform_limit, layer_table

PARAMETERS = (448, 2320, 4640, 9248, 18496, 36928, 36928, 65)


def in_the_lessons_order(model: Siim, images: Tensor, keep: Tensor | None = None) -> Tensor:
    """RGB, convolve, ReLU, then pool; flatten as (row, column, channel): what Keras computes, in float64."""
    weights = {name: parameter.double() for name, parameter in model.named_parameters()}
    maps = images.double().repeat(1, 3, 1, 1)
    for index in range(1, 7):
        maps = F.conv2d(maps, weights[f"conv{index}.weight"], weights[f"conv{index}.bias"])
        maps = F.max_pool2d(F.relu(maps), 2)
    features = torch.stack([image.permute(1, 2, 0).reshape(-1) for image in maps])
    if keep is not None:
        features = features * keep
    hidden = F.relu(features @ weights["dense1.weight"].T + weights["dense1.bias"])
    return (hidden @ weights["dense2.weight"].T + weights["dense2.bias"])[:, 0]


@pytest.fixture(scope="module")
def images() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand((2, 1, 12, 12), generator=generator)
    return F.interpolate(coarse, size=(331, 331), mode="bilinear")


def test_the_layer_table_adds_up_to_109073_parameters() -> None:
    rows = layer_table(Siim())
    assert tuple(row.parameters for row in rows if row.parameters) == PARAMETERS
    assert sum(row.parameters for row in rows) == 109_073
    shapes = {row.name: row.output_shape for row in rows}
    assert shapes["conv1"] == (329, 329, 16)
    assert shapes["pool6"] == (3, 3, 64)
    assert shapes["flatten"] == shapes["dropout"] == (576,)
    assert [row.name for row in rows][-3:] == ["dense1", "dense2", "sigmoid"]


def test_the_layer_table_has_the_shapes_that_the_network_really_makes(images: Tensor) -> None:
    model, seen = Siim(), {}
    for name, module in model.named_children():
        module.register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: tuple(out.shape[1:])}))
    model(images)
    for row in layer_table(model):
        if row.name in seen:
            shape = seen[row.name]
            assert row.output_shape == ((*shape[1:], shape[0]) if len(shape) == 3 else shape)


def test_answers_equal_those_of_the_lessons_order(images: Tensor) -> None:
    model = Siim()
    torch.testing.assert_close(
        model(images).double(), in_the_lessons_order(model, images), atol=1e-6, rtol=1e-6
    )


def test_gradients_equal_those_of_the_lessons_order(images: Tensor) -> None:
    ours, naive = Siim(), Siim()
    targets = torch.tensor([0.0, 1.0])
    F.binary_cross_entropy_with_logits(ours(images), targets).backward()  # type: ignore[no-untyped-call]
    F.binary_cross_entropy_with_logits(in_the_lessons_order(naive, images), targets.double()).backward()  # type: ignore[no-untyped-call]
    for (name, parameter), other in zip(ours.named_parameters(), naive.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, other.grad, atol=1e-6, rtol=1e-4, msg=name)


def test_the_three_input_channels_share_one_gradient(images: Tensor) -> None:
    model = Siim()
    model(images).sum().backward()
    gradient = model.get_parameter("conv1.weight").grad
    assert gradient is not None
    assert torch.equal(gradient[:, 0], gradient[:, 1])
    assert torch.equal(gradient[:, 0], gradient[:, 2])


def test_a_dropout_mask_scales_kept_features_and_drops_the_others(images: Tensor) -> None:
    model = Siim()
    keep = (torch.rand((2, model.n_features), generator=torch.Generator().manual_seed(1)) >= 0.2) / 0.8
    expected = in_the_lessons_order(model, images, keep)
    torch.testing.assert_close(model(images, keep).double(), expected, atol=1e-6, rtol=1e-6)
    assert not torch.equal(model(images, keep), model(images))
    torch.testing.assert_close(model(images, torch.ones_like(keep)), model(images))
    bias_alone = model.dense2(F.relu(model.dense1(torch.zeros(2, model.n_features))))[:, 0]
    torch.testing.assert_close(model(images, torch.zeros_like(keep)), bias_alone)


def test_the_same_seed_gives_the_same_weights_and_no_other_does() -> None:
    first, again, other = (Siim(torch.Generator().manual_seed(seed)) for seed in (7, 7, 8))
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
        if name.endswith("weight"):
            assert not torch.equal(weight, other.state_dict()[name])


def test_building_leaves_torchs_global_generator_untouched() -> None:
    before = torch.get_rng_state()
    Siim()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("conv1", math.sqrt(6 / (9 * 3 + 9 * 16))),
        ("conv4", math.sqrt(6 / (9 * 32 + 9 * 32))),
        ("conv5", math.sqrt(6 / (9 * 32 + 9 * 64))),
        ("dense1", math.sqrt(6 / 576)),
        ("dense2", math.sqrt(6 / (64 + 1))),
    ],
)
def test_weights_are_uniform_within_keras_bounds(name: str, limit: float) -> None:
    draws = torch.cat(
        [
            Siim(torch.Generator().manual_seed(seed)).get_parameter(f"{name}.weight").flatten()
            for seed in range(30)
        ]
    )
    draws = draws.detach()
    assert draws.abs().max() <= limit
    assert draws.abs().max() > 0.99 * limit
    # A uniform variable in [-a, a] has the variance a^2 / 3; 5 standard errors of it, and of the mean.
    error = 5 / math.sqrt(len(draws))
    assert float(draws.var()) == pytest.approx(limit**2 / 3, rel=error)
    assert abs(float(draws.mean())) < error * limit


def test_the_bounds_count_the_receptive_field() -> None:
    weight = torch.empty(16, 3, 3, 3)
    assert glorot_uniform_limit(weight) == pytest.approx(math.sqrt(6 / (27 + 144)))
    assert he_uniform_limit(weight) == pytest.approx(math.sqrt(6 / 27))


def test_biases_start_at_zero() -> None:
    biases = [parameter for name, parameter in Siim().named_parameters() if name.endswith("bias")]
    assert len(biases) == 8
    assert not any(bias.any() for bias in biases)


@pytest.mark.parametrize("training", [True, False])
def test_the_dense_path_of_other_devices_gives_the_same_answers_and_gradients(
    images: Tensor, training: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for is_dense in (False, True):
        if is_dense:
            monkeypatch.setattr("gadoscope.models.siim.can_block", lambda *_: False)
        model = Siim().train(training)
        logits = model(images)
        logits.square().sum().backward()
        results.append([logits.detach(), *(parameter.grad for parameter in model.parameters())])
    for blocked, dense in zip(*results, strict=True):
        assert blocked is not None
        assert dense is not None
        torch.testing.assert_close(blocked, dense, rtol=1e-4, atol=1e-6)


def test_bf16_stays_close_to_fp32_on_either_path(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Siim().eval()
    expected = model(images)
    for is_dense in (False, True):
        if is_dense:
            monkeypatch.setattr("gadoscope.models.siim.can_block", lambda *_: False)
        with torch.autocast("cpu", torch.bfloat16):
            answered = model(images).float()
        # bf16 has 8 binary digits: 0.4 % a rounding, several of which add up.
        torch.testing.assert_close(answered, expected, rtol=0.05, atol=0.02)
