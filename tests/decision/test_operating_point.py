"""Probability to phase."""

import numpy as np
import pytest

from gadoscope.decision.operating_point import OperatingPoint, decide
from gadoscope.labels import Phase


def _point(lower: float, upper: float) -> OperatingPoint:
    return OperatingPoint(
        threshold=(lower + upper) / 2, lower=lower, upper=upper, rule="by hand", chosen_on="nothing"
    )


@pytest.mark.parametrize(
    ("probability", "phase"),
    [
        (0.0, Phase.PRE_CONTRAST),
        (np.nextafter(0.4, 0), Phase.PRE_CONTRAST),
        (0.4, Phase.INDETERMINATE),
        (np.nextafter(0.6, 0), Phase.INDETERMINATE),
        (0.6, Phase.POST_CONTRAST),
        (1.0, Phase.POST_CONTRAST),
    ],
)
def test_the_band_holds_its_lower_end_and_not_its_upper(probability: float, phase: Phase) -> None:
    assert decide(probability, _point(0.4, 0.6)) is phase


def test_an_empty_band_never_abstains_and_the_threshold_itself_is_post_contrast() -> None:
    point = _point(0.5, 0.5)
    assert decide(0.5, point) is Phase.POST_CONTRAST
    assert decide(float(np.nextafter(0.5, 0)), point) is Phase.PRE_CONTRAST


@pytest.mark.parametrize("probability", [float("nan"), -0.1, 1.1])
def test_what_is_no_probability_is_not_decided(probability: float) -> None:
    with pytest.raises(ValueError, match="lies in"):
        decide(probability, _point(0.5, 0.5))
