"""What the gate costs in training, and where its threshold is frozen."""

import numpy as np
import pytest
import torch

from gadoscope.decision.calibration import sigmoid
from gadoscope.decision.gate import check_t1_brain
from gadoscope.errors import ConfigError, ManifestError
from gadoscope.training.gate import GateConfig, freeze_gate, gate_loss


def test_there_is_no_gate_unless_something_shows_what_no_t1_brain_is() -> None:
    assert GateConfig().is_off
    assert not GateConfig(counterexamples=0.2).is_off
    assert not GateConfig(use_other=True).is_off


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"counterexamples": 1.0}, "gate.counterexamples is 1.0; expected a share of the batch"),
        ({"counterexamples": -0.1}, "gate.counterexamples is -0.1"),
        ({"weight": 0.0}, "gate.weight is 0.0; expected a number above 0"),
        ({"weight": float("nan")}, "gate.weight is nan"),
        ({"max_refused": 1.0}, "gate.max_refused is 1.0; expected a share"),
    ],
)
def test_senseless_settings_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GateConfig(**wrong)  # type: ignore[arg-type]  # all of them numbers


def test_an_image_without_a_phase_costs_only_what_the_gate_says_of_it() -> None:
    phase_losses = torch.tensor([0.3, 0.9])
    gate_logits, is_t1 = torch.tensor([2.0, -1.0]), torch.tensor([1.0, 0.0])
    losses = gate_loss(phase_losses, gate_logits, is_t1, GateConfig(counterexamples=0.5, weight=0.25))
    expected = [0.3 + 0.25 * np.log1p(np.exp(-2.0)), 0.25 * np.log1p(np.exp(-1.0))]
    np.testing.assert_allclose(losses.numpy(), expected, rtol=1e-6)


def _freeze(t1: list[float], other: list[float], max_refused: float) -> float:
    logit = np.array([*t1, *other])
    is_t1 = np.arange(logit.size) < len(t1)
    config = GateConfig(counterexamples=0.25, use_other=True, max_refused=max_refused)
    return freeze_gate(is_t1, logit, np.arange(logit.size), config).threshold


def test_the_threshold_is_the_highest_that_refuses_few_enough() -> None:
    t1 = [-3.0, -2.0, -1.0, *[4.0] * 7]
    assert np.isclose(_freeze(t1, [], 0.0), sigmoid(np.array(-3.0)), atol=1e-3)
    assert np.isclose(_freeze(t1, [], 0.1), sigmoid(np.array(-2.5)))
    assert np.isclose(_freeze(t1, [], 0.29), sigmoid(np.array(-1.5)))


def test_the_threshold_does_not_depend_on_the_other_images() -> None:
    assert _freeze([-3.0, 2.0], [], 0.0) == _freeze([-3.0, 2.0], [-2.0, 5.0], 0.0)


def test_where_all_are_sure_the_threshold_stays_where_the_next_hospital_may_pass() -> None:
    # Of 66 images that a batch of 48 shows the gate, 12 are drawn and 6 labelled other.
    assert np.isclose(_freeze([9.0, 8.0, 12.0], [-9.0], 0.3), 48 / 66)


def test_every_t1_brain_of_validation_passes_where_none_may_be_refused() -> None:
    logit = np.array([-0.731, 3.0, 5.0])
    gate = freeze_gate(np.ones(3, bool), logit, np.arange(3), GateConfig(max_refused=0.0))
    for one in logit.astype(np.float32).astype(np.float64):
        check_t1_brain(np.array([one]), gate)
    assert gate.reached == "It refuses 0 of 3 T1 brains."


def test_a_subject_with_many_images_counts_once() -> None:
    # Nine bad images of one subject of ten: by images 50 % would be refused, by subjects 10 %.
    logit = np.array([*[-2.0] * 9, *[0.0] * 9])
    group = np.array([*["a"] * 9, *"bcdefghij"])
    gate = freeze_gate(np.ones(18, bool), logit, group, GateConfig(max_refused=0.1))
    assert np.isclose(gate.threshold, sigmoid(np.array(-1.0)))
    assert gate.reached == "It refuses 9 of 18 T1 brains."


def test_what_was_reached_is_said_of_both_kinds() -> None:
    is_t1, logit = np.array([True, True, False, False]), np.array([3.0, 2.0, -1.0, 1.5])
    gate = freeze_gate(is_t1, logit, np.arange(4), GateConfig(counterexamples=0.25))
    assert gate.chosen_on == "validation: 2 images of T1 brains, 2 other images"
    assert gate.reached == "It refuses 0 of 2 T1 brains and 1 of 2 other images."


def test_no_t1_brain_or_no_number_gives_no_threshold() -> None:
    with pytest.raises(ManifestError, match="validation holds no T1 brain"):
        freeze_gate(np.zeros(2, bool), np.zeros(2), np.arange(2), GateConfig())
    with pytest.raises(ManifestError, match="not a finite number"):
        freeze_gate(np.ones(2, bool), np.array([1.0, np.nan]), np.arange(2), GateConfig())
