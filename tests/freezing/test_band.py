import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from gadoscope.decision.operating_point import OperatingPoint, decide
from gadoscope.errors import ManifestError
from gadoscope.freezing.band import choose_band, is_answered
from gadoscope.freezing.threshold import choose_threshold
from gadoscope.labels import Phase
from gadoscope.records import to_plain
from tests.support.simulation import Population

TABLE = Population(separation=2.5, n_subjects=300, images_per_subject=1).draw(np.random.default_rng(1))


def test_the_band_silences_the_nearest_errors_until_the_promise_holds() -> None:
    band = choose_band(TABLE.is_post, TABLE.probability, TABLE.group, 0.5, 0.05)

    assert band.is_promised
    assert band.lower is not None
    assert band.upper is not None
    assert band.lower < 0.5 < band.upper
    assert band.n_errors < band.n_errors_without_band
    assert band.n_errors == 8
    assert binomtest(8, 300, 0.05, alternative="less").pvalue <= 0.05
    assert binomtest(9, 300, 0.05, alternative="less").pvalue > 0.05
    assert band.risk.upper is not None
    assert band.risk.upper <= 0.05
    answered = is_answered(TABLE.probability, band.lower, band.upper)
    assert band.coverage.value == pytest.approx(answered.mean())


def test_the_band_means_what_deciding_makes_of_it() -> None:
    band = choose_band(TABLE.is_post, TABLE.probability, TABLE.group, 0.5, 0.05)
    assert band.lower is not None
    assert band.upper is not None
    point = OperatingPoint(threshold=0.5, lower=band.lower, upper=band.upper, rule="", chosen_on="")

    phases = [decide(float(p), point) for p in TABLE.probability]

    wrong = [
        phase is (Phase.PRE_CONTRAST if post else Phase.POST_CONTRAST)
        for phase, post in zip(phases, TABLE.is_post, strict=True)
    ]
    assert sum(wrong) == band.n_errors
    assert np.mean([phase is not Phase.INDETERMINATE for phase in phases]) == band.coverage.value


def test_the_nearest_to_the_threshold_are_silent_where_no_error_asks_for_a_band() -> None:
    is_post = np.arange(100) >= 50
    probability = np.where(is_post, 0.95 + np.arange(100) / 2500, 0.05 - (99 - np.arange(100)) / 2500)
    probability[[49, 50, 51]] = 0.4, 0.7, 0.8

    band = choose_band(is_post, probability, np.arange(100), 0.5, 0.05, least_silent=0.02)

    assert band.lower is not None
    assert band.upper is not None
    silent = np.flatnonzero(~is_answered(probability, band.lower, band.upper))
    assert silent.tolist() == [49, 50]
    assert band.is_promised
    assert band.coverage.value == pytest.approx(0.98)


def test_equally_far_ones_are_silent_together_or_not_at_all() -> None:
    is_post = np.arange(100) >= 50

    band = choose_band(is_post, np.where(is_post, 0.99, 0.01), np.arange(100), 0.5, 0.05, least_silent=0.02)

    assert (band.lower, band.upper) == (0.5, 0.5)


def test_a_band_that_the_promise_makes_wider_is_not_made_narrower() -> None:
    plain = choose_band(TABLE.is_post, TABLE.probability, TABLE.group, 0.5, 0.05)
    same = choose_band(TABLE.is_post, TABLE.probability, TABLE.group, 0.5, 0.05, least_silent=0.001)
    wider = choose_band(TABLE.is_post, TABLE.probability, TABLE.group, 0.5, 0.05, least_silent=0.4)

    assert (same.lower, same.upper) == (plain.lower, plain.upper)
    assert plain.coverage.value is not None
    assert 1 - plain.coverage.value < 0.4
    assert wider.coverage.value == pytest.approx(0.6)
    assert wider.n_errors <= plain.n_errors


def test_of_a_subject_with_many_images_as_much_is_silent_as_of_one_with_few() -> None:
    group = np.array([0] * 90 + list(range(1, 11)))
    is_post = np.arange(100) % 2 == 0
    probability = np.where(is_post, 0.99, 0.01)
    probability[:10] = 0.5 + 0.001 * np.arange(1, 11) * np.where(is_post[:10], 1, -1)

    band = choose_band(is_post, probability, group, 0.5, 0.9, least_silent=0.011)

    assert band.lower is not None
    assert band.upper is not None
    # Ten of the ninety images of one subject among eleven are one image in a hundred.
    assert (~is_answered(probability, band.lower, band.upper)).sum() == 10


def test_a_network_that_is_good_enough_needs_no_band() -> None:
    is_post = np.arange(100) >= 50

    band = choose_band(is_post, np.where(is_post, 0.99, 0.01), np.arange(100), 0.5, 0.05)

    assert (band.lower, band.upper) == (0.5, 0.5)
    assert band.coverage.value == 1


def test_an_error_that_stands_on_the_threshold_is_silenced() -> None:
    is_post = np.arange(100) >= 50
    probability = np.where(is_post, 0.9, 0.1)
    probability[:8] = 0.5  # called post-contrast, as equal to the threshold

    band = choose_band(is_post, probability, np.arange(100), 0.5, 0.05)

    assert band.is_promised
    assert band.n_errors == 0
    assert band.coverage.value == pytest.approx(0.92)


def test_too_few_subjects_get_no_promise_and_are_told_how_many_it_takes() -> None:
    is_post = np.arange(30) >= 15

    band = choose_band(is_post, np.where(is_post, 0.99, 0.01), np.arange(30), 0.5, 0.02)

    assert not band.is_promised
    assert (band.lower, band.upper) == (None, None)
    assert band.n_subjects_needed == 149
    assert band.least_risk == pytest.approx(1 - 0.05 ** (1 / 30))
    assert "it takes at least 149 subjects without a silent error, and there are 30" in band.sentence
    assert "9.5\N{NO-BREAK SPACE}%" in band.sentence


def test_many_images_of_few_subjects_are_few() -> None:
    is_post = np.arange(3000) >= 1500

    band = choose_band(is_post, np.where(is_post, 0.99, 0.01), np.arange(3000) // 100, 0.5, 0.02)

    assert not band.is_promised


def test_errors_that_saturate_cannot_be_silenced() -> None:
    is_post = np.arange(200) >= 100
    probability = np.where(is_post, 0.9, 0.1)
    probability[:20] = 1.0

    band = choose_band(is_post, probability, np.arange(200), 0.5, 0.05)

    assert not band.is_promised
    assert "too many errors lie beyond any band" in band.sentence


def test_the_promise_names_its_limits() -> None:
    sentence = choose_band(TABLE.is_post, TABLE.probability, TABLE.group, 0.5, 0.05).sentence

    assert "300 validation subjects at most 5.0\N{NO-BREAK SPACE}% of all images" in sentence
    assert "It holds for no other scanner, hospital or patients." in sentence


def test_a_threshold_fitted_to_the_same_images_is_judged_without_them() -> None:
    # Ten subjects hold all the images between the classes: the threshold fits each of them.
    table = Population(separation=4.0, n_subjects=150, images_per_subject=1).draw(np.random.default_rng(5))
    threshold = choose_threshold(table.is_post, table.probability)

    fitted = choose_band(
        table.is_post, table.probability, table.group, threshold, 0.03, choose=choose_threshold
    )
    trusting = choose_band(table.is_post, table.probability, table.group, threshold, 0.03)

    assert fitted.coverage.value is not None
    assert trusting.coverage.value is not None
    assert fitted.coverage.value <= trusting.coverage.value


def test_one_subject_in_a_class_cannot_judge_a_threshold_fitted_to_it() -> None:
    with pytest.raises(ManifestError, match="where a class has only one"):
        choose_band(
            np.array([True, False, False]),
            np.array([0.9, 0.1, 0.2]),
            np.arange(3),
            0.5,
            0.1,
            choose=choose_threshold,
        )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.integers(0, 90)), min_size=1, max_size=120),
    st.floats(0.01, 0.99),
    st.floats(0.02, 0.5),
)
def test_no_table_breaks_it_and_every_number_is_one(
    rows: list[tuple[bool, float, int]], threshold: float, max_risk: float
) -> None:
    is_post, probability, group = (np.array(column) for column in zip(*rows, strict=True))

    band = choose_band(is_post, probability, group, threshold, max_risk)

    json.dumps(to_plain(band), allow_nan=False)
    if band.is_promised:
        assert band.lower is not None
        assert band.upper is not None
        assert 0 < band.lower <= threshold <= band.upper < 1
        assert band.risk.upper is not None
        assert band.risk.upper <= max_risk + 1e-9


@pytest.mark.parametrize(
    ("threshold", "risk", "message"),
    [(0.0, 0.1, "threshold lies between"), (0.5, 2.0, "risk lies .* this one is 2.0")],
)
def test_numbers_outside_their_range_are_refused(threshold: float, risk: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        choose_band(np.array([True]), np.array([0.5]), np.arange(1), threshold, risk)
