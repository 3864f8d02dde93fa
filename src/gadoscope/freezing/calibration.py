"""Fitting what makes a probability mean what it says: on validation logits, each subject counting once."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from gadoscope.arrays import Bools, Floats
from gadoscope.decision.calibration import METHODS, MIN_SLOPE, Calibration
from gadoscope.errors import ManifestError
from gadoscope.freezing.held_out import Candidate, Fit, compare_losses, held_out_losses
from gadoscope.freezing.strata import weigh_strata
from gadoscope.statistics.columns import check_scores
from gadoscope.statistics.folds import deal_folds, weigh_by_subject
from gadoscope.statistics.metrics import has_both_classes

# A temperature outside would turn logits of 10 into 0.1 or 1,000: no network that learned needs it.
TEMPERATURES = (0.01, 100.0)
# Errors in each class that are taken for granted, in subjects, beside what was seen. Platt takes a whole one:
# by simulation (10 to 40 subjects, AUC 0.92 and 0.99) that makes a network too unsure by 0.05 to 0.16 nats;
# with a tenth a network that was right before loses 0.02 at most on average, and one that was not gains.
PRIOR_ERRORS = 0.1


def fit_calibration(
    is_post: Annotated[Bools, "n"],
    logit: Annotated[Floats, "n"],
    group: Annotated[NDArray[np.generic], "n"],
    method: str = "temperature",
    *,
    stratum: Annotated[NDArray[np.generic], "n"] | None = None,
) -> Calibration:
    """Return the calibration with the least log loss, each subject counting once.

    The labels are taken as (n + e) / (n + 2 e) and e / (n + 2 e) instead of 1 and 0, n the subjects of the
    class and e ``PRIOR_ERRORS``: so perfect separation gives no infinite slope, and a few dozen subjects no
    certainty. What is fitted holds where contrast is as common as among these subjects.

    Parameters
    ----------
    is_post, logit, group
        Label, logit and subject of each validation image, shape (n,).
    method
        One of `gadoscope.decision.calibration.METHODS`.
    stratum
        Hospital and plane of each image, shape (n,): they weigh as `weigh_strata` says then, and not by
        subject alone.

    Raises
    ------
    ManifestError
        If a class is missing or a logit is not a finite number.
    ValueError
        If the method is unknown.

    References
    ----------
    Platt, Advances in Large Margin Classifiers, MIT Press 1999 (such targets)
    """
    if method not in METHODS:
        raise ValueError(f"calibration by {method!r} is unknown; choose one of {', '.join(METHODS)}.")
    check_scores(is_post, logit)
    if not has_both_classes(is_post):
        missing = "pre" if is_post.any() else "post"
        raise ManifestError(
            f"no {missing}-contrast image among the {is_post.size} to calibrate on; "
            "a calibration needs both classes: add some or change the split."
        )
    weight = weigh_by_subject(group)
    if stratum is not None:
        weight = weigh_strata(is_post, stratum, group) * weight.sum() / weight.size
    target = _soften(is_post, weight)
    if method == "temperature":
        return _fit_temperature(logit, target, weight)
    if method == "beta":
        return _fit_beta(logit, target, weight)
    return Calibration()


def choose_calibration(
    is_post: Bools,
    logit: Floats,
    group: NDArray[np.generic],
    *,
    stratum: NDArray[np.generic] | None = None,
) -> tuple[Calibration, tuple[Candidate, ...]]:
    """Return the simplest calibration that is as good as the best, and what each method reaches.

    Each method is fitted on four fifths of the subjects and judged on the last, in turn. The first of
    none, temperature, beta within one standard error of the least log loss is fitted on all, by ``stratum``
    as `fit_calibration` does.

    Raises
    ------
    ManifestError
        As `fit_calibration` does. With one subject in a class no choice can be measured: the method is
        ``none``, the candidates are empty.
    """
    check_scores(is_post, logit)
    fold = deal_folds(is_post, group)
    if fold is None:
        return fit_calibration(is_post, logit, group, "none"), ()
    losses = {method: held_out_losses(is_post, logit, group, fold, _fit_with(method)) for method in METHODS}
    candidates = compare_losses(losses)
    chosen = next(row.name for row in candidates if row.worse_by <= row.standard_error)
    return fit_calibration(is_post, logit, group, chosen, stratum=stratum), candidates


def _fit_with(method: str) -> Fit:
    return lambda is_post, logit, group: fit_calibration(is_post, logit, group, method).apply_logit


def _soften(is_post: Bools, weight: Floats) -> Floats:
    n_post, n_pre = float(weight[is_post].sum()), float(weight[~is_post].sum())
    post = (n_post + PRIOR_ERRORS) / (n_post + 2 * PRIOR_ERRORS)
    return np.where(is_post, post, PRIOR_ERRORS / (n_pre + 2 * PRIOR_ERRORS))


def _loss(logit: Floats, target: Floats, weight: Floats) -> float:
    return float(weight @ (np.logaddexp(0, logit) - target * logit))


def _fit_temperature(logit: Floats, target: Floats, weight: Floats) -> Calibration:
    # Convex in 1 / temperature, so it has one minimum in its logarithm, too.
    result = minimize_scalar(
        lambda log_temperature: _loss(logit / np.exp(log_temperature), target, weight),
        bounds=tuple(np.log(TEMPERATURES)),
        method="bounded",
        options={"xatol": 1e-8},
    )
    return Calibration("temperature", {"temperature": float(np.exp(result.x))})


def _fit_beta(logit: Floats, target: Floats, weight: Floats) -> Calibration:
    features = np.column_stack([-np.logaddexp(0, -logit), np.logaddexp(0, logit), np.ones_like(logit)])

    def loss_and_slope(parameters: Floats) -> tuple[float, Floats]:
        calibrated = features @ parameters
        probability = 0.5 * (1 + np.tanh(calibrated / 2))  # the sigmoid, without overflow
        return _loss(calibrated, target, weight), features.T @ (weight * (probability - target))

    result = minimize(
        loss_and_slope,
        x0=np.array([1.0, 1.0, 0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(MIN_SLOPE, None), (MIN_SLOPE, None), (None, None)],
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000},
    )
    post, pre, intercept = (float(number) for number in result.x)
    return Calibration("beta", {"slope_post": post, "slope_pre": pre, "intercept": intercept})
