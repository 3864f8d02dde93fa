"""Scans are compared on whole series too, by plane, beside what the plane alone tells."""

from pathlib import Path

import numpy as np
import pytest

from gadoscope.evaluation.judges import open_model
from gadoscope.evaluation.side_by_side import compare_series
from gadoscope.labels import Plane
from gadoscope.statistics.table import Predictions

# A series each: plane, label, and the logits of its two slices. The plane tells most labels, as often.
SERIES = [
    *[("sagittal", False, (-2.0, -1.0))] * 6,
    *[("sagittal", True, (3.0, -1.0))] * 2,
    *[("coronal", True, (2.0, 2.0))] * 5,
    *[("coronal", True, (-3.0, 1.0))],
]


def predictions(n_slices: int = 2) -> Predictions:
    rows = [(number, *one, n) for number, one in enumerate(SERIES) for n in range(n_slices)]
    logit = np.array([logits[n] for _, _, _, logits, n in rows])
    return Predictions(
        path=np.array([f"s{number}#{n}" for number, *_, n in rows]),
        subject_id=np.array([f"p{number}" for number, *_ in rows]),
        source=np.array(["a"] * len(rows)),
        plane=np.array([plane for _, plane, *_ in rows]),
        split=np.array(["test"] * len(rows)),
        is_post=np.array([is_post for _, _, is_post, *_ in rows]),
        logit=logit,
        probability=1 / (1 + np.exp(-logit)),
        attributes={"series": np.array([f"s{number}" for number, *_ in rows])},
    )


def test_each_plane_has_the_share_of_its_series_that_each_model_calls_rightly(tiny_bundle: Path) -> None:
    compared = compare_series([open_model(tiny_bundle)], [predictions()], ["plane", "majority"], {})
    assert compared is not None
    rows = {row["plane"]: [one["value"] for one in row["right"]] for row in compared["planes"]}
    assert [row["name"] for row in compared["models"]][1:] == ["plane", "majority"]
    assert compared["n_series"] == len(SERIES)
    assert rows[Plane.SAGITTAL][0] == 1, "the mean of 3 and -1 is above 0, as -2 and -1 are below"
    assert rows[Plane.CORONAL][0] == pytest.approx(5 / 6)
    assert rows[Plane.SAGITTAL][1:] == pytest.approx([6 / 8, 2 / 8])
    assert rows[Plane.CORONAL][1:] == [1, 1]
    assert {row["plane"]: (row["n_pre"], row["n_post"]) for row in compared["planes"]} == {
        "sagittal": (6, 2),
        "coronal": (0, 6),
    }


def test_the_plane_alone_is_judged_on_series_however_many_slices_each_has(tiny_bundle: Path) -> None:
    compared = compare_series([open_model(tiny_bundle)], [predictions()], ["plane"], {})
    assert compared is not None
    (accuracy,) = (row["figures"]["accuracy"] for row in compared["models"] if row["name"] == "plane")
    assert (accuracy["value"], accuracy["n"]) == (pytest.approx(12 / 14), 14)


def test_single_images_are_not_compared_twice(tiny_bundle: Path) -> None:
    assert compare_series([open_model(tiny_bundle)], [predictions(n_slices=1)], ["plane"], {}) is None
