"""The ONNX graph of a network, written down operator by operator: torch takes seconds to trace it.

The weights stand in it as they were trained, under their own names: `--init` reads them, and the SHA-256 of
a run is of them. ONNX Runtime folds what can be folded when it loads.
"""

from collections.abc import Mapping, Sequence

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from gadoscope.errors import TrainingError
from gadoscope.inference.bundle import INPUT_NAME
from gadoscope.models.average import Average
from gadoscope.models.compact import Compact
from gadoscope.models.siim import Siim
from gadoscope.training.onnx_compact import write_compact
from gadoscope.training.onnx_lesson import write_lesson
from gadoscope.training.onnx_nodes import Nodes

OPSET, IR_VERSION = 20, 10
"""What an older ONNX Runtime still reads."""


def to_onnx(model: nn.Module, size: int, outputs: Mapping[str, Sequence[str | int]]) -> onnx.ModelProto:
    """Return the graph of ``model`` in evaluation with its weights, and nothing else of this machine.

    Parameters
    ----------
    model
        Maps float32 images (n, 1, size, size) to logits, one for each of ``outputs``.
    outputs
        What the logits are called, in their order, and the shape of each.

    Raises
    ------
    TrainingError
        If nobody has written down the graph of such a network.
    """
    nodes = Nodes()
    for answer, output in zip(_write(nodes, model, INPUT_NAME, ""), outputs, strict=True):
        nodes.call(answer, output)
    weights = [*model.named_parameters(), *model.named_buffers()]
    graph = helper.make_graph(
        nodes.nodes,
        "main_graph",
        [_describe(INPUT_NAME, ("batch", 1, size, size))],
        [_describe(output, shape) for output, shape in outputs.items()],
        [_tensor(name, weight) for name, weight in weights] + list(nodes.constants.values()),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _write(nodes: Nodes, model: nn.Module, images: str, prefix: str) -> list[str]:
    """Add what ``model`` computes of images, and return the names of its logits."""
    if isinstance(model, Siim):
        return write_lesson(nodes, images, prefix)
    if isinstance(model, Compact):
        return write_compact(nodes, model, images, prefix)
    if isinstance(model, Average):
        return _write_average(nodes, model, images, prefix)
    raise TrainingError(
        f"the ONNX graph of a {type(model).__name__} is not written down, so it cannot become a bundle; "
        "write it beside that of the default, training/onnx_compact.py."
    )


def _write_average(nodes: Nodes, model: Average, images: str, prefix: str) -> list[str]:
    views = [images, nodes.mirror(images)] if model.mirrored else [images]
    answers = [
        _write(nodes, member, view, f"{prefix}members.{number}.")
        for number, member in enumerate(model.members)
        for view in views
    ]
    return [nodes.add("Mean", logits) for logits in zip(*answers, strict=True)]


def _describe(name: str, shape: Sequence[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _tensor(name: str, weight: torch.Tensor) -> TensorProto:
    return numpy_helper.from_array(weight.detach().cpu().contiguous().numpy(), name)
