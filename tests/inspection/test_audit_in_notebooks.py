"""An audit shows itself in a notebook: what tells the label, and its findings, gravest first."""

from dataclasses import replace
from pathlib import Path

import pytest

from gadoscope.inspection.run import Audit
from gadoscope.report.finding import CAUTION, NOTE, SERIOUS, finding
from gadoscope.wording import area
from tests.inspection.test_run import audit_clean


def with_findings(*found: dict[str, str]) -> Audit:
    return replace(audit_clean(), report={**audit_clean().report, "findings": list(found)})


def test_the_figures_are_the_predictors_that_were_measured_the_best_first() -> None:
    figures = audit_clean().figures
    measured = {row["name"]: row for row in audit_clean().report["predictors"] if row["auc"]}
    assert set(figures) == set(measured)
    values = [one["auc"].value for one in figures.values()]
    assert values == sorted(values, key=lambda value: -(value or 0))
    for name, one in figures.items():
        for measure in ("auc", "balanced_accuracy"):
            assert vars(one[measure]) == measured[name][measure]


def test_findings_are_all_that_was_found_and_caveats_those_that_limit_a_figure() -> None:
    done = with_findings(
        finding(SERIOUS, "a", "b", code="c"), finding(CAUTION, "d", "e"), finding(NOTE, "f", "g")
    )
    assert [one.title for one in done.findings] == ["a", "d", "f"]
    assert [(one.title, one.text, one.code) for one in done.caveats] == [("a", "b", "c"), ("d", "e", "")]


def test_a_notebook_shows_the_findings_gravest_first_and_the_best_predictor() -> None:
    done = with_findings(finding(SERIOUS, "Copies", "Two are one."), finding(NOTE, "Odds", "One in two."))
    html = done._repr_html_()
    assert html.index("Serious: Copies.") < html.index("Note: Odds.")
    name, figures = next(iter(done.figures.items()))
    assert name in html
    assert area(figures["auc"].value) in html
    counts = done.report["counts"]["all"]
    assert f"{counts['n_pre']} pre, {counts['n_post']} post, 0 other" in html


def test_nothing_that_the_data_say_is_markup_and_nothing_is_loaded() -> None:
    done = with_findings(finding(SERIOUS, "<script>x</script>", "<img src=http://x>"))
    assert "<script" not in done._repr_html_()
    assert "<img" not in done._repr_html_()


def test_an_audit_in_which_nothing_could_be_measured_says_so() -> None:
    report = {**audit_clean().report, "predictors": []}
    assert "No trivial predictor could be measured" in replace(audit_clean(), report=report)._repr_html_()


@pytest.mark.parametrize("folder", [None, Path("audit")])
def test_the_way_to_the_page_is_told_where_there_is_one(folder: Path | None) -> None:
    html = replace(audit_clean(), folder=folder)._repr_html_()
    assert ("report.html" in html) is (folder is not None)
    assert repr(replace(audit_clean(), folder=folder)) == f"Audit(folder={folder!r})"
