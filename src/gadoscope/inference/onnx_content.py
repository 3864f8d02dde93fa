"""What an ONNX file holds, seen before ONNX Runtime gets it: only what a bundle may hold goes on.

ONNX Runtime runs parts of a network while it loads it, and a network may hold loops without end. So the
operators are listed first, from the bytes as they stand: protobuf needs no more than the few lines below,
and the package `onnx` is no part of the base installation.

References
----------
https://protobuf.dev/programming-guides/encoding; onnx.proto (ONNX 1.16) for the numbers of the fields
"""

from collections.abc import Iterator

from gadoscope.errors import BundleError

MAX_NODES = 20_000
"""The default model has 300; each takes 20 microseconds to look at."""
MAX_FIELDS = 600_000
"""That are stepped over, at 2 microseconds each; a model of 20,000 operators has no more."""
MAX_METADATA_BYTES = 2**20
"""The default model's metadata take 8 kB."""
MAX_NAME_BYTES = 1000
"""Of an input, an output or an operator, which errors quote."""
# fmt: off
ALLOWED_OPERATORS = frozenset((
    "Abs", "Add", "AveragePool", "BatchNormalization", "Cast", "CastLike", "Ceil", "Clip", "Concat",
    "Constant", "ConstantOfShape", "Conv", "ConvTranspose", "Div", "Dropout", "Elu", "Equal", "Erf",
    "Exp", "Expand", "Flatten", "Floor", "Gather", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool",
    "Greater", "GroupNormalization", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization",
    "LayerNormalization", "LeakyRelu", "Less", "Log", "LogSoftmax", "MatMul", "Max", "MaxPool", "Mean",
    "Min", "Mish", "Mul", "Neg", "Not", "PRelu", "Pad", "Pow", "Range", "Reciprocal", "ReduceL2",
    "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "Relu", "Reshape", "Resize",
    "Selu", "Shape", "Sigmoid", "Sign", "Slice", "Softmax", "Softplus", "Split", "Sqrt", "Squeeze",
    "Sub", "Sum", "Tanh", "Tile", "Transpose", "Unsqueeze", "Upsample", "Where",
))
# fmt: on
"""Arithmetic of networks for images: none loops, branches, or reaches beyond its inputs."""

_GRAPH, _METADATA, _FUNCTIONS = 7, 14, 25  # of ModelProto
_NODE, _INPUT, _OUTPUT = 1, 11, 12  # of GraphProto
_OPERATOR, _ATTRIBUTE, _DOMAIN = 4, 5, 7  # of NodeProto
_SUBGRAPH, _SUBGRAPHS = 6, 11  # of AttributeProto
_NAME = 1  # of ValueInfoProto
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_MOST_VARINT_BITS = 63
_STANDARD = (b"", b"ai.onnx")


def check_content(content: bytes) -> None:
    """Look through an ONNX file.

    Raises
    ------
    BundleError
        If it is no protobuf message, or holds what no bundle holds.
    """
    scan = _Scan()
    for number, value in scan.iter_fields(memoryview(content)):
        if number == _METADATA and len(value) > MAX_METADATA_BYTES:
            raise BundleError(
                f"is no bundle: its metadata have {len(value):,} bytes, of at most {MAX_METADATA_BYTES:,}"
            )
        if number == _FUNCTIONS:
            raise BundleError("is no bundle: it defines operators of its own, which no bundle does")
        if number == _GRAPH:
            _check_graph(value, scan)


def _check_graph(graph: memoryview, scan: "_Scan") -> None:
    n_nodes = 0
    for number, value in scan.iter_fields(graph):
        if number == _NODE:
            n_nodes += 1
            if n_nodes > MAX_NODES:
                raise BundleError(f"is no bundle: it has more than {MAX_NODES:,} operators")
            _check_node(value, scan)
        elif number in (_INPUT, _OUTPUT):
            for inner, name in scan.iter_fields(value):
                if inner == _NAME and len(name) > MAX_NAME_BYTES:
                    raise BundleError("is no bundle: the name of an input or output is longer than any is")


def _check_node(node: memoryview, scan: "_Scan") -> None:
    operator, domain = b"", b""
    for number, value in scan.iter_fields(node):
        if number == _OPERATOR:
            operator = bytes(value[:MAX_NAME_BYTES])
        elif number == _DOMAIN:
            domain = bytes(value[:MAX_NAME_BYTES])
        elif number == _ATTRIBUTE and any(
            inner in (_SUBGRAPH, _SUBGRAPHS) for inner, _ in scan.iter_fields(value)
        ):
            raise BundleError(
                "is no bundle: one of its operators holds a network of its own, which no bundle has"
            )
    name = operator.decode(errors="replace")
    if domain not in _STANDARD or name not in ALLOWED_OPERATORS:
        raise BundleError(f"is no bundle: its operator {name[:40]!a} is none that a bundle may use")


class _Scan:
    """Walks the messages of one file, and gives up where they have more fields than any network needs."""

    def __init__(self) -> None:
        self._n_left = MAX_FIELDS

    def iter_fields(self, message: memoryview) -> Iterator[tuple[int, memoryview]]:
        """Yield number and value of the fields that hold bytes; the numbers among them are stepped over."""
        at, end = 0, len(message)
        while at < end:
            self._n_left -= 1
            if self._n_left < 0:
                raise BundleError(f"is no bundle: it has more than {MAX_FIELDS:,} fields")
            key, at = _read_varint(message, at)
            kind = key & 7
            if not key >> 3:  # no field has the number 0; a tail of zeros has millions
                raise _no_message()
            if kind == _BYTES:
                length, at = _read_varint(message, at)
                if at + length > end:
                    raise _no_message()
                yield key >> 3, message[at : at + length]
                at += length
            elif kind == _VARINT:
                _, at = _read_varint(message, at)
            elif kind in (_FIXED_64, _FIXED_32):
                at += 8 if kind == _FIXED_64 else 4
            else:
                raise _no_message()
        if at != end:
            raise _no_message()


def _read_varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift <= _MOST_VARINT_BITS:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 — the highest bit says that more follows
            return value, at
        shift += 7
    raise _no_message()


def _no_message() -> BundleError:
    return BundleError("is not an ONNX file, or a damaged one")
