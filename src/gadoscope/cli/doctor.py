"""`gadoscope doctor`: what is installed, and whether a bundle answers."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gadoscope.cli.console import say, say_json
from gadoscope.cli.options import json_option
from gadoscope.errors import BundleError, UsageError
from gadoscope.extras import install_command
from gadoscope.records import to_plain

if TYPE_CHECKING:
    from gadoscope.inference.session import Session

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
    from gadoscope.cli.installation import installed_libraries, readable_images, readable_transfer_syntaxes
    from gadoscope.parallel import count_jobs

    report: dict[str, Any] = {
        "gadoscope": _version(),
        "python": sys.version.split()[0],
        "cores": count_jobs(0),
        "libraries": installed_libraries(),
        "images": readable_images(),
        "transfer_syntaxes": readable_transfer_syntaxes(),
        "model": _examine(model),
    }
    is_whole = all(report["libraries"]["base"].values()) and all(report["transfer_syntaxes"].values())
    report["well"] = is_whole and report["model"]["answers"]
    if as_json:
        say_json(report, indent=2)
    else:
        _print(report)
    sys.exit(0 if report["well"] else EXIT_UNWELL)


def _version() -> str:
    from gadoscope.version import __version__

    return __version__


def _examine(model: Path | None) -> dict[str, Any]:
    """Return what the bundle says of itself and whether it answers."""
    from gadoscope.inference.default import check_default, find_model, is_default
    from gadoscope.inference.session import Session

    path = None if is_default(model) else model
    try:
        path = find_model(model)
        session = Session(path)
        if is_default(model):
            check_default(session.bundle.sha256)
    except (BundleError, UsageError) as error:
        return {"answers": False, "path": None if path is None else str(path), "note": str(error)}
    return {"path": str(path), **_try_slice(session), **_summarise(session)}


def _try_slice(session: "Session") -> dict[str, Any]:
    """Answer one made slice, dark on the left and bright on the right, and time it."""
    import time

    import numpy as np

    from gadoscope.imaging.intensity import MAX_GREY

    size = session.bundle.metadata.image_path.size
    ramp = np.linspace(0, MAX_GREY, size).astype(np.uint8)
    begin = time.perf_counter()
    logit = session.slice_logits(np.broadcast_to(ramp, (1, size, size)))[0]
    seconds = time.perf_counter() - begin
    answers = bool(np.isfinite(logit))
    note = "" if answers else "it answered no number; its weights may be damaged."
    return {
        "answers": answers,
        "note": note,
        "seconds": round(seconds, 4),
        "probability_of_a_ramp": float(session.bundle.metadata.decision.probability(logit))
        if answers
        else None,
    }


def _summarise(session: "Session") -> dict[str, Any]:
    from gadoscope.labels import Level

    metadata = session.bundle.metadata
    decision, of_series = metadata.decision, metadata.decision.at(Level.SERIES)
    return {
        "model_id": session.bundle.model_id,
        "network": metadata.network,
        "n_parameters": metadata.n_parameters,
        "image_path": to_plain(metadata.image_path),
        "planes": list(metadata.planes),
        "operating_point": to_plain(decision.of_slice.point),
        "calibration": to_plain(decision.of_slice.calibration),
        "aggregation": to_plain(decision.aggregation),
        "series_operating_point": to_plain(of_series.point),
        "series_calibration": to_plain(of_series.calibration),
        "licence": metadata.licence,
        "performance": dict(metadata.performance),
    }


def _print(report: dict[str, Any]) -> None:
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
