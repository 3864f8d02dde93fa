"""What shows the gate what no T1 brain is, and what its answer costs in training."""

from typing import Any

import numpy as np
import pytest
import torch

from gadoscope.errors import ConfigError
from gadoscope.training.gate import GateConfig, gate_loss


def test_there_is_no_gate_unless_something_shows_what_no_t1_brain_is() -> None:
    assert GateConfig().is_off
    assert not GateConfig(counterexamples=0.2).is_off
    assert not GateConfig(use_other=True).is_off


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"counterexamples": 1.0}, "gate.counterexamples is 1.0; expected a share of the batch"),
        ({"counterexamples": -0.1}, "gate.counterexamples is -0.1"),
        ({"others": 0.0}, "gate.others is 0.0; expected a share of the batch"),
        ({"weight": 0.0}, "gate.weight is 0.0; expected a number above 0"),
        ({"weight": float("nan")}, "gate.weight is nan"),
        ({"shares": {"ct": -0.1}}, "gate.shares.ct is -0.1; expected a number of 0 or more"),
        ({"shares": {"ct": 0.6, "mra": 0.6}}, "gate.shares add up to 1.2; expected 1 at most"),
        ({"max_refused": 1.0}, "gate.max_refused is 1.0; expected a share"),
    ],
)
def test_senseless_settings_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GateConfig(**wrong)


def test_an_image_without_a_phase_costs_only_what_the_gate_says_of_it() -> None:
    phase_losses = torch.tensor([0.3, 0.9])
    gate_logits, is_t1 = torch.tensor([2.0, -1.0]), torch.tensor([1.0, 0.0])
    losses = gate_loss(phase_losses, gate_logits, is_t1, GateConfig(counterexamples=0.5, weight=0.25))
    expected = [0.3 + 0.25 * np.log1p(np.exp(-2.0)), 0.25 * np.log1p(np.exp(-1.0))]
    np.testing.assert_allclose(losses.numpy(), expected, rtol=1e-6)


def test_an_image_that_looks_no_more_like_a_t1_brain_than_like_the_rest_has_the_share_of_t1_brains() -> None:
    # Of 66 images that a batch of 48 shows the gate, 12 are drawn and 6 labelled other.
    assert GateConfig(counterexamples=0.25, use_other=True).t1_share == pytest.approx(48 / 66)
    assert GateConfig(use_other=True, others=0.25).t1_share == pytest.approx(48 / 60)


def test_each_source_of_no_t1_brain_is_as_likely_as_its_share_and_the_rest_by_the_root_of_their_numbers() -> (
    None
):
    sources = ["ct"] * 9 + ["flair"] * 4 + ["vqamed"] * 5
    plain = GateConfig(use_other=True).chances_of(sources)
    np.testing.assert_allclose(
        [plain[:9].sum(), plain[9:13].sum(), plain[13:].sum()], np.sqrt([9, 4, 5]) / np.sqrt([9, 4, 5]).sum()
    )
    config = GateConfig(use_other=True, shares={"vqamed": 0.5, "held out": 0.25})
    chances = config.chances_of(sources)  # the rest has 0.25 of the 0.75 that are left
    np.testing.assert_allclose(
        [chances[:9].sum(), chances[9:13].sum(), chances[13:].sum()], [1 / 3 * 3 / 5, 1 / 3 * 2 / 5, 2 / 3]
    )
    with pytest.raises(ConfigError, match=r"gate\.shares are all 0"):
        GateConfig(shares={"held out": 1.0}).chances_of(sources)
    assert len(GateConfig(use_other=True).chances_of([])) == 0
