"""One page of each kind, made quickly: no network is asked, and what is drawn stands for what would be."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from gadoscope.classification.explained import ExplainedSeries, ExplainedSlice
from gadoscope.classification.explained_page import render_explained
from gadoscope.classification.page import Page
from gadoscope.experiments.suspects_report import list_suspects, render_suspects
from gadoscope.statistics.table import join
from tests.classification.test_page import SILENT, SURE
from tests.evaluation.test_report import PIXEL, render_once
from tests.experiments.test_suspects_report import ODD, RIGHT, SWAPPED, WRONG
from tests.inspection.test_run import audit_planted
from tests.support.slices import grey_values

NAMES = ("report", "audit", "suspects", "answers", "explained")


@cache
def draw_page(name: str) -> str:
    """Return one of `NAMES`."""
    return {
        "report": lambda: render_once()[2],
        "audit": lambda: audit_planted()[1],
        "suspects": draw_suspects,
        "answers": draw_answers,
        "explained": draw_explained,
    }[name]()


def draw_suspects() -> str:
    joined = join([*RIGHT, WRONG, SWAPPED, ODD])
    return render_suspects(list_suspects(joined), joined, 5, lambda _: PIXEL)


def draw_answers() -> str:
    page = Page()
    for row in (SURE, SILENT):
        page.add(row)
    with TemporaryDirectory() as folder:
        page.write(Path(folder) / "p.html", "a model")
        return (Path(folder) / "p.html").read_text(encoding="utf-8")


def draw_explained() -> str:
    pixels = grey_values(64, 64, seed=1)
    slices = (ExplainedSlice(pixels, np.ones(pixels.shape, np.float32), 0.9),) * 2
    return render_explained([ExplainedSeries(SURE, slices), ExplainedSeries(SILENT, slices)], "a model")
