"""When the agent was given: the posterior over all places, against one written out by hand."""

import itertools
import math

import numpy as np
import pytest

from gadoscope.decision.injection import MAX_PROBABILITY, Enhancement, Witness, locate_injection


def _by_enumeration(probabilities: list[float], enhancements: list[tuple[int, int]]) -> list[float]:
    """Return P(post) by going through all labellings and keeping those that turn once at most."""
    weights, posts = [], []
    for labels in itertools.product((0, 1), repeat=len(probabilities)):
        if list(labels) != sorted(labels):
            continue
        weight = math.prod(p if label else 1 - p for p, label in zip(probabilities, labels, strict=True))
        for earlier, later in enhancements:
            weight *= MAX_PROBABILITY if labels[earlier] < labels[later] else 1 - MAX_PROBABILITY
        weights.append(weight)
        posts.append(labels)
    return [float(v) for v in np.average(posts, axis=0, weights=weights)]


@pytest.mark.parametrize("enhancements", [[], [(0, 2)], [(1, 2), (2, 3)]])
@pytest.mark.parametrize("seed", range(5))
def test_the_posterior_is_that_of_all_labellings_that_turn_once(
    seed: int, enhancements: list[tuple[int, int]]
) -> None:
    probabilities = [float(p) for p in np.random.default_rng(seed).uniform(0.01, 0.99, 4)]
    witnesses = [Witness.of_probability(p) for p in probabilities]
    pre, post = locate_injection(witnesses, [Enhancement(*pair) for pair in enhancements])
    assert post == pytest.approx(_by_enumeration(probabilities, enhancements))
    assert pre + post == pytest.approx(1)


def test_what_says_nothing_is_settled_by_a_sure_neighbour_on_one_side_only() -> None:
    nothing, sure_pre, sure_post = (Witness.of_probability(p) for p in (0.5, 0.0, 1.0))
    assert locate_injection([sure_post, nothing])[1][1] == pytest.approx(MAX_PROBABILITY, abs=1e-3)
    assert locate_injection([nothing, sure_pre])[0][0] == pytest.approx(MAX_PROBABILITY, abs=1e-3)
    assert 0.4 < locate_injection([sure_pre, nothing])[1][1] < 0.6
    assert 0.4 < locate_injection([nothing, sure_post])[1][0] < 0.6


def test_no_single_answer_is_believed_beyond_the_limit() -> None:
    sure = Witness.of_probability(1.0)
    assert math.exp(sure.post) == pytest.approx(MAX_PROBABILITY)
    assert locate_injection([sure])[1][0] == pytest.approx(MAX_PROBABILITY)


def test_a_series_that_turns_parts_what_is_before_it_from_what_is_after() -> None:
    nothing = Witness.of_probability(0.5)
    pre, post = locate_injection([nothing, Witness.of_mixed(), nothing])
    assert pre[0] > 0.99
    assert post[2] > 0.99
    assert pre[1] + post[1] < 0.01


def test_no_series_has_no_answer() -> None:
    pre, post = locate_injection([])
    assert pre.shape == post.shape == (0,)
