"""Files that are no bundle, or one that was made to do harm: one sentence, soon, and nothing is run."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from gadoscope.errors import BundleError, WeightsError
from gadoscope.inference.bundle import METADATA_KEY
from gadoscope.inference.onnx_content import ALLOWED_OPERATORS
from gadoscope.inference.session import Session
from gadoscope.models.keras.h5 import read_keras_file

LIMIT_S = 2.0


def _change(source: Path, target: Path, change: Callable[[onnx.ModelProto], None]) -> Path:
    model = onnx.load(source)
    change(model)
    target.write_bytes(model.SerializeToString())
    return target


def _refuse(path: Path, words: str) -> None:
    start = time.process_time()
    with pytest.raises(BundleError, match=words) as caught:
        Session(path)
    assert time.process_time() - start < LIMIT_S
    assert len(str(caught.value)) < 1000


def _entry(model: onnx.ModelProto) -> onnx.StringStringEntryProto:
    found: onnx.StringStringEntryProto = next(one for one in model.metadata_props if one.key == METADATA_KEY)
    return found


def test_metadata_that_are_no_text_are_told(tmp_path: Path, tiny_bundle: Path) -> None:
    raw = bytearray(tiny_bundle.read_bytes())
    raw[raw.index(b'"aggregation"') + 3] = 0xD9
    (tmp_path / "bad.onnx").write_bytes(raw)
    _refuse(tmp_path / "bad.onnx", "damaged")


@pytest.mark.parametrize("depth", [10_000, 200_000])
def test_metadata_nested_too_deep_are_told(tmp_path: Path, tiny_bundle: Path, depth: int) -> None:
    def nest(model: onnx.ModelProto) -> None:
        entry = _entry(model)
        entry.value = entry.value[:-1] + ', "x": ' + "[" * depth + "]" * depth + "}"

    _refuse(_change(tiny_bundle, tmp_path / "bad.onnx", nest), "damaged")


@pytest.mark.parametrize("key", ["name", "network"])
@pytest.mark.parametrize("length", [10_000, 5_000_000])
def test_a_name_of_megabytes_never_reaches_a_row(
    tmp_path: Path, tiny_bundle: Path, length: int, key: str
) -> None:
    def rename(model: onnx.ModelProto) -> None:
        entry = _entry(model)
        entry.value = entry.value.replace(f'"{key}": "', f'"{key}": "' + "n" * length, 1)

    _refuse(_change(tiny_bundle, tmp_path / "bad.onnx", rename), "characters|metadata have")


def test_unknown_keys_of_megabytes_are_not_quoted_whole(tmp_path: Path, tiny_bundle: Path) -> None:
    def add(model: onnx.ModelProto) -> None:
        entry = _entry(model)
        entry.value = entry.value[:-1] + ', "' + "k" * 500_000 + '": 1}'

    _refuse(_change(tiny_bundle, tmp_path / "bad.onnx", add), "unknown keys")


def _loop(body_operator: str = "Identity") -> onnx.NodeProto:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node(body_operator, ["x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, []),
        ],
    )
    return helper.make_node("Loop", ["", "true", "zero"], ["never"], body=body)


def test_a_loop_without_end_is_refused_before_anything_runs(tmp_path: Path, tiny_bundle: Path) -> None:
    def add(model: onnx.ModelProto) -> None:
        model.graph.initializer.append(helper.make_tensor("true", TensorProto.BOOL, [], [True]))
        model.graph.initializer.append(helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]))
        model.graph.node.insert(0, _loop())

    _refuse(_change(tiny_bundle, tmp_path / "bad.onnx", add), "Loop|network of its own")


def test_a_network_inside_an_allowed_operator_is_refused(tmp_path: Path, tiny_bundle: Path) -> None:
    def add(model: onnx.ModelProto) -> None:
        model.graph.node[0].attribute.append(_loop().attribute[0])

    _refuse(_change(tiny_bundle, tmp_path / "bad.onnx", add), "network of its own")


def test_operators_of_other_makers_are_refused(tmp_path: Path, tiny_bundle: Path) -> None:
    def rename(model: onnx.ModelProto) -> None:
        model.graph.node[0].domain = "com.example"

    _refuse(_change(tiny_bundle, tmp_path / "bad.onnx", rename), "none that a bundle may use")


def test_a_storm_of_operators_is_refused(tmp_path: Path, tiny_bundle: Path) -> None:
    def add(model: onnx.ModelProto) -> None:
        model.graph.node.extend(helper.make_node("Identity", ["a"], ["b"]) for _ in range(20_001))

    _refuse(_change(tiny_bundle, tmp_path / "bad.onnx", add), "more than 20,000 operators")


def test_a_tail_of_zeros_is_no_million_fields(tmp_path: Path, tiny_bundle: Path) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(tiny_bundle.read_bytes())
    os.truncate(path, 8 * 2**20)
    _refuse(path, "not an ONNX file, or a damaged one")


def test_a_storm_of_fields_is_refused(tmp_path: Path, tiny_bundle: Path) -> None:
    one_version = b"\x08\x08"
    (tmp_path / "bad.onnx").write_bytes(tiny_bundle.read_bytes() + one_version * 700_000)
    _refuse(tmp_path / "bad.onnx", "more than 600,000 fields")


@pytest.mark.parametrize("key", ["training", "aggregation", "name", "n_parameters"])
def test_values_of_another_kind_are_not_quoted_whole(tmp_path: Path, tiny_bundle: Path, key: str) -> None:
    def replace(model: onnx.ModelProto) -> None:
        document = json.loads(_entry(model).value)
        document[key] = ["x" * 500_000]
        _entry(model).value = json.dumps(document)

    _refuse(_change(tiny_bundle, tmp_path / "bad.onnx", replace), f"{key} = .*expected")


def _fill(model: onnx.ModelProto, sizes: list[int], *, after: str) -> None:
    """Add to the logit the sum of so many zeros, whose number is known before the first run or not."""
    model.graph.initializer.append(helper.make_tensor("sizes", TensorProto.INT64, [len(sizes)], sizes))
    last = next(node for node in model.graph.node if "logit" in node.output)
    last.output[0] = "own_logit"
    model.graph.node.extend(
        [
            helper.make_node("Expand", [after, "sizes"], ["many"]),
            helper.make_node("ReduceMean", ["many"], ["sum"], keepdims=0),
            helper.make_node("Add", ["own_logit", "sum"], ["logit"]),
        ]
    )


@pytest.mark.parametrize("sizes", [[2**20, 2**12], [2**30, 2**12]])
def test_a_network_of_terabytes_is_refused_before_it_takes_them(
    tmp_path: Path, tiny_bundle: Path, sizes: list[int]
) -> None:
    for after in ("half", "mean"):
        bad = _change(tiny_bundle, tmp_path / f"{after}.onnx", lambda model: _fill(model, sizes, after=after))  # noqa: B023
        start = time.process_time()
        with pytest.raises(BundleError, match=r"cannot be run|not an ONNX file that this"):
            Session(bad)
        assert time.process_time() - start < LIMIT_S


def test_a_network_that_gives_two_answers_for_an_image_is_told(tmp_path: Path, tiny_bundle: Path) -> None:
    def double(model: onnx.ModelProto) -> None:
        last = next(node for node in model.graph.node if "logit" in node.output)
        last.output[0] = "own_logit"
        model.graph.node.append(helper.make_node("Concat", ["own_logit", "own_logit"], ["logit"], axis=0))

    bad = _change(tiny_bundle, tmp_path / "bad.onnx", double)
    with pytest.raises(BundleError, match="one answer for each image"):
        Session(bad)


def test_no_operator_that_is_allowed_holds_a_network() -> None:
    schemas = [onnx.defs.get_schema(name) for name in ALLOWED_OPERATORS]
    kinds = {str(attribute.type) for schema in schemas for attribute in schema.attributes.values()}
    assert not any("GRAPH" in kind for kind in kinds)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_pipe_or_a_device_is_never_opened(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "endless")
    start = time.monotonic()
    with pytest.raises(BundleError, match="pipe, a socket or a device"):
        Session(tmp_path / "endless")
    with pytest.raises(WeightsError, match="pipe, a socket or a device"):
        read_keras_file(tmp_path / "endless")
    assert time.monotonic() - start < LIMIT_S
