"""`gadoscope evaluate`: a model and labelled images become a report."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gadoscope.evaluate import Evaluation, OnProgress

DEFAULT_CASES = 24


@click.command()
@click.argument("model", type=click.Path(path_type=Path), metavar="RUN|BUNDLE")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="MANIFEST|FOLDER",
    help="Labelled images; for a run, its own where none are named.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where report.html, report.json and predictions.csv go.",
)
@click.option(
    "--jobs", type=click.IntRange(min=0), default=0, help="Worker threads; 0 takes one for each core."
)
@click.option(
    "--cases",
    type=click.IntRange(min=0),
    default=DEFAULT_CASES,
    show_default=True,
    help="Wrong answers to show with pictures, at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print report.json in place of the summary.")
def command(model: Path, data: Path | None, output: Path, jobs: int, cases: int, as_json: bool) -> None:
    """Measure how good a model is, and say what the figure is worth.

    MODEL is a folder made by `gadoscope train` or a bundle (.onnx). Images that the run was trained
    on are left out. The report is one HTML file: figures, intervals, wrong answers with what argued
    for them.

    \b
    Example:
        gadoscope evaluate runs/lesson --output report
        gadoscope evaluate lesson.onnx --data slices/ --output report
    """
    import json

    from gadoscope.evaluate import evaluate
    from gadoscope.preparation.pool import count_jobs

    with _progress() as tell:
        done = evaluate(
            model, data=data, output=output, jobs=count_jobs(jobs), n_cases=cases, on_progress=tell
        )
    click.echo(json.dumps(done.report, indent=1) if as_json else _summarise(done))


def _summarise(done: "Evaluation") -> str:
    """Return the split, the verdict, its gravest limits, and where the report is."""
    report = done.report
    lines = ["Split        Images  Subjects     Pre    Post"]
    for row in report["data"]["splits"]:
        subjects = "unknown" if row["n_subjects"] is None and row["n_images"] else row["n_subjects"] or 0
        lines.append(
            f"{row['split']:<11} {row['n_images']:>7} {subjects:>9} {row['n_pre']:>7} {row['n_post']:>7}"
        )
    lines += ["", *_verdict(report), ""]
    lines += [f"{item['title']}. {item['text']}" for item in report["worth"] if item["severity"] == "serious"]
    if report["data"]["unread"]:
        lines.append(f"{len(report['data']['unread'])} images could not be read; the report lists them.")
    lines += [*report["data"]["notices"], f"Report: {done.folder / 'report.html'}", "Not a medical device."]
    return "\n".join(lines)


def _verdict(report: dict[str, Any]) -> list[str]:
    from gadoscope.evaluation.formats import area, percent

    split = report["splits"][report["verdict_split"]]
    point = split["at_operating_point"]
    lines = [f"On the {report['verdict_split']} images, at the frozen threshold {point['threshold']:.4f}:"]
    for name in ("accuracy", "sensitivity", "specificity"):
        rate = point[name]
        lines.append(
            f"  {name:<12} {percent(rate['value']):>8}  95 %: {percent(rate['lower'])} to "
            f"{percent(rate['upper'])}  ({rate['n_right']} of {rate['n']})"
        )
    auc = split["auc"]
    lines.append(f"  {'AUC':<12} {area(auc['value']):>8}  95 %: {area(auc['lower'])} to {area(auc['upper'])}")
    return lines


@contextmanager
def _progress() -> "Iterator[OnProgress | None]":
    """Yield what draws a bar on a terminal, and nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _draw_on(progress)


def _draw_on(progress: Any) -> Callable[[str, int, int], None]:
    tasks: dict[str, Any] = {}

    def tell(what: str, done: int, of: int) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(what, total=of)
        progress.update(tasks[what], completed=done)

    return tell
