"""The layouts in which Keras saves weights, read without Keras and without running anything in them.

Four layouts, told apart by what the file holds, never by its name::

    .h5 of Keras 2 and 3       attribute model_config (JSON); model_weights/LAYER/WEIGHT
    the same, weights only     attribute layer_names; LAYER/WEIGHT
    .keras (a zip)             config.json, metadata.json, model.weights.h5
    .weights.h5 of Keras 3     layers/CLASS_K/vars/{0, 1}

HDF5 can point to other files and a small file can unfold to a huge array, so only plain datasets of
the expected shapes are read, and links are not followed.
"""

import json
import math
import re
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import WeightsError
from gadoscope.models.keras.architecture import (
    describe_differences,
    find_weighted_layers,
    list_layers,
    shorten,
)
from gadoscope.models.lesson import DENSE_UNITS, FILTERS, KERNEL_SIZE, N_FEATURES, RGB_CHANNELS

# The lesson's description is 15 kB; that of a network of thousands of layers is a few MB.
MAX_CONFIG_BYTES = 16 * 2**20

# The lesson's weights with Adam's two moments are 1.4 MB.
MAX_WEIGHTS_BYTES = 64 * 2**20

# Among the arrays that `main` writes, the one that holds the version.
VERSION_KEY = "keras_version"

ZIP_MAGIC = b"PK\x03\x04"

# Where Keras 3 and, under its first name, Keras 2.12 keep the layers of a .weights.h5.
LAYER_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")

# What h5py, zipfile and json raise on damaged files; a RuntimeError too where JSON nests too deep.
DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    KeyError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)

Found = tuple[str, list[h5py.Dataset]]
"""A layer's name and its weights in Keras' order: kernel, bias."""


@dataclass(frozen=True)
class KerasFile:
    """What is taken over: a state dict of ``Siim``, and the version of the Keras that wrote it."""

    state: dict[str, NDArray[np.float32]]
    keras_version: str


def read_layout(path: Path) -> KerasFile:
    """Return the weights of a Keras file and the version of the Keras that wrote it.

    Raises
    ------
    WeightsError
        As :func:`gadoscope.models.keras.h5.read_keras_file` does, which is the way in: a file
        that is damaged in the wrong place can crash the HDF5 library, and this process with it.
    """
    if path.is_dir():
        raise WeightsError(f"{path} is a folder; name a .h5 or .keras file (a SavedModel cannot be read).")
    try:
        with path.open("rb") as file:
            magic = file.read(len(ZIP_MAGIC))
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}; name a .h5 or .keras file.") from error
    if magic != ZIP_MAGIC and not h5py.is_hdf5(path):
        raise WeightsError(f"{path} is neither HDF5 nor a .keras archive; name the file that Keras saved.")
    try:
        return _read_archive(path) if magic == ZIP_MAGIC else _read_h5(path)
    except DAMAGE as error:
        raise WeightsError(
            f"{path} is damaged or incomplete ({shorten(error) or type(error).__name__}); "
            "copy or download it again."
        ) from error


def _read_archive(path: Path) -> KerasFile:
    with zipfile.ZipFile(path) as archive:
        model = _parse_json(_read_member(archive, "config.json", MAX_CONFIG_BYTES, path), path)
        metadata = _parse_json(_read_member(archive, "metadata.json", MAX_CONFIG_BYTES, path), path)
        names = find_weighted_layers(model, path.name)
        weights = _read_member(archive, "model.weights.h5", MAX_WEIGHTS_BYTES, path)
    groups = _name_groups(model)
    with h5py.File(BytesIO(weights), "r") as file:
        found = [(name, _list_variables(file, groups[name])) for name in names]
        return KerasFile(_take_state(found, path.name), shorten(metadata.get("keras_version", "unknown")))


def _read_h5(path: Path) -> KerasFile:
    with h5py.File(path, "r") as file:
        version = shorten(_decode(file.attrs.get("keras_version", "unknown")))
        if "model_config" in file.attrs:
            model = _parse_json(_decode(file.attrs["model_config"]).encode(), path)
            names = find_weighted_layers(model, path.name)
            weights = _follow(file, "model_weights")
            found = [(name, _list_named_weights(_follow(weights, name))) for name in names]
        elif "layer_names" in file.attrs or "model_weights" in file:
            group = _follow(file, "model_weights") if "model_weights" in file else file
            layers = [_decode(name) for name in group.attrs["layer_names"]]
            found = [(name, _list_named_weights(_follow(group, name))) for name in layers]
        elif any(container in file for container in LAYER_CONTAINERS):
            found = list(_iter_weighted_groups(file))
        else:
            raise WeightsError(f"{path} is HDF5 without Keras weights; name the file that Keras saved.")
        found = [(name, arrays) for name, arrays in found if arrays]
        return KerasFile(_take_state(found, path.name), version)


def _read_member(archive: zipfile.ZipFile, name: str, limit: int, path: Path) -> bytes:
    """Read a member into memory; what it really unfolds to counts, not the size it claims."""
    if name not in archive.namelist():
        raise WeightsError(f"{path} is a zip without {name}; name the file that Keras saved.")
    with archive.open(name) as member:
        content = member.read(limit + 1)
    if len(content) > limit:
        raise WeightsError(
            f"{path}: its {name} unfolds to more than {limit / 2**20:.0f} MiB, which no file of this network "
            "does; name the file that Keras saved."
        )
    return content


def _parse_json(text: bytes, path: Path) -> Mapping[str, Any]:
    if len(text) > MAX_CONFIG_BYTES:
        raise WeightsError(
            f"{path}: its description of the network is larger than {MAX_CONFIG_BYTES / 2**20:.0f} MiB; "
            "name the file that Keras saved."
        )
    document = json.loads(text)
    if not isinstance(document, dict):
        raise TypeError(f"JSON {type(document).__name__} where an object was expected")
    return document


def _name_groups(model: Mapping[str, Any]) -> dict[str, str]:
    """Return the group of each layer in a .weights.h5: its class in snake case, counted in file order."""
    groups: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for layer in list_layers(model):
        kind = {"Conv2D": "conv2d", "Dense": "dense"}.get(layer["class_name"])
        if kind is None:
            continue
        name = layer["name"] if "name" in layer else layer["config"]["name"]
        groups[name] = f"{kind}_{seen[kind]}" if seen[kind] else kind
        seen[kind] += 1
    return groups


def _iter_weighted_groups(file: h5py.File) -> Iterator[Found]:
    """Yield the weighted layers of a file that does not describe its network: by class and number."""
    container = next(name for name in LAYER_CONTAINERS if name in file)
    # The lesson's convolutions come before its dense layers, so this order is the network's.
    for name in sorted(_follow(file, container), key=_split_number):
        yield name, _list_variables(file, name)


def _split_number(name: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.*?)(?:_(\d{1,6}))?", name, re.DOTALL)
    return (match[1], int(match[2] or 0)) if match else (name, 0)


def _list_variables(file: h5py.File, name: str) -> list[h5py.Dataset]:
    container = next(name for name in LAYER_CONTAINERS if name in file)
    variables = _follow(file, f"{container}/{name}/vars")
    return [_follow(variables, index) for index in sorted(variables)]


def _list_named_weights(group: h5py.Group) -> list[h5py.Dataset]:
    return [_follow(group, _decode(name)) for name in group.attrs["weight_names"]]


def _follow(group: h5py.Group, path: str) -> Any:
    """Return what lies at ``path`` inside this very file: a link, even to this file, is refused."""
    node: Any = group
    for part in path.split("/"):
        link = node.get(part, getlink=True)
        if link is None:
            raise KeyError(f"it holds no {shorten(path)}")
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{shorten(path)} is a link, which Keras never writes")
        node = node[part]
    return node


def _expected_shapes() -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return kernel and bias shapes as Keras keeps them: (row, column, channel, filter), (feature, unit)."""
    channels = (RGB_CHANNELS, *FILTERS)
    window = (KERNEL_SIZE, KERNEL_SIZE)
    convolutions = {
        f"conv{index + 1}": ((*window, channels[index], n_filters), (n_filters,))
        for index, n_filters in enumerate(FILTERS)
    }
    return {
        **convolutions,
        "dense1": ((N_FEATURES, DENSE_UNITS), (DENSE_UNITS,)),
        "dense2": ((DENSE_UNITS, 1), (1,)),
    }


def _take_state(found: Sequence[Found], file: str) -> dict[str, NDArray[np.float32]]:
    """Check every shape before anything is read, then read and turn to torch's layout."""
    expected = _expected_shapes()
    differences = [
        f"{shorten(name)}: weights of shape {_list_shapes(array.shape for array in arrays)} "
        f"(expected {_list_shapes(shapes)})"
        for (name, arrays), shapes in zip(found, expected.values(), strict=False)
        if [array.shape for array in arrays] != list(shapes)
    ]
    if len(found) != len(expected):
        differences.append(f"{len(found)} layers have weights (expected {len(expected)})")
    if differences:
        raise WeightsError(describe_differences(file, differences))
    state: dict[str, NDArray[np.float32]] = {}
    for layer, (name, (kernel, bias)) in zip(expected, found, strict=True):
        axes = (3, 2, 0, 1) if kernel.ndim == len("HWIO") else (1, 0)
        state[f"{layer}.weight"] = np.ascontiguousarray(_read_array(kernel, name).transpose(axes))
        state[f"{layer}.bias"] = _read_array(bias, name)
    return state


def _list_shapes(shapes: Iterable[tuple[int, ...]]) -> str:
    return ", ".join(str(shape) for shape in shapes)


def _read_array(dataset: h5py.Dataset, name: str) -> NDArray[np.float32]:
    if dataset.is_virtual or dataset.external is not None:
        raise ValueError(f"the weights of {shorten(name)} lie in another file")
    if dataset.dtype.kind != "f":
        raise ValueError(f"the weights of {shorten(name)} are {dataset.dtype}, not floating point")
    # A chunk can be larger than its dataset, and is unfolded whole.
    if math.prod(dataset.chunks or ()) * dataset.dtype.itemsize > MAX_WEIGHTS_BYTES:
        raise ValueError(f"the weights of {shorten(name)} lie in chunks too large to be Keras'")
    values: NDArray[np.float32] = np.asarray(dataset[()], np.float32)
    if not np.isfinite(values).all():
        raise ValueError(f"the weights of {shorten(name)} are not all finite")
    return values


def _decode(text: Any) -> str:
    """Return an HDF5 string: Keras 2 wrote bytes or str, by version."""
    return text.decode() if isinstance(text, bytes) else str(text)


def main() -> None:
    """Read the file that the one argument names; write its weights to standard output as .npz."""
    try:
        file = read_layout(Path(sys.argv[1]))
    except WeightsError as error:
        sys.stderr.buffer.write(str(error).encode())
        sys.exit(error.exit_code)
    content = BytesIO()
    np.savez(content, allow_pickle=False, **file.state, **{VERSION_KEY: np.array(file.keras_version)})
    sys.stdout.buffer.write(content.getvalue())


if __name__ == "__main__":
    main()
