"""Adam against Keras' own formula in float64, Muon against torch's, which takes matrices alone."""

import numpy as np
import pytest
import torch

from gadoscope.errors import ConfigError
from gadoscope.training.optimiser.adam import KerasAdam
from gadoscope.training.optimiser.build import OptimiserConfig, build_optimiser
from gadoscope.training.optimiser.muon import STEP, orthogonalise

N_STEPS = 30


def test_adam_equals_keras_formula_also_where_gradients_are_as_small_as_epsilon() -> None:
    generator = np.random.default_rng(0)
    # Gradients of 1e-7 are where the place of epsilon shows.
    gradients = generator.normal(size=(N_STEPS, 6)) * np.array([1e-8, 1e-7, 1e-6, 1e-3, 1, 10])
    start = generator.normal(size=6)

    parameter = torch.nn.Parameter(torch.tensor(start))
    optimiser = KerasAdam([parameter], learning_rate=5e-4, betas=(0.9, 0.999), epsilon=1e-7)
    expected, m, v = start.copy(), np.zeros(6), np.zeros(6)
    for t, gradient in enumerate(gradients, start=1):
        parameter.grad = torch.tensor(gradient)
        optimiser.step()
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        rate = 5e-4 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        expected -= rate * m / (np.sqrt(v) + 1e-7)
    np.testing.assert_allclose(parameter.detach().numpy(), expected, rtol=1e-12)


def test_plain_torch_adam_would_differ() -> None:
    steps = []
    for kind in ("keras", "torch"):
        parameter = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
        optimiser = (
            KerasAdam([parameter], learning_rate=1.0, betas=(0.9, 0.999), epsilon=1e-7)
            if kind == "keras"
            else torch.optim.Adam([parameter], lr=1.0, eps=1e-7)
        )
        parameter.grad = torch.full((1,), 1e-7, dtype=torch.float64)
        optimiser.step()
        steps.append(parameter.item())
    assert abs(steps[0]) < 0.1 * abs(steps[1])


def test_adamw_equals_the_papers_formula_and_leaves_offsets_alone() -> None:
    layer = torch.nn.Linear(3, 2).double()
    start = {name: value.detach().clone().numpy() for name, value in layer.named_parameters()}
    config = OptimiserConfig(name="adamw", learning_rate=0.01, weight_decay=0.1)
    optimiser = build_optimiser(layer, config)
    for parameter in layer.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    # The first step of Adam is the learning rate, whatever the gradient.
    np.testing.assert_allclose(
        layer.weight.detach().numpy(), start["weight"] * (1 - 0.01 * 0.1) - 0.01, rtol=1e-5, atol=1e-8
    )
    np.testing.assert_allclose(layer.bias.detach().numpy(), start["bias"] - 0.01, rtol=1e-5, atol=1e-8)


def test_the_learning_rate_rises_then_falls_along_half_a_cosine() -> None:
    config = OptimiserConfig(learning_rate=2.0, schedule="cosine", warmup=4)
    rates = [config.learning_rate_at(step, n_steps=24) for step in range(24)]
    assert rates[:4] == [0.5, 1.0, 1.5, 2.0]
    assert rates[4] == 2.0
    assert rates[14] == pytest.approx(1.0)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert 0 < rates[-1] < 0.02


def test_a_constant_learning_rate_stays() -> None:
    config = OptimiserConfig(learning_rate=5e-4)
    assert {config.learning_rate_at(step, n_steps=10) for step in range(30)} == {5e-4}


def test_weight_decay_without_adamw_is_refused() -> None:
    with pytest.raises(ConfigError, match=r'weight_decay is 0\.1 .* set optimiser\.name to "adamw"'):
        OptimiserConfig(weight_decay=0.1)


@pytest.mark.parametrize("shape", [(32, 144), (128, 96), (48, 48)])
def test_an_orthogonal_step_has_the_singular_vectors_of_the_gradient_and_values_near_one(
    shape: tuple[int, int],
) -> None:
    gradient = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    left, values, right = torch.linalg.svd(gradient, full_matrices=False)
    turned = left.T @ orthogonalise(gradient) @ right.T
    kept = torch.diag(turned)[values > 0.05 * values[0]]
    assert ((kept > 0.6) & (kept < 1.3)).all()
    assert (turned - torch.diag(torch.diag(turned))).abs().max() < 1e-9


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_kernel_steps_as_torchs_muon_steps_the_same_matrix(layout: torch.memory_format) -> None:
    generator = torch.Generator().manual_seed(0)
    layer = torch.nn.Conv2d(8, 12, 3, bias=False).to(memory_format=layout)  # type: ignore[call-overload]  # torch's type stub lacks it
    matrix = torch.nn.Parameter(layer.weight.detach().clone().reshape(12, -1))
    ours = build_optimiser(layer, OptimiserConfig(name="muon", learning_rate=0.01, weight_decay=0.1))
    # Torch's step has a root mean square of 0.2 learning rates.
    rate = 0.01 * STEP / 0.2
    theirs = torch.optim.Muon(
        [matrix], lr=rate, weight_decay=0.1 * 0.01 / rate, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )
    start = matrix.detach().clone()
    for _ in range(N_STEPS):
        gradient = torch.randn(12, 72, generator=generator)
        layer.weight.grad = gradient.reshape(layer.weight.shape).clone(memory_format=layout)
        matrix.grad = gradient
        ours.step()
        theirs.step()  # type: ignore[no-untyped-call]  # of torch
    moved, expected = layer.weight.detach().reshape(12, -1) - start, matrix.detach() - start
    # Torch's rounds of the polynomial are in bfloat16.
    assert (moved - expected).norm() < 0.02 * expected.norm()


def test_muon_leaves_vectors_dense_layers_and_the_first_convolution_to_adamw() -> None:
    def build() -> torch.nn.Module:
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.Conv2d(4, 4, 3), torch.nn.Linear(4, 2))

    networks = {name: build() for name in ("muon", "adamw")}
    for name, network in networks.items():
        optimiser = build_optimiser(network, OptimiserConfig(name=name, learning_rate=0.01, weight_decay=0.1))  # type: ignore[arg-type]  # one of the two names
        for parameter in network.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimiser.step()
    after = [dict(network.named_parameters()) for network in networks.values()]
    different = [name for name in after[0] if not torch.equal(after[0][name], after[1][name])]
    assert different == ["1.weight"]
