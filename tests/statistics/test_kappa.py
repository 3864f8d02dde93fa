"""Cohen's kappa: against scikit-learn and a published example, and its interval against simulated readers."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from gadoscope.statistics import kappa as kappas
from gadoscope.statistics.intervals import two_sided_z
from gadoscope.statistics.kappa import estimate_kappa


def test_kappa_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    for k in (2, 3, 5):
        one, other = generator.integers(0, k, (2, 60))
        other = np.where(generator.random(60) < 0.6, one, other)
        table = np.zeros((k, k), dtype=np.int64)
        np.add.at(table, (one, other), 1)
        found = estimate_kappa(table)
        assert found.value == pytest.approx(cohen_kappa_score(one, other), abs=1e-12)
        assert found.n == 60
        assert found.agreement == pytest.approx(np.mean(one == other))


def test_without_added_cases_the_standard_error_is_that_of_fleiss_cohen_and_everitt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Their example, after Spitzer et al.: 200 cases, kappa 0.429, standard error 0.054.
    table = np.array([[106, 10, 4], [22, 28, 10], [2, 12, 6]])
    monkeypatch.setattr(kappas, "PRIOR_CASES", 0.0)
    found = estimate_kappa(table)
    assert found.value == pytest.approx(0.429, abs=5e-4)
    assert found.value is not None
    assert found.upper is not None
    assert (found.upper - found.value) / two_sided_z() == pytest.approx(0.054, abs=1.5e-3)


@pytest.mark.parametrize(("truth", "n"), [(0.97, 50), (0.9, 100), (0.6, 50), (0.3, 100)])
def test_intervals_hold_the_truth_in_about_95_of_100_sittings(truth: float, n: int) -> None:
    margin = np.array([0.4, 0.4, 0.1, 0.05, 0.05])
    shares = truth * np.diag(margin) + (1 - truth) * np.outer(margin, margin)
    tables = np.random.default_rng(1).multinomial(n, shares.ravel(), size=500).reshape(500, 5, 5)
    found = [estimate_kappa(table) for table in tables]
    held = np.mean([(one.lower or 0.0) <= truth <= (one.upper or 0.0) for one in found])
    assert held >= 0.92
    assert all(-1 <= (one.lower or 0.0) <= (one.value or 0.0) <= (one.upper or 0.0) <= 1 for one in found)


def test_readers_who_never_disagree_are_not_known_to_be_one() -> None:
    found = estimate_kappa(np.diag([10, 10]))
    assert (found.value, found.upper) == (1.0, 1.0)
    assert found.lower is not None
    assert 0.5 < found.lower < 0.95


def test_what_says_nothing_of_agreement_beyond_chance_has_no_kappa() -> None:
    one_answer = estimate_kappa(np.array([[7, 0], [0, 0]]))
    assert (one_answer.value, one_answer.agreement, one_answer.n) == (None, 1.0, 7)
    nothing = estimate_kappa(np.zeros((2, 2), dtype=np.int64))
    assert (nothing.value, nothing.lower, nothing.agreement, nothing.n) == (None, None, None, 0)
