"""What is frozen on validation data: calibration, threshold and band, or why there is none."""

import json
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta, norm

from gadoscope.decision.calibration import logit_of, sigmoid
from gadoscope.errors import ManifestError
from gadoscope.freezing.calibration import fit_calibration
from gadoscope.freezing.level import MIN_SUBJECTS, FrozenLevel, Validation, freeze_level
from gadoscope.freezing.plan import Plan
from gadoscope.freezing.threshold import choose_threshold
from gadoscope.labels import Level
from gadoscope.training.config import parse_config
from tests.support.simulation import Population

SURE = Population(separation=2.0, n_subjects=200, images_per_subject=4, mixed=True, overconfidence=4.0)
ALONE = Population(separation=2.6, n_subjects=120, images_per_subject=1, overconfidence=4.0)


def plan(**sections: dict[str, Any]) -> Plan:
    return parse_config(sections).to_plan()


def draw(
    population: Population = SURE, seed: int = 1, level: Level = Level.SLICE, *, known: bool = True
) -> Validation:
    table = population.draw(np.random.default_rng(seed))
    return Validation(
        level=level,
        is_post=table.is_post,
        logit=table.logit,
        group=table.group,
        n_subjects=np.unique(table.group).size if known else None,
    )


def everybody(population: Population, n: int = 5000) -> Validation:
    """Return an image each of ``n`` subjects of either class, at even quantiles of their scores."""
    score = norm.ppf((np.arange(n) + 0.5) / n)
    return Validation(
        level=Level.SLICE,
        is_post=np.arange(2 * n) >= n,
        logit=population.logit(np.concatenate([score, score + population.separation])),
        group=np.arange(2 * n),
        n_subjects=2 * n,
    )


def is_silent(validation: Validation, frozen: FrozenLevel) -> Any:
    probability = frozen.decided.calibration.apply(validation.logit)
    return (probability >= frozen.decided.point.lower) & (probability < frozen.decided.point.upper)


def test_a_network_that_is_four_times_too_sure_is_cooled_down_to_what_it_knows() -> None:
    frozen = freeze_level(draw(), plan())
    assert frozen.decided.calibration.parameters["temperature"] == pytest.approx(4.0, rel=0.15)
    assert frozen.notices == ()


def test_the_threshold_lies_on_the_calibrated_scale_and_the_answers_are_those_of_the_plain_one() -> None:
    validation = draw()
    frozen = freeze_level(validation, plan())
    plain = choose_threshold(validation.is_post, sigmoid(validation.logit))
    calibrated = frozen.decided.calibration.apply(validation.logit)
    assert ((calibrated >= frozen.decided.point.threshold) == (sigmoid(validation.logit) >= plain)).all()
    assert frozen.decided.point.threshold != pytest.approx(plain, rel=0.01)


@pytest.mark.parametrize("method", ["none", "temperature", "beta"])
def test_the_method_that_is_named_is_fitted_with_each_subject_counting_once(method: str) -> None:
    validation = draw()
    frozen = freeze_level(validation, plan(calibration={"method": method}))
    expected = fit_calibration(validation.is_post, validation.logit, validation.group, method)
    assert frozen.decided.calibration == expected


def test_the_method_is_chosen_where_it_may_be_and_the_candidates_are_kept() -> None:
    frozen = freeze_level(draw(), plan(calibration={"method": "auto"}))
    assert frozen.decided.calibration.method == "temperature"
    assert [row["name"] for row in frozen.performance["calibrations"]] == ["none", "temperature", "beta"]


@pytest.mark.parametrize(("known", "kind"), [(True, "subjects"), (False, "images")])
def test_too_few_subjects_fit_nothing_but_the_threshold_and_that_is_said(known: bool, kind: str) -> None:
    few = Population(separation=3.0, n_subjects=2 * MIN_SUBJECTS - 2, images_per_subject=1)
    frozen = freeze_level(draw(few, seed=3, known=known), plan(abstention={"max_risk": 0.05}))
    assert frozen.decided.calibration.method == "none"
    assert "are not calibrated: validation has only" in frozen.notices[0]
    assert f" {kind} of one class, and it takes {MIN_SUBJECTS}" in frozen.notices[0]
    assert frozen.decided.point.promise is not None
    assert not frozen.decided.point.promise.is_promised
    assert "Nothing can be promised from" in frozen.notices[1]
    assert frozen.decided.point.lower == frozen.decided.point.upper == frozen.decided.point.threshold


def test_a_target_is_frozen_with_its_numbers_and_what_it_reached() -> None:
    rule = {"rule": "target_sensitivity", "target": 0.9}
    frozen = freeze_level(draw(), plan(operating_point=rule))
    assert frozen.decided.point.rule == "target_sensitivity"
    assert frozen.decided.point.rule_parameters == {"target": 0.9, "bound": "lower", "is_met": True}
    assert "Chosen for a sensitivity of 90.0" in frozen.decided.point.reached
    assert frozen.performance["point"]["sensitivity"]["value"] > 0.9
    assert frozen.notices == ()


def test_a_target_out_of_reach_is_said() -> None:
    rule = {"rule": "target_specificity", "target": 0.9999}
    frozen = freeze_level(draw(), plan(operating_point=rule))
    assert frozen.decided.point.rule_parameters["is_met"] is False
    assert frozen.notices[0].startswith("Images: No threshold reaches")


def test_what_a_missed_post_contrast_image_costs_moves_the_threshold_down() -> None:
    thresholds = [
        freeze_level(
            draw(), plan(operating_point={"rule": "cost", "cost_of_missed_post": cost, "prevalence": 0.3})
        ).decided.point.threshold
        for cost in (0.1, 1.0, 10.0)
    ]
    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[0] > thresholds[2]


def test_the_errors_outside_the_band_are_so_few_that_their_exact_bound_keeps_the_promise() -> None:
    validation = draw(ALONE)
    frozen = freeze_level(validation, plan(abstention={"max_risk": 0.08}))
    called = frozen.decided.calibration.apply(validation.logit) >= frozen.decided.point.threshold
    errors = int(((called != validation.is_post) & ~is_silent(validation, frozen)).sum())
    n = validation.is_post.size
    assert beta.ppf(0.95, errors + 1, n - errors) <= 0.08  # Clopper and Pearson, one-sided
    promise = frozen.decided.point.promise
    assert promise is not None
    assert promise.is_promised
    assert promise.coverage == pytest.approx(1 - is_silent(validation, frozen).mean())
    assert frozen.decided.point.lower < frozen.decided.point.threshold < frozen.decided.point.upper
    assert frozen.notices == (f"Images: {promise.sentence}",)


def test_the_promise_is_about_series_where_series_are_frozen() -> None:
    frozen = freeze_level(draw(ALONE, level=Level.SERIES), plan(abstention={"max_risk": 0.08}))
    assert frozen.decided.point.promise is not None
    assert "8.0\N{NO-BREAK SPACE}% of all series get a wrong answer" in frozen.decided.point.promise.sentence
    assert frozen.decided.point.chosen_on == "validation: 120 series, 120 subjects"


def test_a_promise_without_known_subjects_says_what_it_supposes() -> None:
    frozen = freeze_level(draw(ALONE, known=False), plan(abstention={"max_risk": 0.08}))
    assert frozen.decided.point.chosen_on == "validation: 120 images, subjects unknown"
    assert frozen.decided.point.promise is not None
    assert frozen.decided.point.promise.sentence.endswith(
        "this supposes that no two images are of one subject."
    )


def test_a_promise_that_takes_more_subjects_leaves_no_band_and_says_how_many() -> None:
    frozen = freeze_level(draw(ALONE), plan(abstention={"max_risk": 0.01}))
    assert frozen.decided.point.lower == frozen.decided.point.upper == frozen.decided.point.threshold
    assert frozen.decided.point.promise is not None
    assert frozen.decided.point.promise.coverage is None
    assert "it takes at least 334 subjects without a silent error, and there are 120" in frozen.notices[0]


def test_a_target_with_a_band_is_judged_by_thresholds_that_the_subjects_left_out_did_not_move() -> None:
    sections: dict[str, dict[str, Any]] = {
        "operating_point": {"rule": "target_sensitivity", "target": 0.9},
        "abstention": {"max_risk": 0.1},
    }
    frozen = freeze_level(draw(ALONE), plan(**sections))
    assert frozen.decided.point.promise is not None
    assert frozen.decided.point.promise.is_promised


# The slow ones' quicker twin is the first, of fewer draws: the promise is of the band, whichever rule cuts
# inside it.
@pytest.mark.parametrize(
    ("rule", "n_draws"),
    [
        ("balanced_accuracy", 40),
        pytest.param("balanced_accuracy", 100, marks=pytest.mark.slow),
        pytest.param("target_sensitivity", 100, marks=pytest.mark.slow),
    ],
)
def test_in_other_draws_the_frozen_promise_holds_in_95_of_100(rule: str, n_draws: int) -> None:
    # The truth is known: the share of wrong answers among all subjects, who stand here at even quantiles.
    settings = plan(abstention={"max_risk": 0.08}, operating_point={"rule": rule, "target": 0.9})
    truth = everybody(ALONE)
    n_broken = 0
    for seed in range(n_draws):
        frozen = freeze_level(draw(ALONE, seed), settings)
        called = frozen.decided.calibration.apply(truth.logit) >= frozen.decided.point.threshold
        risk = ((called != truth.is_post) & ~is_silent(truth, frozen)).mean()
        n_broken += bool(
            frozen.decided.point.promise and frozen.decided.point.promise.is_promised and risk > 0.08
        )
    assert n_broken <= 0.05 * n_draws


def test_a_band_of_stated_width_is_measured_in_calibrated_logits_and_promises_nothing() -> None:
    point = freeze_level(draw(), plan(operating_point={"abstain_below_logit": 0.5})).decided.point
    edges = logit_of(np.array([point.lower, point.threshold, point.upper]))
    np.testing.assert_allclose(np.diff(edges), 0.5, atol=1e-9)
    assert point.promise is None


@pytest.mark.parametrize("max_risk", [0.0, 0.08])
def test_what_it_reaches_can_be_written_as_json(max_risk: float) -> None:
    frozen = freeze_level(draw(ALONE), plan(abstention={"max_risk": max_risk}))
    document = json.loads(json.dumps(frozen.performance, allow_nan=False))
    assert document["n_images"] == document["n_subjects"] == 120
    assert ("band" in document) == bool(max_risk)


def test_one_class_or_a_logit_that_is_no_number_is_an_error() -> None:
    good = draw(ALONE)
    for is_post, logit in (
        (np.ones(120, dtype=bool), good.logit),
        (good.is_post, np.where(good.is_post, np.nan, 0.0)),
    ):
        bad = Validation(level=Level.SLICE, is_post=is_post, logit=logit, group=good.group, n_subjects=120)
        with pytest.raises(ManifestError):
            freeze_level(bad, plan())
