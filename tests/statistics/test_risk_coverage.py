import numpy as np
import pytest

from gadoscope.statistics.risk_coverage import measure_by_source, measure_risk_coverage
from tests.support.simulation import Population

TABLE = Population(separation=2.0, n_subjects=100, images_per_subject=2).draw(np.random.default_rng(1))


def test_the_curve_is_the_error_of_what_is_farther_from_the_threshold() -> None:
    curve = measure_risk_coverage(TABLE.is_post, TABLE.probability, TABLE.group, 0.5)

    distance = np.abs(TABLE.logit)
    wrong = (TABLE.logit >= 0) != TABLE.is_post
    for share in (0.25, 0.6, 1.0):
        n = round(share * TABLE.is_post.size)
        rows = np.argsort(-distance)[:n]
        assert curve.risk[np.searchsorted(curve.coverage, n / TABLE.is_post.size - 1e-9)] == pytest.approx(
            wrong[rows].mean()
        )


def test_the_area_is_the_mean_risk_over_coverages() -> None:
    curve = measure_risk_coverage(TABLE.is_post, TABLE.probability, TABLE.group, 0.5)

    # Without ties each image is one step.
    assert curve.coverage.size == TABLE.is_post.size
    assert curve.area == pytest.approx(curve.risk.mean())


def test_silence_helps_a_network_that_knows_what_it_does_not_know() -> None:
    curve = measure_risk_coverage(TABLE.is_post, TABLE.probability, TABLE.group, 0.5)
    errors = [point.error_of_answered.value or 0 for point in curve.points]

    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 2


def test_a_point_answers_at_least_what_was_asked() -> None:
    curve = measure_risk_coverage(TABLE.is_post, TABLE.probability, TABLE.group, 0.5, (1.0, 0.9, 0.05))

    for point in curve.points:
        assert point.asked <= point.coverage <= point.asked + 1 / TABLE.is_post.size + 1e-9
        answered = np.abs(TABLE.logit) >= point.half_width_logit - 1e-9
        assert answered.mean() == pytest.approx(point.coverage)


def test_equally_certain_images_are_answered_together() -> None:
    probability = np.array([0.9] * 6 + [0.4] * 4)

    curve = measure_risk_coverage(np.arange(10) < 5, probability, np.arange(10), 0.5)

    assert curve.coverage.tolist() == [0.6, 1.0]
    assert curve.risk == pytest.approx([1 / 6, 0.1])


def test_each_source_has_its_own_curve() -> None:
    source = np.where(TABLE.group % 2 == 0, "here", "there")

    curves = measure_by_source(TABLE.is_post, TABLE.probability, TABLE.group, source, 0.5)

    assert list(curves) == ["here", "there"]
    rows = source == "there"
    alone = measure_risk_coverage(TABLE.is_post[rows], TABLE.probability[rows], TABLE.group[rows], 0.5)
    assert curves["there"].area == alone.area


def test_one_image_has_a_curve_of_one_point() -> None:
    curve = measure_risk_coverage(np.array([True]), np.array([0.2]), np.zeros(1), 0.5)

    assert (curve.coverage.tolist(), curve.risk.tolist()) == ([1.0], [1.0])
    assert curve.points[0].error_of_answered.lower is not None
