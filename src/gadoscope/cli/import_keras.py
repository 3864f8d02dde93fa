"""`gadoscope import-keras`: old weights become a bundle."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gadoscope.cli.console import say, say_json
from gadoscope.cli.options import json_option, output_option
from gadoscope.errors import UsageError

if TYPE_CHECKING:
    from gadoscope.inference.bundle import BundleMetadata
    from gadoscope.models.keras.layouts import KerasFile

# Keras' own default for a sigmoid; the lesson chose another by looking at its test images.
DEFAULT_THRESHOLD = 0.5


@click.command(name="import-keras")
@click.argument("file", type=click.Path(path_type=Path))
@output_option("Bundle to write; by default FILE's name with .onnx, in the current folder.", kind="FILE.onnx")
@json_option("Print the layers and the bundle as JSON.")
def command(file: Path, output: Path | None, as_json: bool) -> None:
    """Turn weights that Keras saved for the lesson's network into a bundle.

    Reads .h5 of Keras 2 and 3 and .keras, without TensorFlow and without running anything in the
    file. The bundle's threshold is 0.5: calibrate it on images of your own.

    \b
    Example:
        gadoscope import-keras SimpleGadClass.h5 --output lesson.onnx
    """
    target = output or Path(f"{file.stem}.onnx")
    if target.suffix != ".onnx":
        raise UsageError(f"--output is {target}; a bundle's name ends in .onnx.")
    report = _import(file, target)
    if as_json:
        say_json(report, indent=2)
    else:
        _print(report)


def _import(file: Path, target: Path) -> dict[str, Any]:
    """Write the bundle; return what is to be said about it."""
    from gadoscope.models.keras.h5 import read_keras_file

    weights = read_keras_file(file)  # before torch is loaded: a wrong file is refused at once

    import torch

    from gadoscope.inference.session import Session
    from gadoscope.models.siim import Siim, layer_table
    from gadoscope.training.export import export_bundle

    network = Siim()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.state.items()})
    layers = layer_table(network)
    n_parameters = sum(layer.parameters for layer in layers)
    difference = export_bundle(network, target, _describe(file, weights, n_parameters))
    return {
        "bundle": str(target),
        "model_id": Session(target).bundle.model_id,
        "keras_version": weights.keras_version,
        "n_parameters": n_parameters,
        "largest_difference_from_torch": difference,
        "layers": [layer._asdict() for layer in layers],
    }


def _describe(file: Path, weights: "KerasFile", n_parameters: int) -> "BundleMetadata":
    """Return the metadata, which claims nothing that a file of weights does not hold."""
    import hashlib

    from gadoscope.decision.decision import Decision, LevelDecision
    from gadoscope.decision.operating_point import OperatingPoint
    from gadoscope.imaging.intensity import ImagePath
    from gadoscope.imaging.slices import SlicePolicy
    from gadoscope.inference.bundle import BundleMetadata
    from gadoscope.labels import Plane

    point = OperatingPoint(
        threshold=DEFAULT_THRESHOLD,
        lower=DEFAULT_THRESHOLD,
        upper=DEFAULT_THRESHOLD,
        rule="keras_default",
        chosen_on="nothing: the file holds no threshold; recalibrate on your own validation data",
    )
    return BundleMetadata(
        name=file.stem,
        network="siim",
        n_parameters=n_parameters,
        image_path=ImagePath(),
        slice_policy=SlicePolicy(planes=(Plane.SAGITTAL,)),
        planes=(Plane.SAGITTAL,),
        decision=Decision(of_slice=LevelDecision(point=point)),
        training={
            "source": "imported from Keras",
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "keras_version": weights.keras_version,
        },
        licence="unknown: ask the weights' author",
    )


def _print(report: dict[str, Any]) -> None:
    from gadoscope.cli.layers import format_layers

    say(*format_layers(report["layers"]).splitlines())
    say(f"Saved by Keras {report['keras_version']}; now {report['bundle']} ({report['model_id']}).")
    say(
        f"Its threshold is {DEFAULT_THRESHOLD}, chosen on nothing: recalibrate on your own validation data. "
        "It was made for sagittal slices."
    )
