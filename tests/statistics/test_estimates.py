import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score

from gadoscope.errors import ManifestError
from gadoscope.records import to_plain
from gadoscope.statistics.estimates import Figures, estimate_figures
from tests.support.shapes import unchecked_shapes
from tests.support.simulation import Population


def test_every_figure_equals_scikit_learns() -> None:
    table = Population(separation=2.0, n_subjects=50, images_per_subject=4).draw(np.random.default_rng(1))
    called = table.logit >= 0

    figures = estimate_figures(table.is_post, table.logit, called, table.group)

    assert figures.auc.value == pytest.approx(roc_auc_score(table.is_post, table.logit))
    assert figures.average_precision.value == pytest.approx(
        average_precision_score(table.is_post, table.logit)
    )
    assert figures.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(table.is_post, called))
    assert figures.accuracy.value == pytest.approx((called == table.is_post).mean())
    assert [row.prevalence for row in figures.predictive_values] == [0.1, 0.3, 0.5]


def numbers(figures: Figures) -> list[float]:
    """Return every number that JSON holds of the figures; NaN and infinity are no JSON."""
    found: list[float] = []
    json.loads(
        json.dumps(to_plain(figures), allow_nan=False), parse_float=lambda text: found.append(float(text))
    )
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([-40.0, -1.0, 0.0, 0.5, 40.0]), st.integers(0, 12)),
        min_size=1,
        max_size=40,
    )
)
def test_no_table_gives_a_crash_or_a_number_that_is_not_one(rows: list[tuple[bool, float, int]]) -> None:
    is_post, score, group = (np.array(column) for column in zip(*rows, strict=True))

    figures = estimate_figures(is_post, score, score >= 0, group, draws=50)

    assert all(0 <= number <= 1 for number in numbers(figures))


def test_a_subgroup_of_one_is_honestly_wide() -> None:
    figures = estimate_figures(np.array([True]), np.array([2.0]), np.array([True]), np.array(["s"]))

    assert figures.sensitivity.value == 1
    assert figures.sensitivity.lower == pytest.approx(0.2065, abs=1e-4)  # Wilson's for 1 of 1
    assert (figures.auc.value, figures.specificity.value, figures.average_precision.value) == (None,) * 3


def test_a_perfect_network_is_not_called_certain() -> None:
    is_post = np.arange(60) >= 30

    figures = estimate_figures(is_post, is_post.astype(np.float64), is_post, np.arange(60) // 3)

    assert figures.auc.value == figures.accuracy.value == 1
    assert figures.auc.lower is not None
    assert figures.accuracy.lower is not None
    assert figures.auc.lower < 0.9  # 10 subjects in each class
    assert figures.accuracy.lower < 0.9
    assert figures.average_precision.lower is None


def test_lengths_that_differ_are_refused() -> None:
    with unchecked_shapes(), pytest.raises(ManifestError, match="2 labels, but 3 scores"):
        estimate_figures(np.ones(2, dtype=bool), np.zeros(3), np.ones(2, dtype=bool), np.arange(2))


# The slow one's quicker twin has a fifth of the slices, and of the time.
@pytest.mark.parametrize(
    ("n_subjects", "most_seconds"), [(200, 4), pytest.param(1000, 20, marks=pytest.mark.slow)]
)
def test_thousands_of_slices_take_seconds(n_subjects: int, most_seconds: float) -> None:
    table = Population(separation=2.0, n_subjects=n_subjects, images_per_subject=10).draw(
        np.random.default_rng(2)
    )
    start = time.process_time()  # others may use the machine, too

    figures = estimate_figures(table.is_post, table.logit, table.logit >= 0, table.group)

    assert figures.auc.lower is not None
    assert time.process_time() - start < most_seconds  # about 2 s on one core for ten thousand
