import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gadoscope.decision.gate import Gate
from gadoscope.evaluation.cross_checks import cross_check
from gadoscope.evaluation.gate import MAX_NAMED, summarise_gate
from gadoscope.evaluation.page import look_up, render_html
from gadoscope.evaluation.summary import summarise
from gadoscope.records import to_plain
from gadoscope.report.finding import CAUTION, SERIOUS
from gadoscope.statistics.shares import estimate_share
from gadoscope.statistics.table import Predictions
from tests.evaluation.test_report import Page, build_unjudged, evaluated
from tests.inspection.test_audited import summary
from tests.support.tables import DECISION, make_predictions

LIMIT = 0.5
"""The gate's threshold in these tests."""
GATE = Gate(threshold=LIMIT, max_refused=0.005, chosen_on="validation: 9 images")


def _table(n: int, n_refused: int = 0) -> Predictions:
    """Return n images in turn pre and post, two of each subject, each half from another hospital.

    The gate refuses the last of them, the last of all the most surely.
    """
    is_post = np.arange(n) % 2 == 1
    return make_predictions(
        is_post,
        np.where(is_post, 0.8, 0.2),
        source=["first" if row < n // 2 else "second" for row in range(n)],
        subject=[f"s{row // 2}" for row in range(n)],
        t1_brain=np.where(np.arange(n) < n - n_refused, 0.9, 0.4 - np.arange(n) / (10 * n)),
    )


def _summarise(t1: Predictions, others: Predictions, gate: Gate = GATE) -> dict[str, Any]:
    summary = summarise_gate(t1, others, replace(DECISION, gate=gate))
    assert summary is not None
    return summary


def _gate(n_images: int = 40, n_refused: int = 5, n_others: int = 8) -> dict[str, Any]:
    return _summarise(_table(n_images, n_refused), _table(n_others, n_others - 2))


def _render(gate: dict[str, Any] | None) -> tuple[dict[str, Any], Page]:
    images = _table(40)
    report = build_unjudged(replace(evaluated(), gate=gate), images, summarise(images, DECISION), "test", 0)
    return report, Page(render_html(report, {}, [], DECISION))


def test_labels_and_sources_add_up_to_all_images() -> None:
    t1 = _gate()["t1"]

    assert (t1["n_images"], t1["n_refused"]) == (40, 5)
    assert [(row["label"], row["n_refused"]) for row in t1["by_label"]] == [("pre", 2), ("post", 3)]
    assert [(row["source"], row["n_refused"]) for row in t1["by_source"]] == [("first", 0), ("second", 5)]
    for rows in (t1["by_label"], t1["by_source"]):
        assert sum(row["n_images"] for row in rows) == 40


def test_the_interval_of_a_share_counts_subjects() -> None:
    images = _table(40)
    refused = np.arange(40) >= 35

    share = _gate()["t1"]["share"]

    assert share == to_plain(estimate_share(refused, images.subject_group))
    assert share["n_subjects"] == 20
    assert share["upper"] > to_plain(estimate_share(refused, np.arange(40)))["upper"]


def test_the_refused_that_look_least_like_a_t1_brain_are_named_first() -> None:
    few, many = _gate(n_refused=2)["named"], _gate(n_refused=20)["named"]

    assert [row["name"] for row in few] == ["data/039.png", "data/038.png"]
    assert [row["label"] for row in few] == ["post", "pre"]
    assert len(many) == MAX_NAMED
    assert many[0]["t1_brain"] == min(row["t1_brain"] for row in many)


def test_a_bundle_without_a_gate_has_no_part_on_it_and_scores_without_one_are_no_pass() -> None:
    images = _table(4)

    assert summarise_gate(images, images, DECISION) is None
    with pytest.raises(ValueError, match="scored by a network without a gate"):
        _summarise(replace(images, t1_brain_logit=None), images)


def test_where_nothing_passes_there_are_no_figures_of_what_passes() -> None:
    gate = _gate(n_refused=40)

    assert gate["passing"] is None
    assert "No T1 image passes" in _render(gate)[1].words


def test_the_page_shows_the_gate_in_numbers_of_the_json() -> None:
    report, page = _render(_gate())

    words = " ".join(page.words.split())
    assert "What the gate refuses" in words
    assert "All other figures of this report answer every labelled image, whatever the gate says." in words
    assert "gate" in page.identifiers
    assert page.open == []
    shown = [(path, value) for path, value, _ in page.numbers if path.startswith("gate.")]
    assert len(shown) > 40
    for path, value in shown:
        assert json.loads(value) == look_up(report, path), path


def test_a_page_without_a_gate_says_nothing_of_one() -> None:
    report, page = _render(None)

    assert report["gate"] is None
    assert "gate" not in page.identifiers
    assert "the gate" not in page.words.lower()


def test_hostile_names_are_shown_and_never_run() -> None:
    images = _table(4, 2)
    object.__setattr__(
        images, "path", np.array([f"/data/{row}<script>alert(1)</script>" for row in range(4)])
    )
    _, page = _render(_summarise(images, images.select(np.arange(0)), replace(GATE, chosen_on="<b>bold</b>")))

    assert "script" not in page.tags
    assert "<b>bold</b>" in page.words


@pytest.mark.parametrize(
    ("n_refused", "severity"), [(0, None), (2, None), (3, CAUTION), (99, CAUTION), (100, SERIOUS)]
)
def test_many_refusals_are_held_against_the_figures(n_refused: int, severity: str | None) -> None:
    gate = _gate(n_images=200, n_refused=n_refused)
    found = cross_check(summary(0.9), audit=None, openings=[], promise=None, gate=gate)

    assert [one["severity"] for one in found] == ([severity] if severity else [])
    if severity:
        assert f"will refuse {n_refused} of 200 of these images as no T1 brain" in found[0]["text"]


def test_the_doubt_stands_among_what_the_figure_is_worth() -> None:
    report, page = _render(_gate())

    assert "The gate refuses T1 images" in [item["title"] for item in report["worth"]]
    assert "will refuse 5 of 40 of these images" in page.words
