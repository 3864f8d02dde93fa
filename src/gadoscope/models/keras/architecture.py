"""Whether the network that a Keras file describes is the lesson's, layer by layer.

Keras writes a network as JSON: layers with settings, and which layer feeds which. Here that is only
ever data. It becomes a chain of steps, the chain is compared with the lesson's, and whatever would
have to be executed (a Lambda layer, an object of someone's own) is refused by name.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gadoscope.errors import WeightsError
from gadoscope.models.lesson import DENSE_UNITS, FILTERS, INPUT_SIZE, KERNEL_SIZE, POOL_SIZE, RGB_CHANNELS

# A ResNet has hundreds of layers that differ; the first say enough.
MAX_DIFFERENCES_SHOWN = 20

# Layer names are text from someone's file: keep them printable and short.
MAX_NAME_LENGTH = 60

# Packages whose objects are Keras' own; what comes from elsewhere is code of the file's author.
KERAS_PACKAGES = ("keras", "tf_keras", "tensorflow")

# An operator called on a tensor, as Keras 2 (TFOpLambda) and Keras 3 (the class) write it.
OPERATORS = {
    "math.sigmoid": "sigmoid",
    "nn.sigmoid": "sigmoid",
    "Sigmoid": "sigmoid",
    "nn.relu": "relu",
    "Relu": "relu",
}


@dataclass(frozen=True)
class Step:
    """One operation: the layer that does it, what it is, and its settings in words."""

    layer: str
    kind: str
    settings: Mapping[str, str]

    def __str__(self) -> str:
        words = ", ".join(f"{name} {value}" for name, value in self.settings.items() if name in _TELLING)
        return f"{self.kind} ({words})" if words else self.kind


class _NotAChainError(Exception):
    """The layers branch; the message says where."""


# The settings that describe a layer to a reader; the others are named only where they differ.
_TELLING = ("filters", "kernel", "pool", "units", "function", "shape")


def find_weighted_layers(model: Mapping[str, Any], file: str) -> list[str]:
    """Check that ``model`` is the lesson's network; return the names of its eight weighted layers.

    Parameters
    ----------
    model
        Keras' JSON of the network, parsed: ``{"class_name": ..., "config": ...}``.
    file
        Name of the file, for the messages.

    Raises
    ------
    WeightsError
        If anything in it would have to be executed, or lists each layer that differs.
    """
    check_nothing_executable(model, file)
    try:
        layers = _order_layers(model)
        found = [step for layer in layers for step in _read_layer(layer)]
        unused = _names(list_layers(model)) - _names(layers)
    except _NotAChainError as error:
        raise WeightsError(describe_differences(file, [str(error)])) from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{file}: its description of the network cannot be understood ({type(error).__name__}: "
            f"{shorten(error)}); save the model again with Keras."
        ) from error
    differences = list(_compare(found)) + [
        f"{shorten(name)}: beside the one chain" for name in sorted(unused)
    ]
    if differences:
        raise WeightsError(describe_differences(file, differences))
    weighted = dict.fromkeys(step.layer for step in found if step.kind in ("convolution", "dense"))
    return list(weighted)


def check_nothing_executable(model: Mapping[str, Any], file: str) -> None:
    """Refuse code that travels as data, and objects that only their author's code can rebuild."""
    remaining: list[Any] = [model.get("config")]
    while remaining:
        node = remaining.pop()
        if isinstance(node, list):
            remaining += node
        if not isinstance(node, dict):
            continue
        remaining += node.values()
        kind, module = str(node.get("class_name", "")), str(node.get("module") or "keras")
        if kind in ("Lambda", "__lambda__"):
            raise WeightsError(
                f"{file} holds code in the layer {shorten(_name_of(node))!r} ({kind}); Gadoscope never runs "
                "code from a file of weights, so rebuild the model without Lambda and save it again."
            )
        is_custom = ">" in kind or ">" in str(node.get("registered_name") or "")
        if is_custom or module.partition(".")[0] not in KERAS_PACKAGES:
            raise WeightsError(
                f"{file} holds the custom object {shorten(_name_of(node))!r} ({shorten(kind)}); "
                "only Keras' own layers can be read, so rebuild the model without it and save it again."
            )


def list_layers(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the layers in the order of the file."""
    config = model["config"]
    # Before Keras 2.2.3 a Sequential was the bare list of its layers.
    layers: list[Mapping[str, Any]] = config if isinstance(config, list) else config["layers"]
    return layers


def describe_differences(file: str, differences: Sequence[str]) -> str:
    """Return the message that lists ``differences``, one a line."""
    shown = list(differences[:MAX_DIFFERENCES_SHOWN])
    if len(differences) > len(shown):
        shown.append(f"and {len(differences) - len(shown)} more")
    lines = "".join(f"\n  - {difference}" for difference in shown)
    return (
        f"{file} holds another network than the lesson's, so its weights cannot be taken over; "
        f"train with Gadoscope instead. What differs:{lines}"
    )


def shorten(text: object) -> str:
    """Return ``text`` printable and at most ``MAX_NAME_LENGTH`` long."""
    printable = "".join(character if character.isprintable() else "?" for character in str(text))
    return printable if len(printable) <= MAX_NAME_LENGTH else printable[: MAX_NAME_LENGTH - 1] + "…"


def _order_layers(model: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the layers from the input to the output; in a Functional model by its connections."""
    layers = list_layers(model)
    if model["class_name"] == "Sequential":
        first = layers[0]["config"]
        if layers[0]["class_name"] != "InputLayer" and "batch_input_shape" in first:
            entry = {"name": "input", "batch_input_shape": first["batch_input_shape"]}
            return [{"class_name": "InputLayer", "config": entry}, *layers]
        return list(layers)
    by_name = {_layer_name(layer): layer for layer in layers}
    outputs = model["config"]["output_layers"]
    name = outputs[0] if isinstance(outputs[0], str) else _take_only(outputs, "the network", "outputs")[0]
    chain: list[Mapping[str, Any]] = []
    while name is not None:
        chain.append(by_name.pop(name))  # a loop asks for a layer a second time: KeyError
        name = _find_predecessor(chain[-1])
    return chain[::-1]


def _find_predecessor(layer: Mapping[str, Any]) -> str | None:
    nodes = layer.get("inbound_nodes", [])
    if not nodes:
        return None
    name = _layer_name(layer)
    node = _take_only(nodes, name, "uses")
    source: str = _take_only(list(_iter_sources(node)), name, "inputs")
    return source


def _iter_sources(node: Any) -> Iterator[str]:
    """Yield the names of the layers that feed a node: ``["name", 0, 0, ...]``, or Keras 3's history."""
    if isinstance(node, dict):
        if "keras_history" in node:
            yield node["keras_history"][0]
        else:
            for value in node.values():
                yield from _iter_sources(value)
    elif isinstance(node, list):
        if node and isinstance(node[0], str):
            yield node[0]
        for value in node:
            yield from _iter_sources(value)


def _take_only(values: Sequence[Any], layer: str, what: str) -> Any:
    if len(values) != 1:
        raise _NotAChainError(
            f"{shorten(layer)}: {len(values)} {what} (expected 1: the lesson's is one chain)"
        )
    return values[0]


def _read_layer(layer: Mapping[str, Any]) -> list[Step]:
    """Return the layer's steps; a fused activation is a step of its own."""
    name, kind, config = _layer_name(layer), str(layer["class_name"]), layer["config"]
    reader = _READERS.get(kind)
    if reader is None:
        return [Step(name, kind, {})]
    what, settings = reader(config)
    steps = [Step(name, what, settings)] if what else []
    if "activation" in config and config["activation"] != "linear":
        steps.append(_activation(name, config["activation"]))
    elif kind == "TFOpLambda":
        function = str(config["function"])
        steps.append(_activation(name, OPERATORS.get(function, function)))
    elif kind in OPERATORS:
        steps.append(_activation(name, OPERATORS[kind]))
    return steps


def _activation(name: str, function: object) -> Step:
    return Step(name, "activation", {"function": str(function)})


def _read_convolution(config: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    return "convolution", {
        "filters": str(config["filters"]),
        "kernel": _sides(config["kernel_size"]),
        "strides": _sides(config["strides"]),
        "padding": str(config["padding"]),
        "dilation": _sides(config.get("dilation_rate", 1)),
        "groups": str(config.get("groups", 1)),
        "bias": str(config["use_bias"]),
        "data format": str(config["data_format"]),
    }


def _read_pooling(config: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    return "max pooling", {
        "pool": _sides(config["pool_size"]),
        "strides": _sides(config["strides"] or config["pool_size"]),
        "padding": str(config["padding"]),
        "data format": str(config["data_format"]),
    }


def _read_dense(config: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    return "dense", {"units": str(config["units"]), "bias": str(config["use_bias"])}


def _read_input(config: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    shape = config["batch_shape"] if "batch_shape" in config else config["batch_input_shape"]
    return "input", {"shape": _sides(shape[1:])}


def _read_flatten(config: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    return "flatten", {"data format": str(config.get("data_format") or "channels_last")}


def _read_relu(config: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    bends = {key: config.get(key) for key in ("max_value", "negative_slope", "threshold") if config.get(key)}
    return "activation", {"function": f"relu with {bends}" if bends else "relu"}


def _read_nothing(_: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    return "", {}


_READERS: dict[str, Callable[[Mapping[str, Any]], tuple[str, dict[str, str]]]] = {
    "InputLayer": _read_input,
    "Conv2D": _read_convolution,
    "MaxPooling2D": _read_pooling,
    "Flatten": _read_flatten,
    "Dense": _read_dense,
    "ReLU": _read_relu,
    # Dropout does nothing to an answer, so a net with another rate, or none, has the same weights.
    "Dropout": _read_nothing,
    "Activation": _read_nothing,
    "TFOpLambda": _read_nothing,
    **dict.fromkeys(("Sigmoid", "Relu"), _read_nothing),
}


def _expected_steps() -> Iterator[Step]:
    every = {"strides": "1 x 1", "padding": "valid", "data format": "channels_last"}
    yield Step("input", "input", {"shape": _sides([INPUT_SIZE, INPUT_SIZE, RGB_CHANNELS])})
    for index, n_filters in enumerate(FILTERS, start=1):
        kernel = {"filters": str(n_filters), "kernel": _sides(KERNEL_SIZE), "bias": "True"}
        yield Step(f"conv{index}", "convolution", {**every, **kernel, "dilation": "1 x 1", "groups": "1"})
        yield _activation(f"conv{index}", "relu")
        pool = {"pool": _sides(POOL_SIZE), "strides": _sides(POOL_SIZE)}
        yield Step(f"pool{index}", "max pooling", {**every, **pool})
    yield Step("flatten", "flatten", {"data format": "channels_last"})
    yield Step("dense1", "dense", {"units": str(DENSE_UNITS), "bias": "True"})
    yield _activation("dense1", "relu")
    yield Step("dense2", "dense", {"units": "1", "bias": "True"})
    yield _activation("sigmoid", "sigmoid")


def _compare(found: Sequence[Step]) -> Iterator[str]:
    """Yield one sentence for each layer that is extra, missing or of other settings."""
    expected = list(_expected_steps())
    kinds = [step.kind for step in expected], [step.kind for step in found]
    matcher = difflib.SequenceMatcher(None, *kinds, autojunk=False)
    for tag, low, high, found_low, found_high in matcher.get_opcodes():
        if tag == "equal":
            for want, have in zip(expected[low:high], found[found_low:found_high], strict=True):
                yield from _compare_settings(want, have)
            continue
        for have in found[found_low:found_high]:
            yield f"{shorten(have.layer)}: {shorten(have)} where the lesson has none"
        for want in expected[low:high]:
            yield f"{want.layer} of the lesson is missing: {want}"


def _compare_settings(want: Step, have: Step) -> Iterator[str]:
    wrong = [
        f"{name} {shorten(have.settings[name])} (expected {value})"
        for name, value in want.settings.items()
        if have.settings[name] != value
    ]
    if wrong:
        yield f"{shorten(have.layer)}: {have.kind} with {', '.join(wrong)}"


def _sides(value: Any) -> str:
    sides = [value, value] if isinstance(value, int) else value
    return " x ".join(str(side) for side in sides)


def _layer_name(layer: Mapping[str, Any]) -> str:
    return str(layer["name"] if "name" in layer else layer["config"]["name"])


def _names(layers: Sequence[Mapping[str, Any]]) -> set[str]:
    return {_layer_name(layer) for layer in layers}


def _name_of(node: Mapping[str, Any]) -> object:
    """Return the name of a layer, or of the function that a custom object stands for."""
    config = node.get("config")
    name = config.get("name") if isinstance(config, dict) else config
    return node.get("name") or name or node.get("class_name")
