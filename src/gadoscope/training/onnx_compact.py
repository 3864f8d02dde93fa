"""The default's network as ONNX operators."""

from gadoscope.models.compact import GATE_STAGES, KERNEL_SIZE, NORM_EPSILON, POOL_SIZE, Compact
from gadoscope.training.onnx_nodes import CHANNEL_AXIS, COLUMN_AXIS, ROW_AXIS, Nodes

_STATISTICS = ("weight", "bias", "running_mean", "running_var")
"""Of a batch norm, in the order in which ONNX takes them."""


def write_compact(nodes: Nodes, network: Compact, images: str, prefix: str) -> list[str]:
    """Add what ``network`` computes of images, and return the names of its logits: see `Network.forward`.

    Parameters
    ----------
    prefix
        Begins the name of each weight.
    """
    maps, pooled = images, []
    blocks = {name for name, _ in network.named_children() if name.startswith("block")}
    for stage in range(1, len(network.channels) + 1):
        convolved = _convolve(nodes, maps, f"{prefix}conv{stage}")
        sides = [POOL_SIZE] * 2
        smaller = nodes.add("MaxPool", [convolved], kernel_shape=sides, strides=sides)
        maps = nodes.add("Relu", [_normalise(nodes, smaller, f"{prefix}norm{stage}")])
        if f"block{stage}" in blocks:
            maps = _add_residual(nodes, maps, f"{prefix}block{stage}")
        pooled.append(maps)
    n_pooled = 1 if network.t1_brain is None else GATE_STAGES
    pooled = [_pool(nodes, of_stage) for of_stage in pooled[-n_pooled:]]
    phase = nodes.drop_column(nodes.weigh(pooled[-1], f"{prefix}phase"))
    if network.t1_brain is None:
        return [phase]
    features = nodes.add("Concat", pooled, axis=CHANNEL_AXIS)
    seen = nodes.add("Relu", [nodes.weigh(features, f"{prefix}t1_brain.hidden")])
    answers = [phase, nodes.drop_column(nodes.weigh(seen, f"{prefix}t1_brain.logit"))]
    if network.t1_brain.kinds is not None:
        answers.append(nodes.weigh(seen, f"{prefix}t1_brain.kinds"))
    return answers


def _convolve(nodes: Nodes, maps: str, layer: str) -> str:
    sides, edge = [KERNEL_SIZE] * 2, [KERNEL_SIZE // 2] * 4
    return nodes.add("Conv", [maps, f"{layer}.weight"], kernel_shape=sides, pads=edge)


def _normalise(nodes: Nodes, maps: str, layer: str) -> str:
    statistics = [f"{layer}.{name}" for name in _STATISTICS]
    return nodes.add("BatchNormalization", [maps, *statistics], epsilon=NORM_EPSILON)


def _add_residual(nodes: Nodes, maps: str, block: str) -> str:
    """Add a residual block."""
    inner = nodes.add("Relu", [_normalise(nodes, _convolve(nodes, maps, f"{block}.conv1"), f"{block}.norm1")])
    change = _normalise(nodes, _convolve(nodes, inner, f"{block}.conv2"), f"{block}.norm2")
    return nodes.add("Relu", [nodes.add("Add", [maps, change])])


def _pool(nodes: Nodes, maps: str) -> str:
    """Add the average and the maximum of each map."""
    axes = nodes.whole(ROW_AXIS, COLUMN_AXIS)
    both = [nodes.add(kind, [maps, axes], keepdims=0) for kind in ("ReduceMean", "ReduceMax")]
    return nodes.add("Concat", both, axis=CHANNEL_AXIS)
