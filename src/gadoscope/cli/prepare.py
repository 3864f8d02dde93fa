"""`gadoscope prepare`: the repair that an audit advises, as copies; the originals are only read."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gadoscope.cli.options import jobs_option, labels_option, output_option
from gadoscope.preparation import DEFAULT_SIDE, LEAST_SIDE, MOST_SIDE

if TYPE_CHECKING:
    from gadoscope.preparation.uniform import Prepared

EXIT_SOME_FAILED = 3
"""Some images could not be read; the same as of `classify`."""
N_NAMED = 5
"""Images left out that are named; the rest are counted."""


@click.command(short_help="Copy labelled images: one size, one format, borders off.")
@click.argument("data", type=click.Path(path_type=Path), metavar="MANIFEST|FOLDER")
@labels_option
@output_option("A new folder for the copies and their manifest.", is_required=True)
@click.option(
    "--side",
    type=click.IntRange(LEAST_SIDE, MOST_SIDE),
    default=DEFAULT_SIDE,
    show_default=True,
    help="Rows and columns of the copies, pixels.",
)
@jobs_option
def command(data: Path, labels: Path | None, output: Path, side: int, jobs: int) -> None:
    """Copy labelled images so that size, format and borders tell nothing.

    DATA is a manifest or a folder of labelled images and scans, which are only read. Each slice is cut
    to its head, put into a black square and written as a grey PNG, all of one length; manifest.csv
    beside them keeps labels, subjects, planes, sources and splits. What cannot be read is left out and
    named. Audit the copies: what is written on a head, its plane and its grain are still there.

    \b
    gadoscope prepare slices/ --output prepared
    gadoscope audit prepared --output audit

    Exit code: 0 all are copied; 2 wrong usage; 3 some could not be read.
    """
    from gadoscope.api.folders import prepare
    from gadoscope.cli.console import say
    from gadoscope.cli.display import Display

    with Display() as display:
        done = prepare(data, output=output, labels=labels, side=side, jobs=jobs, on_progress=display.tell)
    say(*done.notices, *_summarise(done))
    sys.exit(EXIT_SOME_FAILED if done.left_out else 0)


def _summarise(done: "Prepared") -> list[str]:
    from gadoscope.wording import plural

    lines = [f"{done.folder}: {plural(done.n_images, 'image')} of {done.side} x {done.side} pixels."]
    if done.left_out:
        lines.append(f"Left out: {plural(len(done.left_out), 'image')}.")
        lines += [f"  {name}: {reason}: {sentence}" for name, reason, sentence in done.left_out[:N_NAMED]]
    return [*lines, f"next: gadoscope audit {done.folder}"]
