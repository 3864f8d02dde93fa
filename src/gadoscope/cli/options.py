"""Options that several commands share: written once, and so the same everywhere."""

from collections.abc import Callable, Mapping
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

training_data_option = click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="A manifest, a BIDS data set, or a folder with no_gad and with_gad.",
)
init_option = click.option(
    "--init", type=click.Path(path_type=Path), help="A bundle whose weights to start from, or `default`."
)
teacher_option = click.option(
    "--teacher",
    type=click.Path(path_type=Path),
    help="A bundle whose answers to learn beside the labels, or `default`.",
)
epochs_option = click.option("--epochs", type=click.IntRange(min=1), help="In place of the config's.")
seed_option = click.option("--seed", type=click.IntRange(min=0), help="In place of the config's.")
settings_option = click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any setting of the config."
)
accelerator_option = click.option(
    "--accelerator",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    help="Where to train; auto takes a GPU if there is one.",
)


def list_changes(options: Mapping[str, Any]) -> list[str]:
    """Return what `epochs_option` and `seed_option` change, as `settings_option` would write it."""
    return [f"{key}={options[key]}" for key in ("epochs", "seed") if options[key] is not None]


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


store_option = click.option(
    "--store",
    "store_url",
    metavar="URL",
    help="Keep answers in a database, and take over what it knows: sqlite:///answers.db, "
    "postgresql://user@host/database.",
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
