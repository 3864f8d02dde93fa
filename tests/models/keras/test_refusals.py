"""Another architecture is refused layer by layer; a damaged or hostile file in one sentence."""

import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from gadoscope.errors import WeightsError
from gadoscope.models.keras import layouts
from gadoscope.models.keras.layouts import read_layout
from tests.support.keras_files import (
    KERAS2,
    KERAS3,
    Edit,
    h5_bytes,
    read_arrays,
    write_archive,
    write_edited_h5,
    write_edited_keras,
    write_layout,
)

Layers = list[dict[str, Any]]


def find(layers: Layers, name: str) -> dict[str, Any]:
    return next(layer for layer in layers if layer["config"]["name"] == name)


def change(name: str, **settings: Any) -> Edit:
    return lambda layers: find(layers, name)["config"].update(settings)


def insert(layers: Layers, layer: dict[str, Any]) -> None:
    """Put a layer between the flattening and the dropout, in the list and in the connections."""
    place = layers.index(find(layers, "flatten")) + 1
    name = layer["config"]["name"]
    layers.insert(place, {"name": name, "inbound_nodes": [[["flatten", 0, 0, {}]]], **layer})
    layers[place + 1]["inbound_nodes"] = [[[name, 0, 0, {}]]]


WRONG_NETWORKS: dict[str, tuple[Edit, str]] = {
    "kernel": (
        change("conv2d_1", kernel_size=[5, 5]),
        r"conv2d_1: convolution with kernel 5 x 5 \(expected 3 x 3\)",
    ),
    "filters": (
        change("conv2d_5", filters=128),
        r"conv2d_5: convolution with filters 128 \(expected 64\)",
    ),
    "padding": (
        change("conv2d_2", padding="same", strides=[2, 2]),
        r"conv2d_2: convolution with strides 2 x 2 \(expected 1 x 1\), padding same \(expected valid\)",
    ),
    "bias": (change("conv2d", use_bias=False), r"conv2d: convolution with bias False \(expected True\)"),
    "activation": (
        change("conv2d_3", activation="tanh"),
        r"conv2d_3: activation with function tanh \(expected relu\)",
    ),
    "no activation": (
        change("dense", activation="linear"),
        r"dense1 of the lesson is missing: activation \(function relu\)",
    ),
    "pool": (change("max_pooling2d", pool_size=[3, 3]), r"max_pooling2d: max pooling with pool 3 x 3"),
    "units": (change("dense", units=128), r"dense: dense with units 128 \(expected 64\)"),
    "classes": (change("dense_1", units=2), r"dense_1: dense with units 2 \(expected 1\)"),
    "end": (
        change("tf.math.sigmoid", function="nn.softmax"),
        r"tf.math.sigmoid: activation with function nn.softmax \(expected sigmoid\)",
    ),
    "shape": (
        change("input_1", batch_input_shape=[None, 224, 224, 3]),
        r"input_1: input with shape 224 x 224 x 3 \(expected 331 x 331 x 3\)",
    ),
    "extra": (
        lambda layers: insert(layers, {"class_name": "BatchNormalization", "config": {"name": "norm"}}),
        r"norm: BatchNormalization where the lesson has none",
    ),
    "branch": (
        lambda layers: layers[3].update(inbound_nodes=[[["conv2d", 0, 0, {}], ["max_pooling2d", 0, 0, {}]]]),
        r"conv2d_1: 2 inputs \(expected 1: the lesson's is one chain\)",
    ),
    "aside": (
        lambda layers: layers.append({**layers[1], "name": "aside"}),
        r"aside: beside the one chain",
    ),
}


@pytest.mark.parametrize("case", WRONG_NETWORKS)
def test_another_network_is_refused_naming_the_layer_and_what_was_expected(case: str, tmp_path: Path) -> None:
    edit, message = WRONG_NETWORKS[case]
    with pytest.raises(WeightsError, match=r"wrong\.h5 holds another network than the lesson's") as refused:
        read_layout(write_edited_h5(tmp_path / "wrong.h5", edit))
    assert re.search(message, str(refused.value))
    assert str(refused.value).count("\n  - ") == 1, "only what differs is listed"


def test_every_layer_that_differs_is_listed(tmp_path: Path) -> None:
    def edit(layers: Layers) -> None:
        for layer in layers:
            if layer["class_name"] == "Conv2D":
                layer["config"]["kernel_size"] = [7, 7]

    with pytest.raises(WeightsError) as refused:
        read_layout(write_edited_keras(tmp_path / "wrong.keras", edit))
    listed = str(refused.value).split("\n  - ")[1:]
    assert [line.split(":")[0] for line in listed] == ["conv2d", *(f"conv2d_{n}" for n in range(1, 6))]


def test_a_network_of_hundreds_of_layers_gets_a_short_list(tmp_path: Path) -> None:
    def edit(layers: Layers) -> None:
        for number in range(200):
            insert(layers, {"class_name": "BatchNormalization", "config": {"name": f"norm{number}"}})

    with pytest.raises(WeightsError, match="and 180 more") as refused:
        read_layout(write_edited_h5(tmp_path / "long.h5", edit))
    assert str(refused.value).count("\n") == 21


def test_another_dropout_rate_does_not_change_an_answer_and_is_accepted(tmp_path: Path) -> None:
    path = write_edited_h5(tmp_path / "dropout.h5", change("dropout", rate=0.5))
    np.testing.assert_array_equal(
        read_layout(path).state["dense1.weight"], read_layout(KERAS2).state["dense1.weight"]
    )


@pytest.mark.parametrize("layout", ["keras2_weights.h5", "keras3.weights.h5"])
def test_weights_without_a_description_are_judged_by_their_shapes(layout: str, tmp_path: Path) -> None:
    path = write_layout(layout, tmp_path / "weights.h5")
    with h5py.File(path, "r+") as file:
        name = next(name for name in ("conv2d_1/conv2d_1/kernel:0", "layers/conv2d_1/vars/0") if name in file)
        del file[name]
        file[name] = np.zeros((5, 5, 16, 16), np.float32)
    with pytest.raises(
        WeightsError, match=r"conv2d_1: weights of shape \(5, 5, 16, 16\), \(16,\) \(expected \(3, 3"
    ):
        read_layout(path)


def test_a_description_that_lies_about_the_arrays_is_found_out(tmp_path: Path) -> None:
    path = write_edited_h5(tmp_path / "lie.h5", lambda layers: None)
    with h5py.File(path, "r+") as file:
        del file["model_weights/dense/dense/kernel:0"]
        file["model_weights/dense/dense/kernel:0"] = np.zeros((576, 32), np.float32)
    with pytest.raises(
        WeightsError, match=r"dense: weights of shape \(576, 32\), \(64,\) \(expected \(576, 64\)"
    ):
        read_layout(path)


LAMBDA = {"class_name": "Lambda", "config": {"name": "evil", "function": ["4wEAAAA=", None, None]}}


def test_a_lambda_layer_is_refused_by_name(tmp_path: Path) -> None:
    path = write_edited_h5(tmp_path / "evil.h5", lambda layers: insert(layers, LAMBDA))
    with pytest.raises(
        WeightsError, match=r"holds code in the layer 'evil' \(Lambda\); Gadoscope never runs"
    ):
        read_layout(path)


@pytest.mark.parametrize(
    ("custom", "name"),
    [
        (
            {
                "class_name": "Mine",
                "module": "mine.layers",
                "config": {"name": "m"},
                "registered_name": "Mine",
            },
            "m",
        ),
        ({"class_name": "Mine", "config": {"name": "m"}, "registered_name": "pack>Mine"}, "m"),
        ({"class_name": "function", "module": "builtins", "config": "my_function"}, "my_function"),
    ],
)
def test_a_custom_object_is_refused_by_name(custom: dict[str, Any], name: str, tmp_path: Path) -> None:
    path = write_edited_keras(tmp_path / "own.keras", change("conv2d", activation=custom))
    with pytest.raises(WeightsError, match=f"holds the custom object '{name}'"):
        read_layout(path)


def test_nothing_in_the_file_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, function in (
        ("marshal", "loads"),
        ("pickle", "loads"),
        ("builtins", "eval"),
        ("builtins", "exec"),
    ):
        monkeypatch.setattr(f"{module}.{function}", lambda *_: pytest.fail("something was executed"))
    with pytest.raises(WeightsError):
        read_layout(write_edited_h5(tmp_path / "evil.h5", lambda layers: insert(layers, LAMBDA)))
    read_layout(KERAS2)
    read_layout(KERAS3)


def truncate(source: Path, path: Path, share: float) -> Path:
    content = source.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


@pytest.mark.parametrize("source", [KERAS2, KERAS3])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused_in_one_sentence(source: Path, share: float, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"is damaged or incomplete.*copy or download it again") as refused:
        read_layout(truncate(source, tmp_path / source.name, share))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"a text", b"\x89PNG\r\n\x1a\n" * 9])
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(content)
    with pytest.raises(WeightsError, match=r"neither HDF5 nor a .keras archive"):
        read_layout(tmp_path / "a.h5")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"cannot read .*gone.h5: No such file"):
        read_layout(tmp_path / "gone.h5")
    with pytest.raises(WeightsError, match=r"is a folder; name a .h5 or .keras file"):
        read_layout(tmp_path)


def test_hdf5_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.h5").write_bytes(h5_bytes(lambda file: file.create_dataset("x", data=[1])))
    with pytest.raises(WeightsError, match="HDF5 without Keras weights"):
        read_layout(tmp_path / "data.h5")


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
def test_a_zip_that_lacks_a_part_is_refused_naming_it(member: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=f"is a zip without {member}"):
        read_layout(write_archive(tmp_path / "part.keras", {member: None}))


def test_a_zip_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    bomb = write_archive(tmp_path / "bomb.keras", {"config.json": bytes(layouts.MAX_CONFIG_BYTES + 1)})
    assert bomb.stat().st_size < 2**20
    with pytest.raises(WeightsError, match=r"its config.json unfolds to more than 16 MiB"):
        read_layout(bomb)


def test_weights_that_unfold_too_far_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "MAX_WEIGHTS_BYTES", 2**20)
    bomb = write_archive(tmp_path / "bomb.keras", {"model.weights.h5": bytes(2**20 + 1)})
    with pytest.raises(WeightsError, match=r"its model.weights.h5 unfolds to more than 1 MiB"):
        read_layout(bomb)


def test_json_nested_too_deep_is_refused(tmp_path: Path) -> None:
    deep = write_archive(tmp_path / "deep.keras", {"config.json": b"[" * 200_000})
    with pytest.raises(WeightsError, match="is damaged or incomplete"):
        read_layout(deep)


@pytest.mark.parametrize(
    "model", [{}, {"class_name": "Functional", "config": {}}, {"class_name": "Sequential", "config": [1]}]
)
def test_a_description_that_makes_no_sense_is_refused(model: dict[str, Any], tmp_path: Path) -> None:
    path = write_archive(tmp_path / "odd.keras", {"config.json": json.dumps(model).encode()})
    with pytest.raises(WeightsError, match="its description of the network cannot be understood"):
        read_layout(path)


def test_layers_that_feed_each_other_in_a_circle_are_refused(tmp_path: Path) -> None:
    def edit(layers: Layers) -> None:
        layers[1]["inbound_nodes"] = [[["max_pooling2d", 0, 0, {}]]]

    with pytest.raises(WeightsError, match="cannot be understood"):
        read_layout(write_edited_h5(tmp_path / "circle.h5", edit))


def replace_kernel(path: Path, put: Callable[[h5py.Group], None]) -> Path:
    """Write the Keras 2 file with something else in the place of the first kernel."""
    write_edited_h5(path, lambda layers: None)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/conv2d/conv2d"]
        del group["kernel:0"]
        put(group)
    return path


def test_a_link_to_another_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.h5").write_bytes(
        h5_bytes(lambda file: file.create_dataset("k", data=np.zeros((3, 3, 3, 16), np.float32)))
    )

    def put(group: h5py.Group) -> None:
        group["kernel:0"] = h5py.ExternalLink("secret.h5", "/k")

    with pytest.raises(WeightsError, match="kernel:0 is a link, which Keras never writes"):
        read_layout(replace_kernel(tmp_path / "link.h5", put))


def test_arrays_that_lie_in_another_file_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(3 * 3 * 3 * 16 * 4))

    def put(group: h5py.Group) -> None:
        group.create_dataset(
            "kernel:0",
            (3, 3, 3, 16),
            np.float32,
            external=[(os.fspath(tmp_path / "raw"), 0, 3 * 3 * 3 * 16 * 4)],
        )

    with pytest.raises(WeightsError, match="the weights of conv2d lie in another file"):
        read_layout(replace_kernel(tmp_path / "external.h5", put))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((3, 3, 3, 16), np.nan, np.float32), "the weights of conv2d are not all finite"),
        (np.zeros((3, 3, 3, 16), np.int64), "the weights of conv2d are int64, not floating point"),
    ],
)
def test_values_that_are_no_weights_are_refused(values: Any, message: str, tmp_path: Path) -> None:
    def put(group: h5py.Group) -> None:
        group["kernel:0"] = values

    with pytest.raises(WeightsError, match=message):
        read_layout(replace_kernel(tmp_path / "values.h5", put))


def test_a_chunk_larger_than_its_array_is_not_unfolded(tmp_path: Path) -> None:
    def put(group: h5py.Group) -> None:
        group.create_dataset(
            "kernel:0",
            (3, 3, 3, 16),
            np.float32,
            chunks=(512, 512, 8, 16),
            maxshape=(None,) * 4,
            compression="gzip",
        )

    with pytest.raises(WeightsError, match="lie in chunks too large"):
        read_layout(replace_kernel(tmp_path / "chunk.h5", put))


def test_names_from_the_file_reach_the_terminal_printable_and_short(tmp_path: Path) -> None:
    name = "\x1b[31m" + "x" * 500
    path = write_edited_h5(
        tmp_path / "name.h5", lambda layers: insert(layers, {"class_name": "Odd", "config": {"name": name}})
    )
    with pytest.raises(WeightsError) as refused:
        read_layout(path)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 600


def test_the_reference_arrays_are_all_of_the_network() -> None:
    assert sum(array.size for array in read_arrays().values()) == 109_073
    assert zipfile.is_zipfile(KERAS3)
