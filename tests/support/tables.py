"""Small tables of predictions for the tests of the evaluation."""

import numpy as np
from numpy.typing import NDArray

from gadoscope.evaluation.summary import Frozen, Scale
from gadoscope.statistics.table import Predictions

POINT = {
    "threshold": 0.5,
    "lower": 0.5,
    "upper": 0.5,
    "rule": "balanced_accuracy",
    "chosen_on": "validation: 9 images",
}


FROZEN = Frozen(of_slices=Scale(point=POINT), of_series=Scale(point=POINT), draws=200)
"""What a bundle without calibration freezes, with fewer draws than a report takes."""


def frozen(**point: float) -> Frozen:
    """Return `FROZEN` at another operating point."""
    scale = Scale(point={**POINT, **point})
    return Frozen(of_slices=scale, of_series=scale, draws=FROZEN.draws)


def make_predictions(
    is_post: list[int] | NDArray[np.bool_],
    probability: list[float] | NDArray[np.float64],
    *,
    source: list[str] | str = "hospital",
    subject: list[str] | None = None,
    split: list[str] | str = "test",
    plane: list[str] | str = "sagittal",
    **attributes: list[str],
) -> Predictions:
    """Return a table; without ``subject`` the subjects are unknown."""
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
        attributes={name: np.array(values, dtype=np.str_) for name, values in attributes.items()},
    )


def lesson_test_set() -> Predictions:
    """Return scores with the lesson's published test confusion at 0.5: [[451, 3], [6, 111]]."""
    probability = [0.1] * 451 + [0.9] * 3 + [0.2] * 6 + [0.95] * 111
    return make_predictions([0] * 454 + [1] * 117, probability)
