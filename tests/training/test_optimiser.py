"""Adam against Keras' own formula, written out in float64."""

import numpy as np
import torch

from gadoscope.training.optimiser import KerasAdam

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
