"""Suspected labels: whole series, the most doubtful first, with what they can be compared with."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gadoscope.experiments.suspects_report import list_singles, list_suspects, render_suspects
from gadoscope.statistics.table import Predictions, from_rows, join


def series(subject: str, label: str, probability: list[float]) -> Predictions:
    return from_rows(
        [
            {
                "path": f"/data/secret/{subject or 'nobody'}-{label}-{index}.png",
                "subject_id": subject,
                "source": "north & west",
                "plane": "sagittal",
                "split": "validation",
                "reference_label": label,
                "logit": float(np.log(p / (1 - p))),
                "probability": p,
            }
            for index, p in enumerate(probability)
        ]
    )


RIGHT = [
    one
    for number in range(6)
    for one in (
        series(f"s{number}", "pre", [0.1, 0.2, 0.15]),
        series(f"s{number}", "post", [0.9, 0.8, 0.85]),
    )
]
WRONG = series("w", "pre", [0.9, 0.95, 0.8])
SWAPPED = series("w", "post", [0.1, 0.2, 0.12])
ODD = series("odd", "pre", [0.1, 0.1, 0.97])


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return list_suspects(join([*RIGHT, WRONG, SWAPPED, ODD]))


def test_series_that_are_wrong_throughout_are_listed_and_one_odd_slice_is_an_image_only(
    report: dict[str, Any],
) -> None:
    assert [(case["label"], case["n_suspect"], case["n_images"]) for case in report["series"]] == [
        ("pre", 3, 3),
        ("post", 3, 3),
    ]
    assert report["n_series"] == 15
    images = [image["path"] for image in report["images"]]
    assert len(images) == 7
    assert images[0] == "/data/secret/odd-pre-2.png"


def test_the_most_doubtful_image_of_a_series_comes_first(report: dict[str, Any]) -> None:
    assert [image["probability"] for image in report["series"][0]["images"]] == [0.95, 0.9, 0.8]


def test_the_report_is_json_without_a_number_that_is_none(report: dict[str, Any]) -> None:
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_images_of_unknown_subjects_stand_alone_and_the_page_says_so() -> None:
    predictions = join(
        [*(series("", "pre", [0.1] * 4) for _ in range(1)), series("", "post", [0.9] * 4 + [0.05])]
    )
    report = list_suspects(predictions)
    assert not report["has_series"]
    assert [case["n_images"] for case in report["series"]] == [1]
    page = render_suspects(report, predictions, 5, lambda _: "")
    assert "1 of 9 images may have a wrong label" in page
    assert "Subjects are unknown in these data" in page


def test_the_page_shows_each_series_beside_the_other_label_of_the_subject(report: dict[str, Any]) -> None:
    shown: list[Path] = []

    def draw(name: str) -> str:
        shown.append(Path(name))
        return f"data:{Path(name).name}"

    page = render_suspects(report, join([*RIGHT, WRONG, SWAPPED, ODD]), 1, draw)
    assert [path.name for path in shown] == [
        "w-pre-1.png",
        "w-pre-0.png",
        "w-pre-2.png",
        "w-post-1.png",
        "odd-pre-2.png",
    ]
    assert "2 of 15 series may have a wrong label" in page
    assert "north &amp; west" in page
    assert "1 more stand" in page
    assert "secret/w-pre-1.png" in page
    assert "/data/" not in page


def test_a_wrong_series_that_the_data_do_not_tell_from_a_right_one_shows_as_single_images() -> None:
    mixed = series("two series", "post", [0.9, 0.8, 0.9, 0.02, 0.01])
    predictions = join([*RIGHT, mixed])
    report = list_suspects(predictions)
    assert report["series"] == []
    assert [image["path"][-5:] for image in list_singles(report)] == ["4.png", "3.png"]
    page = render_suspects(report, predictions, 1, lambda name: f"data:{Path(name).name}")
    assert "No series is suspected as a whole, 2 single images may have a wrong label" in page
    assert "data:two series-post-4.png" in page
    assert "1 more stand in" in page
    assert "Nothing to look at" not in page


def test_a_series_that_is_contradicted_throughout_and_in_one_slice_with_confidence_is_suspected() -> None:
    faint = series("faint", "post", [0.35, 0.4, 0.05, 0.4])
    unsure = series("unsure", "post", [0.35, 0.4, 0.45, 0.4])
    report = list_suspects(join([*RIGHT, faint, unsure]))
    assert [
        (case["images"][0]["path"][13:18], case["n_contradicted"], case["n_suspect"])
        for case in report["series"]
    ] == [("faint", 4, 1)]


def test_images_of_a_suspected_series_are_no_single_images(report: dict[str, Any]) -> None:
    assert [image["path"] for image in list_singles(report)] == ["/data/secret/odd-pre-2.png"]


def test_nothing_suspected_is_said_in_plain_words() -> None:
    predictions = join(RIGHT)
    report = list_suspects(predictions)
    assert report["series"] == []
    assert "No label is suspected" in render_suspects(report, predictions, 5, lambda _: "")


def test_one_class_alone_suspects_nobody() -> None:
    report = list_suspects(join([series("a", "pre", [0.1, 0.9]), series("b", "pre", [0.2, 0.3])]))
    assert report["confidence_post"] is None
    assert report["images"] == []
