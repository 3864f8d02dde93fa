"""The operators of an ONNX graph, written down one after the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

CHANNEL_AXIS, ROW_AXIS, COLUMN_AXIS = 1, 2, 3
"""Of (n, channel, row, column)."""
_BEFORE_THE_FIRST = np.iinfo(np.int64).min
"""Where a slice ends that runs backwards and takes the first element too."""


class Nodes:
    """The operators of a graph and its whole numbers, each under a name of its own.

    Attributes
    ----------
    nodes
        In the order in which they are computed.
    constants
        What operators need beside images and weights: axes and bounds.
    """

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}

    def add(self, kind: str, given: Sequence[str], **settings: Any) -> str:
        """Add an operator of one output, and return that output's name."""
        made = f"{kind}{len(self.nodes) + 1}"
        self.nodes.append(helper.make_node(kind, given, [made], name=made, **settings))
        return made

    def whole(self, *numbers: int) -> str:
        """Return the name of a constant of whole numbers, shape (n,)."""
        name = "whole_" + "_".join(map(str, numbers))
        self.constants[name] = numpy_helper.from_array(np.array(numbers, np.int64), name)
        return name

    def call(self, made: str, name: str) -> None:
        """Let an output of the graph, of which no operator makes anything more, have another name."""
        (maker,) = (node for node in self.nodes if made in node.output)
        maker.output[0] = name

    def weigh(self, given: str, layer: str) -> str:
        """Add a linear layer: its weights, shape (outputs, inputs), and its offsets have its name."""
        return self.add("Gemm", [given, f"{layer}.weight", f"{layer}.bias"], transB=1)

    def drop_column(self, given: str) -> str:
        """Make numbers, shape (n,), of a column, shape (n, 1)."""
        return self.add("Squeeze", [given, self.whole(CHANNEL_AXIS)])

    def mirror(self, images: str) -> str:
        """Exchange left and right."""
        bounds = [self.whole(number) for number in (-1, _BEFORE_THE_FIRST, COLUMN_AXIS, -1)]
        return self.add("Slice", [images, *bounds])
