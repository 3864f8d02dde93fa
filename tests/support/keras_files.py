"""Keras files made by hand: every layout from its committed description, and wrong or hostile ones."""

import copy
import json
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tests.fixtures.keras.reference import FOLDER

KERAS2 = FOLDER / "keras2.h5"
KERAS3 = FOLDER / "keras3.keras"

Edit = Callable[[list[dict[str, Any]]], None]
"""Changes the layers of a network's description in place."""


def read_arrays() -> dict[str, NDArray[np.float32]]:
    """Return the reference network's arrays by ``layer/weight``, as Keras 2 saved them."""
    arrays: dict[str, NDArray[np.float32]] = {}

    def take(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            _, layer, kind = name.removeprefix("model_weights/").split("/")
            arrays[f"{layer}/{kind.removesuffix(':0')}"] = node[()]

    with h5py.File(KERAS2) as file:
        file.visititems(take)
    return arrays


def write_layout(name: str, path: Path) -> Path:
    """Write the reference weights as Keras lays out the file ``name`` of layouts.json."""
    layout = json.loads((FOLDER / "layouts.json").read_text())[name]
    arrays = read_arrays()
    with h5py.File(path, "w") as file:
        for group, attributes in layout["attributes"].items():
            file.require_group(group).attrs.update(attributes)
        for dataset, shape in layout["datasets"].items():
            *_, layer, weight = dataset.replace("/vars", "").split("/")
            key = {"0": "kernel", "1": "bias"}.get(weight, weight.removesuffix(":0"))
            file[dataset] = arrays[f"{layer}/{key}"].reshape(shape)
    return path


def write_edited_h5(path: Path, edit: Edit) -> Path:
    """Write the Keras 2 file with other layers in its description."""
    with h5py.File(KERAS2) as old, h5py.File(path, "w") as new:
        for name in old:
            old.copy(name, new)
        new.attrs.update(old.attrs)
        model = json.loads(old.attrs["model_config"])
        edit(model["config"]["layers"])
        new.attrs["model_config"] = json.dumps(model)
    return path


def write_edited_keras(path: Path, edit: Edit) -> Path:
    """Write the Keras 3 archive with other layers in its description."""
    with zipfile.ZipFile(KERAS3) as old:
        model = json.loads(old.read("config.json"))
    edit(model["config"]["layers"])
    return write_archive(path, {"config.json": json.dumps(model).encode()})


def write_archive(path: Path, members: Mapping[str, bytes | None]) -> Path:
    """Write the Keras 3 archive with some ``members`` replaced; None leaves one out."""
    with zipfile.ZipFile(KERAS3) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = members.get(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return path


def write_sequential(path: Path) -> Path:
    """Write the network as an early Keras 2 Sequential: a bare list, the input's shape in the first layer."""
    with h5py.File(KERAS2) as file:
        layers = copy.deepcopy(json.loads(file.attrs["model_config"])["config"]["layers"])
    shape = layers.pop(0)["config"]["batch_input_shape"]
    layers[0]["config"]["batch_input_shape"] = shape
    layers[-1] = {"class_name": "Activation", "config": {"name": "last", "activation": "sigmoid"}}
    for layer in layers:
        layer.pop("inbound_nodes", None)
    with h5py.File(KERAS2) as old, h5py.File(path, "w") as new:
        for name in old:
            old.copy(name, new)
        new.attrs["keras_version"] = np.bytes_(b"2.2.2")  # early versions wrote bytes
        new.attrs["model_config"] = np.bytes_(
            json.dumps({"class_name": "Sequential", "config": layers}).encode()
        )
    return path


def h5_bytes(fill: Callable[[h5py.File], None]) -> bytes:
    """Return an HDF5 file that ``fill`` wrote."""
    content = BytesIO()
    with h5py.File(content, "w") as file:
        fill(file)
    return content.getvalue()
