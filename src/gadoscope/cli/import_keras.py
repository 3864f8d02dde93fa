"""`gadoscope import-keras`: old weights become a bundle."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gadoscope.cli.console import say, say_json
from gadoscope.cli.options import json_option, output_option

if TYPE_CHECKING:
    from gadoscope.api.keras import ImportedBundle


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
    from gadoscope.api.keras import import_keras

    done = import_keras(file, output=output)
    layers = [layer._asdict() for layer in done.layers]
    if as_json:
        say_json({**vars(done), "bundle": str(done.bundle), "layers": layers}, indent=2)
    else:
        _print(done, layers)


def _print(done: "ImportedBundle", layers: list[dict[str, Any]]) -> None:
    from gadoscope.api.keras import DEFAULT_THRESHOLD
    from gadoscope.cli.layers import format_layers

    say(*format_layers(layers).splitlines())
    say(f"Saved by Keras {done.keras_version}; now {done.bundle} ({done.model_id}).")
    say(
        f"Its threshold is {DEFAULT_THRESHOLD}, chosen on nothing: recalibrate on your own validation data. "
        "It was made for sagittal slices."
    )
