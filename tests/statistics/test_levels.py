import numpy as np

from gadoscope.labels import Level
from gadoscope.statistics.levels import gather_cases, group_cases
from tests.support.tables import DECISION, make_predictions


def test_a_series_is_one_subject_plane_and_label_where_no_column_names_it() -> None:
    table = make_predictions(
        [0, 0, 1, 1, 0],
        [0.1, 0.2, 0.9, 0.8, 0.3],
        subject=["a", "a", "a", "a", "a"],
        plane=["sagittal", "sagittal", "sagittal", "sagittal", "axial"],
    )

    series = group_cases(table, Level.SERIES)
    subject = group_cases(table, Level.SUBJECT)

    assert series is not None
    assert subject is not None
    assert series[0] == series[1] != series[2] == series[3]
    assert series[4] not in series[:4]
    assert subject[0] == subject[4] != subject[2]


def test_the_column_series_counts_more_than_the_subject_and_never_mixes_labels() -> None:
    table = make_predictions([0, 0, 1], [0.1, 0.2, 0.9], series=["x", "y", "y"])

    case = group_cases(table, Level.SERIES)

    assert case is not None
    assert len(set(case.tolist())) == 3
    assert group_cases(table, Level.SUBJECT) is None


def test_a_case_has_the_aggregate_of_its_logits_whatever_their_order() -> None:
    table = make_predictions([1, 1, 0], [0.9, 0.6, 0.2], subject=["a", "a", "b"])
    turned = table.select(np.array([1, 0, 2]))
    case = np.array([0, 0, 1])

    one, other = (gather_cases(part, case, DECISION) for part in (table, turned))

    np.testing.assert_allclose(one.logit, [table.logit[:2].mean(), table.logit[2]])
    assert one.logit.tolist() == other.logit.tolist()
    np.testing.assert_allclose(one.probability, 1 / (1 + np.exp(-one.logit)))
