"""An audit as a notebook shows it: what tells the label without a look, and its findings, gravest first."""

from collections.abc import Mapping
from pathlib import Path

from gadoscope.markup import to_html
from gadoscope.records import Data, from_plain
from gadoscope.report.finding import read_findings
from gadoscope.report.notebook import (
    draw_box,
    draw_findings,
    draw_heading,
    draw_measured,
    draw_small,
    draw_table,
)
from gadoscope.run_folder import HTML_NAME
from gadoscope.statistics.intervals import Measured
from gadoscope.wording import area, percent, plural

N_PREDICTORS = 5
"""Trivial predictors that a notebook shows, the best ones; audit.json has them all."""
_MEASURES = {"auc": area, "balanced_accuracy": percent}


def read_figures(report: Data) -> Mapping[str, Mapping[str, Measured]]:
    """Return how well each trivial predictor tells the label, the best first; see `Audit.figures`."""
    measured = [row for row in report["predictors"] if row["auc"]]
    return {
        row["name"]: {name: from_plain(Measured, row[name]) for name in _MEASURES}
        for row in sorted(measured, key=lambda row: -row["auc"]["value"])
    }


def draw_audit(report: Data, folder: Path | None) -> str:
    """Return the HTML."""
    counts = report["counts"]["all"]
    subjects = "unknown subjects" if counts["n_subjects"] is None else plural(counts["n_subjects"], "subject")
    labels = ", ".join(f"{counts[f'n_{label}']:,} {label}" for label in ("pre", "post", "other"))
    where = "" if folder is None else f"Pictures and more: {folder / HTML_NAME}. "
    return draw_box(
        [
            draw_heading(
                f"Audit of {plural(counts['n_images'], 'image')} of {subjects}: {labels}",
                f"{report['data']['origin']}; what tells the label without a network, with 95 % intervals",
            ),
            _draw_predictors(report),
            draw_findings(read_findings(report["findings"])),
            draw_small(f"{where}Not a medical device."),
        ]
    )


def _draw_predictors(report: Data) -> str:
    figures = list(read_figures(report).items())[:N_PREDICTORS]
    if not figures:
        return f"<p>{draw_small('No trivial predictor could be measured.')}</p>"
    verdicts = {row["name"]: row["verdict"] for row in report["predictors"]}
    rows = [
        [
            to_html(name),
            *(draw_measured(measured[measure], write) for measure, write in _MEASURES.items()),
            to_html(verdicts[name]),
        ]
        for name, measured in figures
    ]
    return draw_table(["Label told by", "AUC", "Balanced accuracy", "Verdict"], rows)
