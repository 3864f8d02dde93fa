from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gadoscope.errors import ManifestError
from gadoscope.labels import Label, Level, Plane
from gadoscope.preparation.items import Item
from gadoscope.preparation.series import name_series
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


def test_the_column_series_counts_more_than_the_subject() -> None:
    table = make_predictions([0, 0, 1], [0.1, 0.2, 0.9], series=["x", "y", "z"])

    case = group_cases(table, Level.SERIES)

    assert case is not None
    assert len(set(case.tolist())) == 3
    assert group_cases(table, Level.SUBJECT) is None


def test_a_series_of_two_labels_is_refused_as_training_refuses_it() -> None:
    table = make_predictions([0, 0, 1], [0.1, 0.2, 0.9], series=["x", "y", "y"])
    items = [
        Item(
            path=Path(str(path)),
            label=Label.POST if post else Label.PRE,
            source="hospital",
            extra={"series": name},
        )
        for path, post, name in zip(table.path, table.is_post, ["x", "y", "y"], strict=True)
    ]

    with pytest.raises(ManifestError, match=r"1 of 2 series .*/001\.png, /data/002\.png") as of_table:
        group_cases(table, Level.SERIES)
    with pytest.raises(ManifestError) as of_items:
        name_series(items)
    assert str(of_table.value) == str(of_items.value)


@pytest.mark.parametrize("named", [True, False])
def test_what_is_frozen_and_what_is_judged_are_the_same_series(named: bool) -> None:
    generator = np.random.default_rng(3)
    n, ids, sources, planes = 200, ["1", "2"], ["a", "b"], ["axial", "sagittal"]
    is_post, subject, source, plane = (
        generator.choice(one, n).tolist() for one in ([0, 1], ids, sources, planes)
    )
    series = [f"{post} {name}" for post, name in zip(is_post, generator.choice(["x", "y"], n), strict=True)]
    table = make_predictions(is_post, [0.5] * n, source=source, subject=subject, plane=plane)
    if named:
        table = replace(table, attributes={"series": np.array(series)})
    items = [
        Item(
            path=Path(str(row)),
            label=Label.POST if is_post[row] else Label.PRE,
            subject_id=subject[row],
            source=source[row],
            plane=Plane(plane[row]),
            extra={"series_id": series[row]} if named else {},
        )
        for row in range(n)
    ]

    case, names = group_cases(table, Level.SERIES), name_series(items)

    assert case is not None
    assert names is not None
    pairs = set(zip(case.tolist(), names, strict=True))
    assert len(pairs) == len(set(names)) == len(set(case.tolist())) == 16


def test_a_case_has_the_aggregate_of_its_logits_whatever_their_order() -> None:
    table = make_predictions([1, 1, 0], [0.9, 0.6, 0.2], subject=["a", "a", "b"])
    turned = table.select(np.array([1, 0, 2]))
    case = np.array([0, 0, 1])

    one, other = (gather_cases(part, case, DECISION) for part in (table, turned))

    np.testing.assert_allclose(one.logit, [table.logit[:2].mean(), table.logit[2]])
    assert one.logit.tolist() == other.logit.tolist()
    np.testing.assert_allclose(one.probability, 1 / (1 + np.exp(-one.logit)))
