from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from gadoscope.decision.calibration import MIN_SLOPE
from gadoscope.errors import ManifestError
from gadoscope.freezing.calibration import choose_calibration, fit_calibration
from gadoscope.statistics.folds import weigh_by_subject
from gadoscope.statistics.metrics import log_losses
from tests.support.simulation import Population

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

CALIBRATED = Population(separation=2.0, n_subjects=400, images_per_subject=3)
OVERCONFIDENT = Population(separation=2.0, n_subjects=400, images_per_subject=3, overconfidence=3.0)


def test_the_temperature_undoes_overconfidence() -> None:
    table = OVERCONFIDENT.draw(np.random.default_rng(1))

    calibration = fit_calibration(table.is_post, table.logit, table.group, "temperature")

    assert calibration.parameters["temperature"] == pytest.approx(3.0, rel=0.1)


def soften(is_post: Bools, weight: Floats) -> Floats:
    """Return targets like Platt's, from the number of subjects in each class and a tenth of an error."""
    n_post, n_pre = float(weight[is_post].sum()), float(weight[~is_post].sum())
    return np.where(is_post, (n_post + 0.1) / (n_post + 0.2), 0.1 / (n_pre + 0.2))


def test_the_temperature_has_the_least_log_loss_that_a_search_finds() -> None:
    table = OVERCONFIDENT.draw(np.random.default_rng(2))
    weight = weigh_by_subject(table.group)
    target = soften(table.is_post, weight)

    def loss(temperature: float) -> float:
        p = 1 / (1 + np.exp(-table.logit / temperature))
        return float(-(weight * (target * np.log(p) + (1 - target) * np.log1p(-p))).sum())

    grid = np.arange(1.5, 5, 0.001)
    reference = grid[np.argmin([loss(temperature) for temperature in grid])]
    calibration = fit_calibration(table.is_post, table.logit, table.group, "temperature")

    assert calibration.parameters["temperature"] == pytest.approx(reference, abs=0.001)


def reference_beta(is_post: Bools, logit: Floats, weight: Floats) -> tuple[float, float, float]:
    """Fit beta calibration as its authors do: logistic regression on ln p and -ln(1 - p)."""
    p = 1 / (1 + np.exp(-logit))
    features = np.column_stack([np.log(p), -np.log(1 - p)])
    target = soften(is_post, weight)  # a soft label is two images, one of each label
    model = LogisticRegression(C=1e10, max_iter=10_000, tol=1e-10).fit(
        np.concatenate([features, features]),
        np.repeat([True, False], len(p)),
        np.concatenate([weight * target, weight * (1 - target)]),
    )
    return (*model.coef_[0], model.intercept_[0])


def test_beta_calibration_is_its_authors_logistic_regression() -> None:
    generator = np.random.default_rng(3)
    is_post = generator.random(4000) < 0.4
    logit = np.where(is_post, generator.normal(1.0, 1.2, 4000), generator.normal(-1.5, 0.8, 4000))
    group = np.arange(4000) // 2

    calibration = fit_calibration(is_post, logit, group, "beta")

    ours = tuple(calibration.parameters[key] for key in ("slope_post", "slope_pre", "intercept"))
    assert ours == pytest.approx(reference_beta(is_post, logit, weigh_by_subject(group)), rel=1e-3)


def test_a_subject_with_many_images_counts_once() -> None:
    table = OVERCONFIDENT.draw(np.random.default_rng(4))
    many = np.where(table.group == 0, 500, 1)

    for method in ("temperature", "beta"):
        once = fit_calibration(table.is_post, table.logit, table.group, method)
        often = fit_calibration(
            np.repeat(table.is_post, many),
            np.repeat(table.logit, many),
            np.repeat(table.group, many),
            method,
        )
        assert dict(often.parameters) == pytest.approx(dict(once.parameters), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("method", ["temperature", "beta"])
def test_perfect_separation_gives_no_certainty_that_subjects_do_not_support(method: str) -> None:
    is_post = np.arange(40) >= 20
    logit = np.where(is_post, 12.0, -12.0)

    highest = fit_calibration(is_post, logit, np.arange(40), method).apply(np.array([12.0]))[0]

    assert highest == pytest.approx(20.1 / 20.2, abs=0.001)


@pytest.mark.parametrize(("overconfidence", "least", "most"), [(1.0, 0.0, 0.03), (4.0, -0.2, -0.1)])
def test_a_dozen_subjects_hardly_spoil_a_good_calibration_and_mend_a_bad_one(
    overconfidence: float, least: float, most: float
) -> None:
    shape: dict[str, Any] = {
        "separation": 3.5,
        "images_per_subject": 6,
        "mixed": True,
        "overconfidence": overconfidence,
    }
    few = Population(n_subjects=12, **shape)
    truth = Population(n_subjects=3000, **shape).draw(np.random.default_rng(0))
    changes = []
    for seed in range(30):
        table = few.draw(np.random.default_rng(seed))
        calibration = fit_calibration(table.is_post, table.logit, table.group, "temperature")
        after, before = (
            log_losses(truth.is_post, logit).mean()
            for logit in (calibration.apply_logit(truth.logit), truth.logit)
        )
        changes.append(after - before)

    assert least < np.mean(changes) < most


def test_scores_that_point_the_wrong_way_are_not_turned_round() -> None:
    table = CALIBRATED.draw(np.random.default_rng(5))

    calibration = fit_calibration(~table.is_post, table.logit, table.group, "beta")

    assert calibration.parameters["slope_post"] >= MIN_SLOPE
    assert calibration.parameters["slope_pre"] >= MIN_SLOPE
    assert (np.diff(calibration.apply(np.linspace(-20, 20, 100))) >= 0).all()


def test_what_is_calibrated_already_is_left_alone() -> None:
    table = CALIBRATED.draw(np.random.default_rng(6))

    calibration, candidates = choose_calibration(table.is_post, table.logit, table.group)

    assert calibration.method == "none"
    assert [row.name for row in candidates] == ["none", "temperature", "beta"]
    assert min(row.worse_by for row in candidates) == 0


def test_an_overconfident_network_gets_a_temperature() -> None:
    table = OVERCONFIDENT.draw(np.random.default_rng(7))

    calibration, candidates = choose_calibration(table.is_post, table.logit, table.group)

    assert calibration.method == "temperature"
    assert candidates[0].worse_by > 2 * candidates[0].standard_error


def test_a_shifted_network_gets_what_has_an_intercept() -> None:
    table = CALIBRATED.draw(np.random.default_rng(8))

    calibration, _ = choose_calibration(table.is_post, table.logit + 3, table.group)

    assert calibration.method == "beta"
    assert calibration.apply_logit(np.array([3.0])) == pytest.approx(0.0, abs=0.4)


def test_too_few_subjects_choose_nothing() -> None:
    is_post, logit = np.array([True, False, False]), np.array([1.0, -1.0, -2.0])

    calibration, candidates = choose_calibration(is_post, logit, np.arange(3))

    assert (calibration.method, candidates) == ("none", ())


def test_a_missing_class_is_named() -> None:
    with pytest.raises(ManifestError, match="no pre-contrast image among the 2 to calibrate on"):
        fit_calibration(np.ones(2, dtype=bool), np.zeros(2), np.arange(2))


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="'isotonic' is unknown; choose one of none, temperature, beta"):
        fit_calibration(np.array([True, False]), np.zeros(2), np.arange(2), "isotonic")
