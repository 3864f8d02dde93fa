"""The gate lets T1 brains pass and says why it refuses the rest."""

from dataclasses import replace

import numpy as np
import pytest

from gadoscope.decision.gate import Gate, check_t1_brain
from gadoscope.errors import ReadError, RefusedError
from gadoscope.labels import OtherKind, Status
from gadoscope.records import to_plain

GATE = Gate(threshold=0.4, max_refused=0.005, chosen_on="nothing: for tests")
AT_THRESHOLD = float(np.log(0.4 / 0.6))


def test_what_reaches_the_threshold_passes() -> None:
    check_t1_brain(np.array([AT_THRESHOLD + 1e-9]), GATE)
    check_t1_brain(np.array([50.0]), GATE)


def test_what_does_not_is_refused_with_both_numbers() -> None:
    with pytest.raises(
        RefusedError, match=r"not_t1_brain: .* \(0\.119; this model answers from 0\.4 on\)"
    ) as caught:
        check_t1_brain(np.array([-2.0]), GATE)
    assert caught.value.status is Status.REFUSED


def test_of_a_volume_the_mean_counts_so_one_odd_slice_refuses_nothing() -> None:
    check_t1_brain(np.array([4.0, 4.0, -5.0]), GATE)
    with pytest.raises(RefusedError):
        check_t1_brain(np.array([-4.0, -4.0, 5.0]), GATE)


def test_a_refusal_says_what_the_slices_look_like_where_the_network_is_sure_of_it() -> None:
    saying = replace(GATE, kinds=tuple(OtherKind))
    logits = np.array([-2.0, -2.0])
    for index, words in enumerate(
        ("a T2-weighted image", "a FLAIR image", "something that is no brain", "blank")
    ):
        kinds = np.zeros((2, len(OtherKind)))
        kinds[:, index] = 5.0
        with pytest.raises(RefusedError, match=rf"not_t1_brain: the pixels look like .*{words}") as caught:
            check_t1_brain(logits, saying, kinds)
        assert "not like a T1-weighted brain (0.119" in str(caught.value)
    for unsure in (np.zeros((2, len(OtherKind))), np.full((2, len(OtherKind)), np.nan), None):
        with pytest.raises(RefusedError, match="the pixels do not look like a T1-weighted brain"):
            check_t1_brain(logits, saying, unsure)


def test_a_gate_without_kinds_is_written_as_it_always_was() -> None:
    assert list(to_plain(GATE)) == ["threshold", "max_refused", "chosen_on", "reached"]
    assert to_plain(replace(GATE, kinds=(OtherKind.FLAIR,)))["kinds"] == ["flair"]


def test_a_logit_that_is_no_number_is_a_failure_not_a_refusal() -> None:
    with pytest.raises(ReadError, match="no_number"):
        check_t1_brain(np.array([1.0, np.nan]), GATE)


@pytest.mark.parametrize("wrong", [{"threshold": -0.1}, {"threshold": float("nan")}, {"max_refused": 1.1}])
def test_a_threshold_that_is_no_probability_is_refused(wrong: dict[str, float]) -> None:
    values = {"threshold": 0.5, "max_refused": 0.0, **wrong}
    with pytest.raises(ValueError, match=f"gate must hold {next(iter(wrong))} from 0 to 1"):
        Gate(threshold=values["threshold"], max_refused=values["max_refused"], chosen_on="nothing")
