"""The ONNX graph of a network: traced once for each structure in a process, then filled with the weights.

Tracing takes seconds, however small the network is. Folds, repetitions and resumed runs train one structure
again and again, and the graph does not depend on the weights. That of the lesson, which people wait for, is
written down (`gadoscope.training.onnx_lesson`).
"""

import logging
import warnings
from collections.abc import Sequence

import onnx
import torch
from torch import nn

from gadoscope.errors import TrainingError
from gadoscope.inference.bundle import INPUT_NAME
from gadoscope.models.siim import Siim
from gadoscope.training.onnx_lesson import write_graph

_PLAIN = (bool, int, float, str, tuple)
_Structure = tuple[object, ...]

_traced: dict[_Structure, bytes] = {}
"""The graph of each structure, its weights left out: some hundred kilobytes each."""


def to_onnx(model: nn.Module, size: int, outputs: Sequence[str]) -> onnx.ModelProto:
    """Return the graph of ``model`` with its weights, and nothing else of this machine.

    Parameters
    ----------
    model
        Maps float32 images (n, 1, size, size) to logits (n,), one for each of ``outputs``; in evaluation.

    Raises
    ------
    TrainingError
        If torch has no exporter.
    """
    if type(model) is Siim:
        (output,) = outputs
        program = write_graph(model, output)
        _fill(program, model)
        return program
    structure = _describe_structure(model, size, outputs)
    if structure not in _traced:
        program = _trace(model, size, outputs)
        _strip_sources(program)
        _traced[structure] = _without_weights(program, model)
    filled = onnx.ModelProto()
    filled.ParseFromString(_traced[structure])
    _fill(filled, model)
    return filled


def _describe_structure(model: nn.Module, size: int, outputs: Sequence[str]) -> _Structure:
    """Return what two networks have in common whose graphs are equal."""
    modules = tuple(
        (name, type(module), module.extra_repr(), _plain_attributes(module))
        for name, module in model.named_modules()
    )
    weights = tuple(
        (name, tuple(weight.shape), weight.dtype, weight.device.type) for name, weight in _weights_of(model)
    )
    return (size, tuple(outputs), modules, weights)


def _plain_attributes(module: nn.Module) -> _Structure:
    """Return the settings that a forward pass may branch on, such as whether it looks at mirrored slices."""
    return tuple((name, value) for name, value in sorted(vars(module).items()) if isinstance(value, _PLAIN))


def _weights_of(model: nn.Module) -> list[tuple[str, torch.Tensor]]:
    return [*model.named_parameters(), *model.named_buffers()]


def _trace(model: nn.Module, size: int, outputs: Sequence[str]) -> onnx.ModelProto:
    device = next(model.parameters()).device
    # Two images, for the exporter takes a batch of one as a constant.
    example = torch.zeros(2, 1, size, size, device=device)
    with warnings.catch_warnings():
        # The exporter warns of its own internals, of which a user can change nothing.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        exported = torch.onnx.export(
            model,
            (example,),
            dynamo=True,
            dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
            input_names=[INPUT_NAME],
            output_names=list(outputs),
            # Unoptimised: folding would replace weights by sums of them, and `--init` reads the weights.
            # ONNX Runtime folds when it loads.
            optimize=False,
            verbose=False,
        )
    if exported is None:
        raise TrainingError("torch exported no ONNX program; is torch 2.6 or newer installed?")
    program: onnx.ModelProto = exported.model_proto
    return program


def _strip_sources(program: onnx.ModelProto) -> None:
    """Drop what the exporter notes of this machine: stack traces hold its paths."""
    for node in program.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*program.graph.value_info, *program.graph.input, *program.graph.output):
        del value.metadata_props[:]
    for tensor in program.graph.initializer:
        del tensor.metadata_props[:]
    del program.graph.metadata_props[:]
    del program.metadata_props[:]


def _without_weights(program: onnx.ModelProto, model: nn.Module) -> bytes:
    names = {name for name, _ in _weights_of(model)}
    for tensor in program.graph.initializer:
        if tensor.name in names:
            tensor.ClearField("raw_data")
    content: bytes = program.SerializeToString()
    return content


def _fill(program: onnx.ModelProto, model: nn.Module) -> None:
    """Write the weights into the tensors of their names; what has no such name is a constant of the graph."""
    weights = dict(_weights_of(model))
    for tensor in program.graph.initializer:
        if tensor.name in weights:
            tensor.raw_data = weights[tensor.name].detach().cpu().contiguous().numpy().tobytes()
