"""Several hospitals choose threshold and calibration together, and none of them alone."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from gadoscope.decision.calibration import logit_of, sigmoid
from gadoscope.freezing.band import Weighed, choose_band
from gadoscope.freezing.calibration import choose_calibration, fit_calibration
from gadoscope.freezing.rules import PointRule, choose_point
from gadoscope.freezing.strata import weigh_strata
from gadoscope.freezing.threshold import choose_threshold

LARGE, SMALL = 400, 100
"""Subjects of each label at two hospitals."""
SHIFT = 2.0
"""By how much the small hospital's logits lie higher."""

Columns = tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.str_], NDArray[np.str_]]


@pytest.fixture(scope="module")
def two_hospitals() -> Columns:
    """Return label, logit, stratum and subject of two hospitals, one subject an image."""
    is_post = np.concatenate([np.repeat([True, False], n) for n in (LARGE, SMALL)])
    stratum = np.repeat(["large", "small"], [2 * LARGE, 2 * SMALL])
    spread = np.concatenate([norm.ppf((np.arange(n) + 0.5) / n) for n in (LARGE, LARGE, SMALL, SMALL)])
    logit = np.where(is_post, 2.0, -2.0) + 1.2 * spread
    logit += SHIFT * (stratum == "small")
    return is_post, logit, stratum, np.arange(is_post.size).astype(str)


def test_a_hospital_weighs_by_the_root_of_its_subjects_and_both_its_labels_alike(
    two_hospitals: Columns,
) -> None:
    is_post, _, stratum, group = two_hospitals
    keep = ~((stratum == "large") & is_post & (np.arange(is_post.size) % 4 > 0))  # a fourth of its posts
    is_post, stratum, group = is_post[keep], stratum[keep], group[keep]
    weight = weigh_strata(is_post, stratum, group)
    assert weight.mean() == pytest.approx(1)
    for name in ("large", "small"):
        sides = [weight[(stratum == name) & (is_post == label)].sum() for label in (True, False)]
        assert sides[0] == pytest.approx(sides[1])
    ratio = weight[stratum == "large"].sum() / weight[stratum == "small"].sum()
    assert ratio == pytest.approx(np.sqrt(LARGE / 4 / SMALL))


def test_a_hospital_with_one_label_says_nothing_of_where_to_cut(two_hospitals: Columns) -> None:
    is_post, _, stratum, group = two_hospitals
    only_post = (stratum == "large") | is_post
    weight = weigh_strata(is_post[only_post], stratum[only_post], group[only_post])
    assert (weight[stratum[only_post] == "small"] == 0).all()
    assert (weigh_strata(is_post[is_post], stratum[is_post], group[is_post]) == 1).all()


def test_many_images_of_few_subjects_do_not_make_a_hospital_heavier(two_hospitals: Columns) -> None:
    is_post, _, stratum, group = two_hospitals
    rows = np.concatenate([np.arange(is_post.size), *[np.flatnonzero(stratum == "small")] * 9])
    ratios = []
    for chosen in (np.arange(is_post.size), rows):
        weight = weigh_strata(is_post[chosen], stratum[chosen], group[chosen])
        ratios.append(weight[stratum[chosen] == "small"].sum() / weight.sum())
    assert ratios[0] == pytest.approx(ratios[1])


def test_the_small_hospital_moves_the_threshold_towards_its_own(two_hospitals: Columns) -> None:
    is_post, logit, stratum, group = two_hospitals
    rule, probability = PointRule(), sigmoid(logit)
    by_image = choose_point(is_post, probability, group, rule).threshold
    by_hospital = choose_point(is_post, probability, group, rule, stratum=stratum).threshold
    own = choose_threshold(is_post[stratum == "small"], probability[stratum == "small"])
    assert by_image < by_hospital < own
    assert logit_of(np.array(by_hospital)) - logit_of(np.array(by_image)) > 0.1


def test_equal_weights_choose_as_balanced_accuracy_does(two_hospitals: Columns) -> None:
    is_post, logit, _, _ = two_hospitals
    keep = np.arange(is_post.size) % 3 > 0
    is_post, probability = is_post[keep], sigmoid(logit[keep])
    weight = np.where(is_post, 1 / is_post.sum(), 1 / (~is_post).sum())
    assert choose_threshold(is_post, probability, weight=weight) == choose_threshold(is_post, probability)


def test_a_rule_with_a_target_does_not_look_at_hospitals(two_hospitals: Columns) -> None:
    is_post, logit, stratum, group = two_hospitals
    rule = PointRule(name="target_specificity", target=0.9)
    points = [
        choose_point(is_post, sigmoid(logit), group, rule, stratum=one).threshold for one in (None, stratum)
    ]
    assert points[0] == points[1]


def test_a_calibration_by_hospital_is_less_sure_where_the_hospitals_differ(two_hospitals: Columns) -> None:
    is_post, logit, stratum, group = two_hospitals
    logit = np.where(stratum == "small", -logit, 3 * logit)  # at the small one it is mostly wrong
    temperatures = [
        fit_calibration(is_post, logit, group, stratum=one).parameters["temperature"]
        for one in (None, stratum)
    ]
    assert temperatures[1] > 1.2 * temperatures[0]
    chosen, _ = choose_calibration(is_post, logit, group, stratum=stratum)
    assert chosen.method != "none"


def test_a_promise_knows_that_the_threshold_was_chosen_by_hospital(two_hospitals: Columns) -> None:
    is_post, logit, stratum, group = two_hospitals
    probability, rule = sigmoid(logit), PointRule()
    threshold = choose_point(is_post, probability, group, rule, stratum=stratum).threshold
    band = choose_band(is_post, probability, group, threshold, 0.05, choose=Weighed(rule, stratum))
    assert band.is_promised
    assert band.lower is not None
    assert band.upper is not None
    assert band.lower < threshold < band.upper
