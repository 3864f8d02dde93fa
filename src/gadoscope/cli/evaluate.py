"""`gadoscope evaluate`: a model and labelled images become a report."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gadoscope.cli.options import jobs_option, json_option, labels_option, output_option
from gadoscope.evaluation import DEFAULT_CASES

if TYPE_CHECKING:
    from gadoscope.evaluation.run import Evaluation


@click.command()
@click.argument(
    "models", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="RUN|BUNDLE [RIVAL]..."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="MANIFEST|FOLDER",
    help="Labelled images and scans; for a run, its own where none are named.",
)
@labels_option
@output_option("Where report.html, report.json and predictions.csv go.", is_required=True)
@click.option(
    "--audit",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="audit.json of `gadoscope audit`; found by itself near the run or the data, by their hash.",
)
@click.option(
    "--elsewhere",
    type=click.Path(path_type=Path),
    metavar="MANIFEST|FOLDER",
    help="Images of other hospitals: what a fine-tuned run lost there, beside what it began from.",
)
@jobs_option
@click.option(
    "--cases",
    "n_cases",
    type=click.IntRange(min=0),
    default=DEFAULT_CASES,
    show_default=True,
    help="Wrong answers to show with pictures, at most.",
)
@json_option("Print report.json in place of the summary.")
def command(models: tuple[Path, ...], output: Path, as_json: bool, **options: Any) -> None:
    """Measure how good a model is, and say what the figure is worth.

    A model is a folder made by `gadoscope train`, a bundle (.onnx), or `default`, which comes with the
    installation. Images that a run was trained on are left out. The report is one HTML file: figures
    with intervals, calibration, risk by coverage, wrong answers with what argued for them. Each time
    a run's own test images are scored, its openings.jsonl gets a line.

    RIVALS are compared with the model on the same images: further models, or ways to answer without
    one: header (its words), majority, plane, source.

    \b
    Example:
        gadoscope evaluate runs/lesson --output report
        gadoscope evaluate default --data slices/ --output report
        gadoscope evaluate default --data archive/ --labels labels.csv --output report
        gadoscope evaluate runs/a runs/b majority source --output report
        gadoscope evaluate runs/mine default --elsewhere public.csv --output report
    """
    from gadoscope.api.runs import evaluate
    from gadoscope.cli.console import say, say_json
    from gadoscope.cli.display import Display

    with Display() as display:
        done = evaluate(models[0], output=output, rivals=models[1:], on_progress=display.tell, **options)
    if as_json:
        say_json(done.report, indent=1)
    else:
        say(*summarise(done))


def summarise(done: "Evaluation") -> list[str]:
    """Return the split, the verdict, its gravest limits, and where the report is."""
    report = done.report
    lines = [f"WARNING: {one['title']}. {one['text']}" for one in report["warnings"]]
    lines += [""] * bool(lines) + ["Split        Images  Subjects     Pre    Post"]
    for row in report["data"]["splits"]:
        subjects = "unknown" if row["n_subjects"] is None and row["n_images"] else row["n_subjects"] or 0
        lines.append(
            f"{row['split']:<11} {row['n_images']:>7} {subjects:>9} {row['n_pre']:>7} {row['n_post']:>7}"
        )
    lines += ["", *_verdict(report), "", *_compare(report["comparison"])]
    lines += _tell_forgetting(report["forgetting"])
    lines += _tell_gate(report["gate"])
    serious = [item for item in report["worth"] if item["severity"] == "serious"]
    lines += [f"{item['title']}. {item['text']}" for item in serious if item not in report["warnings"]]
    if report["data"]["unread"]:
        lines.append(f"{len(report['data']['unread'])} images could not be read; the report lists them.")
    return [
        *lines,
        *report["data"]["notices"],
        f"Report: {done.folder / 'report.html'}",
        "Not a medical device.",
    ]


def _verdict(report: dict[str, Any]) -> list[str]:
    from gadoscope.wording import area, percent

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
    return [*lines, *_tell_silence(split["levels"])]


def _tell_silence(levels: list[dict[str, Any]]) -> list[str]:
    """Return what `classify` leaves without an answer, of slices asked alone and of series."""
    from gadoscope.wording import percent

    lines = []
    for row in levels:
        band = row["abstention"]
        if band is None or row["level"] == "subject":  # which nobody asks about
            continue
        cases = "series" if row["level"] == "series" else "slices alone"
        line = (
            f"classify stays silent from {band['lower']:.4f} up to {band['upper']:.4f}: on "
            f"{band['n_indeterminate']} of {row['n_cases']} {cases}"
        )
        if band["answered"]:
            right = band["answered"]["accuracy"]
            line += (
                f"; of the answered {percent(right['value'])} are right, "
                f"95 %: {percent(right['lower'])} to {percent(right['upper'])}"
            )
        lines.append(f"{line}.")
    return lines


def _tell_gate(gate: dict[str, Any] | None) -> list[str]:
    if gate is None:
        return []
    t1, others = gate["t1"], gate["others"]
    line = f"Gate: refuses {t1['n_refused']} of {t1['n_images']} T1 images"
    return [line + (f", {others['n_refused']} of {others['n_images']} others." if others else ".")]


def _tell_forgetting(forgetting: dict[str, Any] | None) -> list[str]:
    """Return a line for the images here and one for those of elsewhere: both models, and the change."""
    from gadoscope.evaluation.forgetting import name_figure
    from gadoscope.wording import percent, signed_points

    if forgetting is None:
        return []
    lines = [f"Beside {forgetting['began']}, from which it began, every decision counted (refused is wrong):"]
    for part in forgetting["parts"]:
        name = name_figure(part)
        ours, theirs = (row["figures"][name]["value"] for row in part["models"])
        change = part["models"][1]["difference"][name]
        lines.append(
            f"  {part['where']:<10} {name.replace('_', ' ')} {percent(theirs)} before, {percent(ours)} now: "
            f"{signed_points(change['value'])}  95 %: {signed_points(change['lower'])} to "
            f"{signed_points(change['upper'])}  ({part['n_images']:,} images)"
        )
        if part["others"] is not None:
            ours, theirs = (one["value"] for one in part["others"]["refused"])
            lines.append(
                f"  {'':<10} refused of no T1 brain {percent(theirs)} before, {percent(ours)} now  "
                f"({part['others']['n_images']:,} images)"
            )
    return [*lines, ""]


def _compare(comparison: dict[str, Any] | None) -> list[str]:
    """Return a line for each model on the same images: balanced accuracy, and what the first has more."""
    from gadoscope.wording import percent, signed_points

    if comparison is None:
        return []
    width = max(len(row["name"]) for row in comparison["models"])
    lines = ["Balanced accuracy on the same images, and what the first has more, in points:"]
    for row in comparison["models"]:
        name = f"  {row['name']:<{width}}"
        if row["figures"] is None:
            lines.append(f"{name}  not available: {row['why_not']}")
            continue
        line = f"{name} {percent(row['figures']['balanced_accuracy']['value']):>8}"
        if row["difference"] is not None:
            gain = row["difference"]["balanced_accuracy"]
            line += f"  {signed_points(gain['value']):>6}  95 %: {signed_points(gain['lower'])} to "
            line += signed_points(gain["upper"])
        lines.append(line)
    return [*lines, "", *_compare_series(comparison["series"])]


def _compare_series(compared: dict[str, Any] | None) -> list[str]:
    """Return a table of the share of whole series that each model calls rightly, by plane and in all."""
    from gadoscope.wording import percent

    if compared is None:
        return []
    width = max(len(percent(1.0)), *(len(row["name"]) for row in compared["models"]))

    def write(title: str, count: object, cells: list[str]) -> str:
        return f"  {title:<9} {count:>7}" + "".join(f"  {cell:>{width}}" for cell in cells)

    def share(one: dict[str, Any] | None) -> str:
        return percent(None if one is None else one["value"])

    models = compared["models"]
    lines = [
        "Whole series that are called rightly:",
        write("plane", "series", [row["name"] for row in models]),
    ]
    for row in compared["planes"]:
        lines.append(write(row["plane"], row["n_pre"] + row["n_post"], [share(one) for one in row["right"]]))
    in_all = [share(row["figures"] and row["figures"]["accuracy"]) for row in models]
    return [*lines, write("all", compared["n_series"], in_all), ""]
