"""An evaluation shows itself in a notebook, and its figures and caveats are plain values."""

import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gadoscope.evaluation.run import Evaluation, evaluate
from gadoscope.labels import Level
from gadoscope.report.finding import SERIOUS, finding
from gadoscope.report.page import COLOURS
from gadoscope.wording import percent
from tests.support.tiny_run import write_run


@cache
def evaluated() -> Evaluation:
    with TemporaryDirectory() as folder:
        done = evaluate(write_run(Path(folder)), data=None, output=Path(folder) / "report", n_cases=0)
    return replace(done, folder=Path("report"))


class _Names(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> _Names:
    names = _Names()
    names.feed(html)
    return names


def test_the_figures_are_those_of_the_report_by_level_with_their_intervals() -> None:
    done = evaluated()
    (of_slices,) = (row for row in done.report["splits"]["test"]["levels"] if row["level"] == "slice")
    for name, estimate in of_slices["figures"].items():
        one = done.figures[Level.SLICE][name]
        assert (one.value, one.lower, one.upper, one.n) == tuple(
            estimate[key] for key in ("value", "lower", "upper", "n")
        )
    assert done.figures["slice"]["accuracy"].value == pytest.approx(10 / 12), "a text is a level"  # type: ignore[index]


def test_a_level_that_the_data_do_not_know_has_no_figures() -> None:
    rows = evaluated().report["splits"]["test"]["levels"]
    known = {row["level"] for row in rows if row["figures"] is not None}
    assert set(evaluated().figures) == known


def test_the_caveats_are_what_limits_the_figures_gravest_first_and_no_notes() -> None:
    caveats, worth = evaluated().caveats, evaluated().report["worth"]
    assert [one.title for one in caveats] == [one["title"] for one in worth if one["severity"] != "note"]
    assert caveats[0].text == worth[0]["text"]


def test_a_notebook_shows_every_figure_with_its_interval_and_every_caveat() -> None:
    done = evaluated()
    shown = read(done._repr_html_())
    for measures in done.figures.values():
        for name in ("sensitivity", "specificity", "balanced_accuracy", "accuracy"):
            one = measures[name]
            assert percent(one.value) in shown.text, name
            assert f"{percent(one.lower)} to {percent(one.upper)}" in shown.text, name
    for caveat in done.caveats:
        assert f"{caveat.severity.capitalize()}: {caveat.title}." in shown.text
    assert done.report["model"]["id"] in shown.text
    assert "Not a medical device" in shown.text


def test_what_a_notebook_shows_loads_nothing_and_leaves_the_notebook_as_it_is() -> None:
    html = evaluated()._repr_html_()
    assert not {"script", "style", "link", "img", "iframe"} & set(read(html).tags)
    assert not re.search(r"https?:|url\(|class=|id=", html)


def test_nothing_that_the_data_say_is_markup() -> None:
    done = evaluated()
    odd = finding(SERIOUS, "<script>alert(1)</script>", "a & <b>\u202e")
    report = {
        **done.report,
        "worth": [odd],
        "data": {**done.report["data"], "origin": '"><img src=x onerror=y>'},
    }
    html = replace(done, report=report, folder=Path("<i>"))._repr_html_()
    assert not {"script", "img", "i"} & set(read(html).tags)
    assert "\u202e" not in html


def test_a_prompt_shows_where_the_report_is_and_not_all_of_it() -> None:
    assert repr(evaluated()) == f"Evaluation(folder={Path('report')!r})"


def test_findings_have_the_colours_of_the_pages() -> None:
    assert f"border-left:4px solid {COLOURS['caution']}" in evaluated()._repr_html_()
