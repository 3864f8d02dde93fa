"""A bundle without a trained network: the logit of a slice is a straight line in its mean brightness.

One with a gate takes what is very bright for no T1 brain.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from gadoscope.decision.decision import Decision, LevelDecision
from gadoscope.decision.gate import Gate
from gadoscope.decision.operating_point import OperatingPoint
from gadoscope.imaging.intensity import ImagePath
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.inference.bundle import GATE_OUTPUT_NAME, METADATA_KEY, BundleMetadata

TINY_SIZE = 32
TINY_SLOPE = 20.0
"""logit = TINY_SLOPE * (mean brightness in [0, 1] - 0.5)"""

TINY_GATE = 0.8
"""Of the tiny bundle with a gate: t1_brain_logit = TINY_SLOPE * (TINY_GATE - mean brightness in [0, 1])"""

TINY_POINT = OperatingPoint(
    threshold=0.5, lower=0.5, upper=0.5, rule="by hand", chosen_on="nothing: for tests"
)
TINY_DECISION = Decision(of_slice=LevelDecision(point=TINY_POINT))
TINY_METADATA = BundleMetadata(
    name="tiny",
    network="mean-brightness",
    n_parameters=2,
    image_path=ImagePath(size=TINY_SIZE),
    slice_policy=SlicePolicy(),
    planes=(),
    decision=TINY_DECISION,
    licence="Apache-2.0",
)
TINY_GATE_RULE = Gate(threshold=0.5, max_refused=0.005, chosen_on="nothing: for tests")
GATED_METADATA = replace(TINY_METADATA, decision=replace(TINY_DECISION, gate=TINY_GATE_RULE))


def with_band(lower: float, upper: float) -> BundleMetadata:
    """Return the tiny bundle's metadata with an abstention band [lower, upper)."""
    return with_point(lower=lower, upper=upper, threshold=(lower + upper) / 2)


def with_point(**numbers: float) -> BundleMetadata:
    """Return the tiny bundle's metadata with another operating point of slices."""
    of_slice = LevelDecision(point=replace(TINY_POINT, **numbers))  # type: ignore[arg-type]  # all of them numbers
    return replace(TINY_METADATA, decision=replace(TINY_DECISION, of_slice=of_slice))


def tiny_model(
    *,
    size: int = TINY_SIZE,
    input_name: str = "images",
    element_type: int = TensorProto.FLOAT,
    n_channels: int = 1,
    n_outputs: int = 1,
    second: str = "second",
) -> onnx.ModelProto:
    """Return the network without metadata; the arguments make the wrong ones."""
    number = helper.tensor_dtype_to_np_dtype(element_type)
    nodes = [
        helper.make_node("ReduceMean", [input_name], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Sub", ["mean", "half"], ["centred"]),
        helper.make_node("Mul", ["centred", "slope"], ["logit"]),
        helper.make_node("Sub", ["gate", "mean"], ["below"]),
        helper.make_node("Mul", ["below", "slope"], [second]),
    ]
    graph = helper.make_graph(
        nodes,
        "mean-brightness",
        [helper.make_tensor_value_info(input_name, element_type, ["batch", n_channels, size, size])],
        [
            helper.make_tensor_value_info(name, element_type, ["batch"])
            for name in ("logit", second)[:n_outputs]
        ],
        [
            numpy_helper.from_array(np.array(0.5, dtype=number), "half"),
            numpy_helper.from_array(np.array(TINY_SLOPE, dtype=number), "slope"),
            numpy_helper.from_array(np.array(TINY_GATE, dtype=number), "gate"),
        ],
    )
    model: onnx.ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    return model


def write_tiny_bundle(
    path: Path, metadata: BundleMetadata | str = TINY_METADATA, model: onnx.ModelProto | None = None
) -> Path:
    """Write the tiny bundle, or one with another network or other metadata (a text is taken as it is)."""
    model = tiny_model() if model is None else model
    entry = metadata if isinstance(metadata, str) else metadata.to_json()
    helper.set_model_props(model, {METADATA_KEY: entry})
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def write_gated_bundle(path: Path, metadata: BundleMetadata | str = GATED_METADATA) -> Path:
    """Write the tiny bundle with a gate."""
    return write_tiny_bundle(path, metadata, tiny_model(n_outputs=2, second=GATE_OUTPUT_NAME))
