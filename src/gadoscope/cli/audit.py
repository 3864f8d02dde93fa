"""`gadoscope audit`: labelled images are examined before anything is trained on them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gadoscope.cli.options import jobs_option, json_option, labels_option, output_option
from gadoscope.inspection import DEFAULT_CASES

if TYPE_CHECKING:
    from gadoscope.inspection.run import Audit

EXIT_SOME_FAILED = 3
"""The audit finished, but some images could not be read; the same as of `classify`."""
N_PREDICTORS = 5
"""Trivial predictors that the summary names; the page has them all."""


@click.command(short_help="Look for leaks, copies and giveaways before training.")
@click.argument("data", type=click.Path(path_type=Path), metavar="MANIFEST|FOLDER")
@labels_option
@output_option("Where report.html and audit.json go; without it there is the summary alone.")
@jobs_option
@click.option(
    "--cases",
    type=click.IntRange(min=0),
    default=DEFAULT_CASES,
    show_default=True,
    help="Copied pictures, and images with text, to show at most.",
)
@json_option("Print audit.json in place of the summary.")
def command(
    data: Path, labels: Path | None, output: Path | None, jobs: int, cases: int, as_json: bool
) -> None:
    """Look for leaks, copies and giveaways before training.

    DATA is a manifest or a folder of labelled images and scans. Told are: subjects on two sides of a split,
    copies (also resized, compressed, cut, brightened), unusable images, burned-in text, and how well
    the label is told by plane, source, size, borders or grey values alone.

    \b
    Example:
        gadoscope audit slices/ --output audit

    Exit code: 0 finished, whatever was found; 2 wrong usage; 3 some images could not be read.
    """
    from gadoscope.api.runs import audit
    from gadoscope.cli.console import check_output, say, say_json
    from gadoscope.cli.display import Display
    from gadoscope.labels import Status

    if output is None:
        check_output()
    with Display() as display:
        done = audit(data, output=output, labels=labels, jobs=jobs, n_cases=cases, on_progress=display.tell)
    if as_json:
        say_json(done.report, indent=1)
    else:
        say(*_summarise(done))
    failed = any(row["status"] == Status.FAILED.value for row in done.report["unusable"])
    sys.exit(EXIT_SOME_FAILED if failed else 0)


def _summarise(done: "Audit") -> list[str]:
    """Return counts, trivial predictors, findings, and where the report is."""
    report = done.report
    lines = ["               Images  Subjects     Pre    Post   Other"]
    for group in ("split", "source", "plane"):
        rows = report["counts"][group]
        if len(rows) > 1:
            lines += [_count(row) for row in rows]
    lines += [_count(report["counts"]["all"]), "", *_predict(report), ""]
    for finding in report["findings"]:
        lines.append(f"{finding['severity'].upper()}: {finding['title']}. {finding['text']}")
    if done.folder is not None:
        lines += ["", f"Report: {done.folder / 'report.html'}"]
    return [*lines, "Not a medical device."]


def _count(row: dict[str, Any]) -> str:
    subjects = "unknown" if row["n_subjects"] is None else row["n_subjects"]
    return (
        f"{row['name'][:14]:<14} {row['n_images']:>6} {subjects:>9} {row['n_pre']:>7} "
        f"{row['n_post']:>7} {row['n_other']:>7}"
    )


def _predict(report: dict[str, Any]) -> list[str]:
    from gadoscope.wording import area, percent

    measured = [row for row in report["predictors"] if row["auc"]]
    if not measured:
        return ["No trivial predictor could be measured."]
    lines = ["Label told by        AUC     95 % interval     Balanced accuracy"]
    for row in sorted(measured, key=lambda row: -row["auc"]["value"])[:N_PREDICTORS]:
        auc = row["auc"]
        span = "-" if auc["lower"] is None else f"{area(auc['lower'])} to {area(auc['upper'])}"
        balanced = percent(row["balanced_accuracy"]["value"])
        lines.append(
            f"{row['name'][:18]:<18} {area(auc['value']):>7}  {span:>16}  {balanced:>8}  {row['verdict']}"
        )
    return lines
