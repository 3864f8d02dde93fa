"""The lesson's network as ONNX operators."""

from gadoscope.models.lesson import FILTERS, KERNEL_SIZE, POOL_SIZE
from gadoscope.training.onnx_nodes import CHANNEL_AXIS, Nodes


def write_lesson(nodes: Nodes, images: str, prefix: str) -> list[str]:
    """Add what the network computes of images, and return the name of its logits.

    Parameters
    ----------
    prefix
        Begins the name of each weight.
    """
    # The image has one channel, and the kernel three, as the notebook's has: their sum answers alike.
    kernel = nodes.add("ReduceSum", [f"{prefix}conv1.weight", nodes.whole(CHANNEL_AXIS)], keepdims=1)
    maps = images
    for stage in range(1, len(FILTERS) + 1):
        sides, pool = [KERNEL_SIZE] * 2, [POOL_SIZE] * 2
        kernel = kernel if stage == 1 else f"{prefix}conv{stage}.weight"
        maps = nodes.add("Conv", [maps, kernel, f"{prefix}conv{stage}.bias"], kernel_shape=sides)
        maps = nodes.add("Relu", [maps])  # in this order ONNX Runtime computes it within the convolution
        maps = nodes.add("MaxPool", [maps], kernel_shape=pool, strides=pool)
    features = nodes.add("Flatten", [nodes.add("Transpose", [maps], perm=[0, 2, 3, 1])], axis=1)
    hidden = nodes.add("Relu", [nodes.weigh(features, f"{prefix}dense1")])
    return [nodes.drop_column(nodes.weigh(hidden, f"{prefix}dense2"))]
