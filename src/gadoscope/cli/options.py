"""Options that several commands share: written once, and so the same everywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

jobs_option = click.option(
    "--jobs", type=click.IntRange(min=0), default=0, help="Workers; 0 takes one for each core."
)


labels_option = click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="path or series_instance_uid, and label, of what lies in the folder of scans.",
)


def model_option(what: str) -> Callable[[Command], Command]:
    """Return the option ``--model`` of what answers with a bundle, `default` unless another is named."""
    return click.option(
        "--model",
        type=click.Path(path_type=Path),
        metavar="FILE",
        default="default",
        show_default=True,
        help=what,
    )


def json_option(what: str) -> Callable[[Command], Command]:
    """Return the switch ``--json``; ``what`` says what is printed then."""
    return click.option("--json", "as_json", is_flag=True, help=what)


def output_option(
    what: str, *, kind: str = "FOLDER", is_required: bool = False
) -> Callable[[Command], Command]:
    """Return the option ``--output``; ``what`` says what goes there, ``kind`` what it names."""
    path = click.Path(path_type=Path)
    return click.option("--output", type=path, metavar=kind, required=is_required, help=what)
