"""`gadoscope tune`: trials of other settings become the best of them, judged once."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gadoscope.cli.options import (
    accelerator_option,
    epochs_option,
    init_option,
    labels_option,
    list_changes,
    output_option,
    seed_option,
    settings_option,
    teacher_option,
    training_data_option,
)

if TYPE_CHECKING:
    from gadoscope.training.config import TrainingConfig

DEFAULT_TRIALS = 20


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--space",
    required=True,
    type=click.Path(path_type=Path),
    metavar="TOML",
    help="What to try: settings of the config, each with its range or its choices.",
)
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    default=DEFAULT_TRIALS,
    show_default=True,
    help="How many, with those that lie in the folder.",
)
@training_data_option
@labels_option
@output_option("The search's folder; one that is there is gone on with.", is_required=True)
@init_option
@teacher_option
@epochs_option
@seed_option
@settings_option
@accelerator_option
def command(config: Path, settings: tuple[str, ...], **options: Any) -> None:
    """Search for better settings, by Optuna.

    Trials are compared by their validation loss; one that is worse than the median of the others is
    ended early. The best is judged once, on test images that no trial has seen. The same command
    again goes on where it was stopped. A space is written in TOML:

    \b
    "optimiser.learning_rate" = { low = 1e-4, high = 1e-2, log = true }
    batch_size = { choices = [16, 32] }
    epochs = { low = 5, high = 20, step = 5 }

    \b
    gadoscope tune lesson --space space.toml --trials 20 --data FOLDER --output runs/tuning
    """
    from gadoscope.api.runs import tune
    from gadoscope.cli.console import say
    from gadoscope.cli.training_display import TrainingDisplay
    from gadoscope.training.config import read_config

    asked = read_config(config, [*settings, *list_changes(options)])
    with TrainingDisplay(asked) as display:

        def begin(name: str, config: "TrainingConfig") -> None:
            display.epochs = config.epochs
            display.begin(name)

        done = tune(
            asked,
            space=options["space"],
            data=options["data"],
            output=options["output"],
            trials=options["trials"],
            on_trial=begin,
            labels=options["labels"],
            init=options["init"],
            teacher=options["teacher"],
            accelerator=options["accelerator"],
            watch=display.watch,
            on_progress=display.tell,
            warn=display.warn,
        )
    say(*done.to_text().splitlines())
