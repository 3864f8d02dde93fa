"""Weights that Keras saved for the lesson's network become a bundle."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gadoscope.api.arguments import need_path
from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.decision.operating_point import OperatingPoint
from gadoscope.errors import UsageError
from gadoscope.extras import name_what_is_missing
from gadoscope.files import hash_file
from gadoscope.imaging.intensity import ImagePath
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.inference.bundle import BundleMetadata
from gadoscope.inference.session import Session
from gadoscope.labels import Plane

if TYPE_CHECKING:
    from gadoscope.models.keras.layouts import KerasFile
    from gadoscope.models.network import Layer

# Keras' own default for a sigmoid; the lesson chose another by looking at its test images.
DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True, kw_only=True)
class ImportedBundle:
    """What an import leaves behind.

    Attributes
    ----------
    bundle
        The file.
    model_id
        What results call it.
    keras_version
        That saved the weights.
    largest_difference_from_torch
        Between the answers of the bundle and those of the network that it was made from, as logits.
    layers
        Name, shape of what it puts out, and parameters of each.
    """

    bundle: Path
    model_id: str
    keras_version: str
    n_parameters: int
    largest_difference_from_torch: float
    layers: "tuple[Layer, ...]"


def import_keras(file: str | Path, *, output: str | Path | None = None) -> ImportedBundle:
    """Turn weights that Keras saved for the lesson's network into a bundle.

    Without TensorFlow, and without running anything in the file. The bundle's threshold is 0.5, chosen on
    nothing: recalibrate on your own validation data.

    Parameters
    ----------
    file
        An .h5 of Keras 2 or 3, or a .keras.
    output
        The bundle to write; by default the file's name with .onnx, in the current folder.

    Raises
    ------
    WeightsError
        If the file is damaged, or of another network.
    UsageError
        If a path is none, or the output is no .onnx.
    OutputError
        If the bundle cannot be written.
    """
    source = need_path(file)
    target = need_path(output or f"{source.stem}.onnx")
    if target.suffix != ".onnx":
        raise UsageError(f"output is {target}; a bundle's name ends in .onnx.")
    with name_what_is_missing("this command"):
        import h5py  # noqa: F401  # a process of its own reads with it, where its absence would look like damage

        from gadoscope.models.keras.h5 import read_keras_file

        weights = read_keras_file(source)  # before torch is loaded: a wrong file is refused at once

        import torch

        from gadoscope.models.siim import Siim, layer_table
        from gadoscope.training.export import export_bundle

    network = Siim()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.state.items()})
    layers = tuple(layer_table(network))
    n_parameters = sum(layer.parameters for layer in layers)
    difference = export_bundle(network, target, _describe(source, weights, n_parameters))
    return ImportedBundle(
        bundle=target,
        model_id=Session(target).bundle.model_id,
        keras_version=weights.keras_version,
        n_parameters=n_parameters,
        largest_difference_from_torch=difference,
        layers=layers,
    )


def _describe(file: Path, weights: "KerasFile", n_parameters: int) -> BundleMetadata:
    """Return the metadata, which claims nothing that a file of weights does not hold."""
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
            "sha256": hash_file(file),
            "keras_version": weights.keras_version,
        },
        licence="unknown: ask the weights' author",
    )
