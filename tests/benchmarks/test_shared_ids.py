"""Joined ids keep what an interval says, whoever they belong to."""

from benchmarks.shared_ids import BY_BOTH, BY_ID, DIFFERENT, SAME, measure


def test_joined_ids_keep_the_interval_honest_and_cost_hardly_any_width() -> None:
    measured = {(row.people, row.rule): row for row in measure(n_ids=20, draws=400)}

    assert measured[SAME, BY_ID].coverage > measured[SAME, BY_BOTH].coverage + 0.04
    assert min(measured[SAME, BY_ID].coverage, measured[DIFFERENT, BY_ID].coverage) > 0.92
    assert measured[DIFFERENT, BY_ID].width < 1.06 * measured[DIFFERENT, BY_BOTH].width
