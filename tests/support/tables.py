"""Small tables of predictions for the tests of the evaluation."""

import numpy as np
from numpy.typing import NDArray

from gadoscope.decision.calibration import logit_of
from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.decision.operating_point import OperatingPoint
from gadoscope.statistics.table import Predictions

DRAWS = 200
"""Fewer than a report takes."""


def decided(threshold: float = 0.5, band: tuple[float, float] | None = None) -> LevelDecision:
    """Return what holds at one level without calibration; without ``band`` everything is answered."""
    lower, upper = band or (threshold, threshold)
    point = OperatingPoint(
        threshold=threshold,
        lower=lower,
        upper=upper,
        rule="balanced_accuracy",
        chosen_on="validation: 9 images",
    )
    return LevelDecision(point=point)


DECISION = Decision(of_slice=decided())
"""What a bundle without calibration, band and gate freezes."""


def make_predictions(
    is_post: list[int] | NDArray[np.bool_],
    probability: list[float] | NDArray[np.float64],
    *,
    source: list[str] | str = "hospital",
    subject: list[str] | None = None,
    split: list[str] | str = "test",
    plane: list[str] | str = "sagittal",
    t1_brain: NDArray[np.float64] | None = None,
    **attributes: list[str],
) -> Predictions:
    """Return a table; without ``subject`` the subjects are unknown, without ``t1_brain`` there is no gate."""
    n = len(is_post)
    share = np.array(probability, dtype=np.float64)
    return Predictions(
        path=np.array([f"/data/{row:03}.png" for row in range(n)]),
        subject_id=np.array(subject if subject is not None else [""] * n, dtype=np.str_),
        source=np.array([source] * n if isinstance(source, str) else source, dtype=np.str_),
        plane=np.array([plane] * n if isinstance(plane, str) else plane, dtype=np.str_),
        split=np.array([split] * n if isinstance(split, str) else split, dtype=np.str_),
        is_post=np.array(is_post, dtype=np.bool_),
        logit=np.log(share / (1 - share)),
        probability=share,
        t1_brain_logit=None if t1_brain is None else logit_of(t1_brain),
        attributes={name: np.array(values, dtype=np.str_) for name, values in attributes.items()},
    )


def lesson_test_set() -> Predictions:
    """Return scores with the lesson's published test confusion at 0.5: [[451, 3], [6, 111]]."""
    probability = [0.1] * 451 + [0.9] * 3 + [0.2] * 6 + [0.95] * 111
    return make_predictions([0] * 454 + [1] * 117, probability)
