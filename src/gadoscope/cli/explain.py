"""`gadoscope explain`: why a scan of one's own was answered so."""

import sys
from pathlib import Path

import click

from gadoscope.cli.console import say, say_aside
from gadoscope.cli.options import jobs_option, model_option, output_option

EXIT_FAILED = 3
"""As of `classify`: the scan cannot be read."""


@click.command(name="explain")
@click.argument("scan", type=click.Path(path_type=Path), metavar="SCAN")
@output_option(
    "Page (.html), or picture (.png) of the slices and their evidence.", kind="FILE", is_required=True
)
@model_option("Bundle (.onnx) that answers.")
@jobs_option
def command(scan: Path, output: Path, model: Path, jobs: int) -> None:
    """Show the slices of a scan that were read, and where in them the evidence lies.

    SCAN is a slice image, a volume, a DICOM series, or the folder or archive of a study. No label is needed.
    What is refused is shown with the reason.

    \b
    Example:
        gadoscope explain my_scan --output my_scan.html

    Exit code: 0 it was read, 2 wrong usage, 3 nothing of it could be read.
    """
    from gadoscope.classification.classifier import Classifier
    from gadoscope.classification.explained import explain_scan
    from gadoscope.classification.explained_page import check_explained_path, write_explained
    from gadoscope.labels import Status

    check_explained_path(output)
    with Classifier(model, jobs) as classifier:
        series = explain_scan(scan, classifier, jobs=jobs)
    for one in series:
        said = one.result.phase or one.result.reason
        say(f"{one.result.path}: {said}")
    write_explained(series, output, str(model))
    say_aside(f"explained: {output}")
    sys.exit(EXIT_FAILED if all(one.result.status is Status.FAILED for one in series) else 0)
