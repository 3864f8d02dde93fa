"""The ONNX graph of the lesson's network, written down: torch takes seconds to trace what stands here.

It has the operators of the traced graph but for those that do nothing to an image of one channel, and so the
same answers to the bit.
"""

from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from gadoscope.inference.bundle import INPUT_NAME
from gadoscope.models.lesson import FILTERS, INPUT_SIZE, KERNEL_SIZE, POOL_SIZE
from gadoscope.models.siim import Siim

OPSET, IR_VERSION = 20, 10
"""As torch's exporter writes them: what an older ONNX Runtime still reads."""
CHANNEL_AXIS = "channel_axis"
_FLOAT = TensorProto.FLOAT


def write_graph(model: Siim, output: str) -> onnx.ModelProto:
    """Return the graph with tensors for the weights, which are yet to be filled.

    Parameters
    ----------
    output
        What the logit is called.
    """
    nodes = [_node("ReduceSum", ["conv1.weight", CHANNEL_AXIS], "grey_kernel", keepdims=1)]
    maps = INPUT_NAME
    for stage in range(1, len(FILTERS) + 1):
        kernel = "grey_kernel" if stage == 1 else f"conv{stage}.weight"
        sides, pool = [KERNEL_SIZE] * 2, [POOL_SIZE] * 2
        nodes += [
            _node("Conv", [maps, kernel, f"conv{stage}.bias"], f"maps{stage}", kernel_shape=sides),
            # In this order ONNX Runtime computes the ReLU within the convolution.
            _node("Relu", [f"maps{stage}"], f"relu{stage}"),
            _node("MaxPool", [f"relu{stage}"], f"pool{stage}", kernel_shape=pool, strides=pool),
        ]
        maps = f"pool{stage}"
    nodes += [
        _node("Transpose", [maps], "by_place", perm=[0, 2, 3, 1]),
        _node("Flatten", ["by_place"], "features", axis=1),
        _node("Gemm", ["features", "dense1.weight", "dense1.bias"], "hidden", transB=1),
        _node("Relu", ["hidden"], "active"),
        _node("Gemm", ["active", "dense2.weight", "dense2.bias"], "column", transB=1),
        _node("Squeeze", ["column", CHANNEL_AXIS], output),
    ]
    graph = helper.make_graph(
        nodes,
        "main_graph",
        [helper.make_tensor_value_info(INPUT_NAME, _FLOAT, ["batch", 1, INPUT_SIZE, INPUT_SIZE])],
        [helper.make_tensor_value_info(output, _FLOAT, ["batch"])],
        [_leave_room(name, tuple(weight.shape)) for name, weight in model.named_parameters()]
        + [numpy_helper.from_array(np.array([1], np.int64), CHANNEL_AXIS)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def _node(kind: str, given: list[str], made: str, **settings: Any) -> NodeProto:
    return helper.make_node(kind, given, [made], name=made, **settings)


def _leave_room(name: str, shape: tuple[int, ...]) -> TensorProto:
    return TensorProto(name=name, dims=shape, data_type=_FLOAT)
