"""`gadoscope train`: a config and a folder become a run with a bundle in it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gadoscope.cli.layers import format_layers
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
    from gadoscope.cli.training_display import TrainingDisplay
    from gadoscope.training.config import TrainingConfig
    from gadoscope.training.job import TrainedRun


def _show_config(context: click.Context, _parameter: click.Parameter, config: str | None) -> None:
    """Print a config as it stands in its file, and end."""
    if config is None:
        return
    from gadoscope.cli.console import say
    from gadoscope.training.shipped import find_config

    say(*find_config(config).read_text(encoding="utf-8").splitlines())
    context.exit()


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--show-config",
    metavar="CONFIG",
    expose_value=False,
    is_eager=True,
    callback=_show_config,
    help="Print a config that ships, with its comments, and end: to be kept and edited.",
)
@training_data_option
@labels_option
@output_option("The run's folder.", is_required=True)
@init_option
@teacher_option
@click.option("--resume", is_flag=True, help="Go on where a killed run stopped.")
@click.option(
    "--repeat", type=click.IntRange(min=1), default=1, help="Train so many seeds; report the spread."
)
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    help="Train so many times, each with another part of the subjects held out; find label errors.",
)
@click.option(
    "--leave-source-out", is_flag=True, help="The same with each source of the manifest held out in turn."
)
@click.option(
    "--held-out",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="predictions.csv of --folds: choose threshold and calibration on it, not on the validation images.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Evaluate the run at once, as `gadoscope evaluate` does, and write the report there.",
)
@epochs_option
@seed_option
@click.option(
    "--log-to",
    multiple=True,
    type=click.Choice(["tensorboard", "mlflow"]),
    help="Tell each epoch to this, too; in place of the config's.",
)
@settings_option
@accelerator_option
@click.option(
    "--devices", type=click.IntRange(min=1), default=1, help="How many; torchrun's word goes first."
)
def command(config: Path, settings: tuple[str, ...], **options: Any) -> None:
    """Train a classifier and write it as a bundle.

    CONFIG is a TOML file, or the name of one that ships: default, finetune, lesson. A file of
    that name comes first.

    \b
    gadoscope train lesson --data FOLDER --output runs/lesson
    gadoscope train lesson --data FOLDER --output runs/lesson --report report
    gadoscope train finetune --data FOLDER --init default --output runs/mine
    gadoscope train lesson --data FOLDER --output runs/fast --set precision=bf16
    gadoscope train lesson --data FOLDER --output runs/folds --folds 5
    gadoscope train --show-config lesson > mine.toml
    torchrun --nproc-per-node 2 -m gadoscope train ...
    """
    from gadoscope.cli.console import say
    from gadoscope.cli.training_display import TrainingDisplay
    from gadoscope.training.config import read_config
    from gadoscope.training.devices import leave_together, suit_processor

    _check_one_of(options)
    changes = [f"log.to={json.dumps(options['log_to'])}"] if options["log_to"] else []
    asked = read_config(config, [*settings, *changes, *list_changes(options)])
    with TrainingDisplay(asked) as display:
        if suit_processor(asked, options["accelerator"]) != asked:
            display.note("this processor has no bf16 arithmetic; training in fp32")
        text = _train(asked, display, options)
    say(*text.splitlines())
    leave_together()


def _check_one_of(options: dict[str, Any]) -> None:
    from gadoscope.errors import UsageError

    asked = {
        "--repeat": options["repeat"] > 1,
        "--folds": options["folds"] is not None,
        "--leave-source-out": options["leave_source_out"],
    }
    named = [name for name, is_asked in asked.items() if is_asked]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} are two ways to train several times; name one of them.")
    report: Path | None = options["report"]
    if named and report is not None:
        raise UsageError(f"--report is of one training, and {named[0]} makes several; leave one of them out.")
    if report is not None:
        from gadoscope.files import refuse_file

        refuse_file(report, "the report")  # now, and not after the last epoch


def _train(config: "TrainingConfig", display: "TrainingDisplay", options: dict[str, Any]) -> str:
    """Train once or several times and return what to print; nothing but in the first process."""
    from gadoscope.api.runs import TrainingOptions, cross_validate, repeat, train

    data, output = options["data"], options["output"]
    wishes: TrainingOptions = {
        "labels": options["labels"],
        "resume": options["resume"],
        "init": options["init"],
        "teacher": options["teacher"],
        "held_out": options["held_out"],
        "accelerator": options["accelerator"],
        "devices": options["devices"],
        "watch": display.watch,
        "on_progress": display.tell,
        "warn": display.warn,
    }
    if (folds := options["folds"]) is not None or options["leave_source_out"]:
        done = cross_validate(config, data=data, output=output, folds=folds, on_part=display.begin, **wishes)
        return done.to_text() if done else ""
    if (seeds := options["repeat"]) > 1:
        spread = repeat(config, data=data, output=output, seeds=seeds, on_part=display.begin, **wishes)
        return spread.to_text() if spread else ""
    trained = train(config, data=data, output=output, **wishes)
    if trained is None:
        return ""
    return _describe(trained, _report(trained, display, options["report"]))


def _report(trained: "TrainedRun", display: "TrainingDisplay", folder: Path | None) -> list[str]:
    """Evaluate in this process, where all is loaded, and return what to print; else what is next."""
    if folder is None:
        return [f"next:       gadoscope evaluate {trained.run}"]
    from gadoscope.api.runs import evaluate
    from gadoscope.cli.evaluate import summarise

    return ["", *summarise(evaluate(trained, output=folder, on_progress=display.tell))]


def _describe(trained: "TrainedRun", after: Sequence[str]) -> str:
    from gadoscope.freezing.inherited import INHERITED

    measured = trained.frozen.performance["validation"]
    point = trained.frozen.decision.of_slice.point
    origin, how = point.chosen_on.partition(":")[0], f"{point.rule}, chosen"
    if point.chosen_on.startswith(INHERITED):
        origin, how = "validation", f"{point.chosen_on.partition(',')[0]}, measured"
    layers = format_layers(layer._asdict() for layer in trained.layers)
    warnings = "".join(f"WARNING: {sentence}\n" for sentence in trained.warnings)
    notes = "".join(f"note: {notice}\n" for notice in trained.notices)
    return f"{warnings}{layers}\n{notes}" + (
        f"{origin}: AUC {measured['auc']:.3f}, accuracy {measured['accuracy']:.1%} at the threshold "
        f"{point.threshold:.3f} ({how} on {measured['n_images']} images)\n"
        f"weights:    sha256 {trained.weights_sha256}\n"
        f"bundle:     {trained.bundle} (its probabilities differ from torch's by "
        f"{trained.onnx_difference:.0e} at most)\n" + "".join(f"{line}\n" for line in after)
    )
