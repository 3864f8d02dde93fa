import io
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from gadoscope.report.curves import (
    Curve,
    histogram_svg,
    learning_curve_svg,
    learning_curves_svg,
    precision_recall_svg,
    roc_corner_svg,
    roc_svg,
    sweep_svg,
)
from gadoscope.report.figures import drawing, new_figure, to_svg

HISTORY = [
    {
        "epoch": epoch,
        "train_loss": 0.7 / epoch,
        "train_accuracy": 1 - 0.3 / epoch,
        "validation_loss": 0.8 / epoch,
        "validation_accuracy": 1 - 0.4 / epoch,
    }
    for epoch in range(1, 6)
]


def curve(title: str = "Test", threshold: float = 0.4) -> Curve:
    generator = np.random.default_rng(0)
    is_post = generator.random(80) < 0.3
    logit = generator.normal(size=80) + 2 * is_post - 1
    return Curve(
        title=title,
        colour="#7A3E9D",
        is_post=is_post,
        logit=logit,
        probability=1 / (1 + np.exp(-logit)),
        threshold=threshold,
    )


DRAWN: dict[str, Callable[[], str]] = {
    "learning-curves": lambda: learning_curves_svg(HISTORY),
    "learning": lambda: learning_curve_svg(HISTORY, "loss", 2, name="learning"),
    "roc": lambda: roc_svg([curve()], name="roc"),
    "both": lambda: roc_svg([curve("Validation"), curve()], name="both"),
    "precision": lambda: precision_recall_svg(curve(), name="precision"),
    "histogram": lambda: histogram_svg(curve(), name="histogram"),
    "sweep": lambda: sweep_svg(curve(), 0.6, name="sweep"),
}


@cache
def draw_once() -> dict[str, str]:
    return {name: draw() for name, draw in DRAWN.items()}


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_valid_xml_with_a_title_and_a_description(name: str) -> None:
    root = ET.fromstring(draw_once()[name])  # noqa: S314  # made by us a line ago
    spaces = {"svg": "http://www.w3.org/2000/svg"}

    assert root.get("role") == "img"
    assert root.findtext("svg:title", namespaces=spaces)
    assert root.findtext("svg:desc", namespaces=spaces)


def test_panels_lie_where_matplotlib_would_lay_them_out_by_itself() -> None:
    with drawing():
        ours, _ = new_figure(4, 3, panels=2)
        theirs = Figure(figsize=(4, 3), layout="constrained")
        theirs.subplots(1, 2)
        for figure in (ours, theirs):
            for axes in figure.axes:
                axes.set(xlabel="Threshold", ylabel="Accuracy", ylim=(0, 1000), title="Accuracy")
        to_svg(ours, name="ours", title="", description="")
        theirs.savefig(io.StringIO(), format="svg")
    for one, other in zip(ours.axes, theirs.axes, strict=True):
        assert one.get_position().bounds == other.get_position().bounds


# Between them the two have all kinds of marks; the slow tests draw the others again.
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in ("histogram", "sweep") else pytest.mark.slow) for name in DRAWN],
)
def test_the_same_figure_is_the_same_bytes(name: str) -> None:
    assert DRAWN[name]() == draw_once()[name]


def test_figures_in_one_page_share_no_identifier() -> None:
    identifiers = [found for svg in draw_once().values() for found in re.findall(r'\bid="([^"]+)"', svg)]

    assert len(identifiers) == len(set(identifiers))


def test_every_reference_inside_a_figure_exists() -> None:
    for svg in draw_once().values():
        known = set(re.findall(r'\bid="([^"]+)"', svg))
        used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
        assert used <= known


def test_a_figure_holds_no_date_and_no_style_for_the_whole_page() -> None:
    for svg in draw_once().values():
        assert "<metadata" not in svg
        assert "<style" not in svg


def test_drawing_leaves_matplotlib_as_it_was() -> None:
    before = dict(mpl.rcParams)
    histogram_svg(curve(), name="histogram")

    assert dict(mpl.rcParams) == before


def test_the_learning_curves_say_where_they_end() -> None:
    assert "validation loss 0.1600, train accuracy 0.9400" in draw_once()["learning-curves"]


@pytest.mark.parametrize(
    "history",
    [[], HISTORY[:1], [{"epoch": 1, "train_loss": math.nan, "validation_loss": None}]],
)
def test_short_or_broken_histories_are_still_drawn(history: list[dict[str, float | None]]) -> None:
    assert learning_curves_svg(history).startswith("<svg")


def test_the_corner_is_enlarged_only_where_a_curve_reaches_it() -> None:
    good = Curve(
        title="Test",
        colour="#7A3E9D",
        is_post=np.array([False, True] * 10),
        logit=np.array([-2.0, 2.0] * 10),
        probability=np.array([0.1, 0.9] * 10),
        threshold=0.5,
    )

    bad = replace(good, logit=-good.logit, probability=1 - good.probability)
    assert "enlarged" in roc_corner_svg([good, bad], name="corner")
    assert roc_corner_svg([bad], name="corner") == ""


def test_the_histogram_says_how_many_stand_on_the_wrong_side() -> None:
    one = curve(threshold=0.9)
    low = int((one.probability[one.is_post] < 0.9).sum())

    assert low > 1
    assert f"{low} post-contrast images below" in histogram_svg(one, name="histogram")


@pytest.mark.parametrize("threshold", [1e-6, 1 - 1e-6])
def test_thresholds_at_the_ends_are_drawn(threshold: float) -> None:
    assert sweep_svg(curve(threshold=threshold), None, name="sweep").startswith("<svg")
