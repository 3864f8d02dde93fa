"""Small tables of predictions for the tests of the evaluation."""

import numpy as np
from numpy.typing import NDArray

from gadoscope.evaluation.predictions import Predictions

POINT = {
    "threshold": 0.5,
    "lower": 0.5,
    "upper": 0.5,
    "rule": "balanced_accuracy",
    "chosen_on": "validation: 9 images",
}


def make_predictions(
    is_post: list[int] | NDArray[np.bool_],
    probability: list[float] | NDArray[np.float64],
    *,
    source: list[str] | str = "hospital",
    subject: list[str] | None = None,
    split: list[str] | str = "test",
    plane: str = "sagittal",
) -> Predictions:
    """Return a table; without ``subject`` the subjects are unknown."""
    n = len(is_post)
    share = np.array(probability, dtype=np.float64)
    return Predictions(
        path=np.array([f"/data/{row:03}.png" for row in range(n)]),
        subject_id=np.array(subject if subject is not None else [""] * n, dtype=np.str_),
        source=np.array([source] * n if isinstance(source, str) else source, dtype=np.str_),
        plane=np.array([plane] * n, dtype=np.str_),
        split=np.array([split] * n if isinstance(split, str) else split, dtype=np.str_),
        is_post=np.array(is_post, dtype=np.bool_),
        logit=np.log(share / (1 - share)),
        probability=share,
    )


def lesson_test_set() -> Predictions:
    """Return scores with the lesson's published test confusion at 0.5: [[451, 3], [6, 111]]."""
    probability = [0.1] * 451 + [0.9] * 3 + [0.2] * 6 + [0.95] * 111
    return make_predictions([0] * 454 + [1] * 117, probability)
