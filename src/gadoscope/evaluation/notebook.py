"""An evaluation as a notebook shows it: its main figures by level, and what limits them."""

from collections.abc import Mapping
from pathlib import Path

from gadoscope.labels import Level
from gadoscope.markup import to_html
from gadoscope.records import Data, from_plain
from gadoscope.report.finding import list_caveats
from gadoscope.report.notebook import (
    draw_box,
    draw_findings,
    draw_heading,
    draw_measured,
    draw_small,
    draw_table,
)
from gadoscope.run_folder import HTML_NAME
from gadoscope.statistics.intervals import Estimate
from gadoscope.wording import area, percent, plural

_FIGURES = {
    "sensitivity": ("Sensitivity", percent),
    "specificity": ("Specificity", percent),
    "balanced_accuracy": ("Balanced accuracy", percent),
    "accuracy": ("Accuracy", percent),
    "auc": ("AUC", area),
    "average_precision": ("Average precision", area),
}
_ASKED = {"coverage": "Answered", "accuracy_of_answered": "Right, of the answered"}
"""Of levels at which the bundle leaves some cases without an answer."""


def find_levels(report: Data) -> list[Data]:
    """Return the rows of the verdict's split: a level each."""
    levels: list[Data] = report["splits"][report["verdict_split"]]["levels"]
    return levels


def read_figures(report: Data) -> Mapping[Level, Mapping[str, Estimate]]:
    """Return the main figures of the verdict by level and name; see `Evaluation.figures`."""
    return {
        Level(row["level"]): {
            **{name: from_plain(Estimate, row["figures"][name]) for name in _FIGURES},
            **_read_silence(row),
        }
        for row in find_levels(report)
        if row["figures"] is not None
    }


def _read_silence(row: Data) -> dict[str, Estimate]:
    band = row["abstention"]
    if band is None or row["level"] == Level.SUBJECT:  # which nobody asks about
        return {}
    silence = {"coverage": from_plain(Estimate, band["coverage"])}
    if band["answered"]:
        right = {name: value for name, value in band["answered"]["accuracy"].items() if name != "n_right"}
        silence["accuracy_of_answered"] = from_plain(Estimate, right)
    return silence


def draw_evaluation(report: Data, folder: Path) -> str:
    """Return the HTML."""
    split = report["splits"][report["verdict_split"]]
    subjects = "unknown subjects" if split["n_subjects"] is None else plural(split["n_subjects"], "subject")
    images = plural(split["n_images"], f"{report['verdict_split']} image")
    title = f"{report['model']['id']} on {images} of {subjects}"
    text = f"{report['data']['origin']}; at the frozen threshold of each level, with 95 % intervals"
    n_notes = sum(one["severity"] == "note" for one in report["worth"])
    more = f"{plural(n_notes, 'note')}, curves" if n_notes else "Curves"
    return draw_box(
        [
            draw_heading(title, text),
            _draw_figures(report),
            draw_findings(list_caveats(report["worth"])),
            draw_small(f"{more} and wrong answers: {folder / HTML_NAME}. Not a medical device."),
        ]
    )


def _draw_figures(report: Data) -> str:
    figures, levels = read_figures(report), find_levels(report)
    names = {**_FIGURES, **{name: (title, percent) for name, title in _ASKED.items()}}
    rows = [
        [to_html(title), *(draw_measured(figures.get(level, {}).get(name), write) for level in Level)]
        for name, (title, write) in names.items()
        if name in _FIGURES or any(name in of_level for of_level in figures.values())
    ]
    return draw_table(["", *map(_draw_level, levels)], rows)


def _draw_level(row: Data) -> str:
    if row["n_cases"] is None:
        return f"a {row['level']}<br>{draw_small('unknown')}"
    counts = f"{row['n_pre']} pre, {row['n_post']} post"
    return f"a {to_html(row['level'])}<br>{draw_small(counts)}"
