"""`gadoscope doctor`: what is installed, and whether a bundle answers."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gadoscope.cli.console import say, say_json
from gadoscope.cli.options import json_option
from gadoscope.extras import install_command

if TYPE_CHECKING:
    from gadoscope.api.doctor import Checkup

EXIT_UNWELL = 1
"""A library or the model of the base installation is missing, or the bundle does not answer."""


@click.command(name="doctor")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Bundle (.onnx) to try; without it, `default`.",
)
@json_option("The same as JSON on the standard output.")
def command(model: Path | None, as_json: bool) -> None:
    """Say what is installed, what is missing, and whether a bundle answers.

    Without --model that is the default bundle, which must be the one that was shipped, to the byte.

    \b
    Example:
        gadoscope doctor
        gadoscope doctor --model lesson.onnx

    Exit code: 0 all is well, 1 something is missing or the bundle does not answer.
    """
    from gadoscope.api.doctor import doctor

    report = doctor(model)
    if as_json:
        say_json(report, indent=2)
    else:
        _print(report)
    sys.exit(0 if report["well"] else EXIT_UNWELL)


def _print(report: "Checkup") -> None:
    say(f"Gadoscope {report['gadoscope']} on Python {report['python']}, {report['cores']} cores")
    for group, libraries in report["libraries"].items():
        missing = [name for name, version in libraries.items() if version is None]
        there = ", ".join(f"{name} {version}" for name, version in libraries.items() if version)
        say(f"{group}: {there or 'nothing installed'}")
        if missing:
            say(f"  missing {', '.join(missing)}: {install_command(group)}")
    unreadable = [name for name, readable in report["images"].items() if not readable]
    say("images: " + ", ".join(name for name, readable in report["images"].items() if readable))
    if unreadable:
        say(f"  this Pillow cannot read {', '.join(unreadable)}")
    _print_transfer_syntaxes(report["transfer_syntaxes"])
    _print_model(report["model"])
    say("All is well." if report["well"] else "Something is missing; see above.")


def _print_transfer_syntaxes(syntaxes: dict[str, bool]) -> None:
    say("DICOM: " + ", ".join(name for name, readable in syntaxes.items() if readable))
    undecodable = [name for name, readable in syntaxes.items() if not readable]
    if undecodable:
        say(f"  cannot decode {', '.join(undecodable)}: pip install --force-reinstall imagecodecs")


def _print_model(model: dict[str, Any]) -> None:
    if not model["answers"]:
        say(f"model: {model['note']}")
        return
    say(f"model: {model['model_id']} answers ({model['seconds'] * 1000:.0f} ms); {model['path']}")
    say(
        f"  network {model['network']}, {model['n_parameters']:,} parameters, "
        f"input {model['image_path']['size']} x {model['image_path']['size']}, "
        f"planes {', '.join(model['planes']) or 'unknown'}, licence {model['licence'] or 'unknown'}"
    )
    _print_decision("a slice", model["operating_point"], model["calibration"])
    if model["series_operating_point"] != model["operating_point"]:
        name = f"a series ({model['aggregation']['method']} of its slices)"
        _print_decision(name, model["series_operating_point"], model["series_calibration"])


def _print_decision(name: str, point: dict[str, Any], calibration: dict[str, Any]) -> None:
    say(
        f"  {name}: post-contrast from {point['upper']:.4g}, pre-contrast below {point['lower']:.4g} "
        f"({point['rule']}, calibration {calibration['method']}, chosen on {point['chosen_on']})"
    )
    if point["promise"] is not None:
        say(f"    {point['promise']['sentence']}")
