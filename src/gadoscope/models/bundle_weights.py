"""The weights of a bundle, put back into the network that they were trained in."""

import onnx
import torch
from onnx import numpy_helper
from torch import nn

from gadoscope.errors import BundleError
from gadoscope.inference.bundle import Bundle

FIRST_MEMBER = "members.0."
"""Begins the names of its weights in the bundle of an average."""


def load_bundle_weights(bundle: Bundle, model: nn.Module, network: str) -> None:
    """Put the weights of a bundle into ``model``.

    A single network starts from the first member where the bundle averages several.

    Raises
    ------
    BundleError
        If it is of another network, or lacks a weight.
    """
    path = bundle.path
    if bundle.metadata.network != network:
        raise BundleError(
            f"{path} holds the network {bundle.metadata.network!r}; this run trains {network!r}. "
            "Name a bundle of the same network, or another config."
        )
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    weights = model.state_dict()
    for own, present in weights.items():
        name = own if own in found else FIRST_MEMBER + own
        if name not in found or found[name].shape != tuple(present.shape):
            shape = found[name].shape if name in found else "nothing"
            raise BundleError(
                f"{path} has {shape} for the weight {own}; expected {tuple(present.shape)}. "
                "Name a bundle that Gadoscope trained or imported."
            )
        weights[own] = torch.from_numpy(found[name].copy())
    model.load_state_dict(weights)
