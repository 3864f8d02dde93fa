"""Convolutions and pools in oneDNN's own memory layout, which keeps them on a CPU from copying.

torch hands a processor's convolutions to oneDNN, which likes its channels in blocks of 8 or 16. In a
dense tensor they lie otherwise, and a max pool then writes an index of 8 bytes for every pixel. Inside
oneDNN the pool needs one byte. Forward and backward of the lesson's network became 1.3 times faster in
fp32 and in bf16, with the same gradients to rounding and the same bits every time.

Without AVX-512 oneDNN pads an image of one channel to eight before it adds up the gradient of the first
kernel, and of a training step that sum alone was 38 %. It has a way of its own for colour images, of three
channels. So a grey one is given as three: each the image moved up by a row (`unroll_rows`).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

POOL = [2, 2]
_PADS_ONE_CHANNEL = "AVX2"
"""What torch calls a processor with AVX2 and no AVX-512, for which oneDNN has other kernels."""

ConvolutionLayer = tuple[Tensor, Tensor | None]
"""Kernel (out, in, 3, 3) and bias (out,), float32."""


def can_block(images: Tensor, dtype: torch.dtype) -> bool:
    """Return whether oneDNN is there for ``images`` and can compute in ``dtype``.

    Never while a network is exported: the exporter knows dense tensors alone.
    """
    if images.device.type != "cpu" or not _has_onednn() or torch.compiler.is_compiling():
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and computes_bf16())


def computes_bf16() -> bool:
    """Return whether this processor computes in bf16; elsewhere torch does, but slower than in fp32."""
    return _has_onednn() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _has_onednn() -> bool:
    available: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # torch's gap
    return available


def convolve_and_pool(images: Tensor, layers: Sequence[ConvolutionLayer], dtype: torch.dtype) -> Tensor:
    """Return (3 x 3 valid convolution, 2 x 2 max pool, ReLU) of ``images``, once for each layer.

    Parameters
    ----------
    images
        Shape (n, channels, row, column), float32.
    layers
        Of each stage; gradients reach both.
    dtype
        What the convolutions compute in: float32 or bfloat16.

    Returns
    -------
    Dense maps, shape (n, out, row, column), ``dtype``.
    """
    if images.shape[1] == 1 and torch.backends.cpu.get_cpu_capability() == _PADS_ONE_CHANNEL:
        kernel, bias = layers[0]
        images, kernel = unroll_rows(images, kernel)
        layers = [(kernel, bias), *layers[1:]]
    with torch.autocast("cpu", enabled=False):  # the casts below are what it would do
        maps = images.to(dtype).to_mkldnn()
        for kernel, bias in layers:
            offset = None if bias is None else bias.to(dtype)
            # conv2d refuses a bf16 kernel beside a blocked image; what it would call does not.
            maps = torch.mkldnn_convolution(
                maps,
                kernel.to(dtype),
                offset,
                padding=[0, 0],
                stride=[1, 1],
                dilation=[1, 1],
                groups=1,
            )
            maps = torch.relu(torch.max_pool2d(maps, POOL, POOL))
        return maps.to_dense()


def unroll_rows(images: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor]:
    """Return images and a kernel that convolve to the same maps, with a channel for each row of the kernel.

    Parameters
    ----------
    images
        Shape (n, 1, row, column).
    kernel
        Shape (out, 1, height, width); gradients reach it.

    Returns
    -------
    tuple
        Images (n, height, row - height + 1, column), of which channel k begins at row k, and the kernel
        (out, height, 1, width).
    """
    n_rows = images.shape[2] - kernel.shape[2] + 1
    return images.squeeze(1).unfold(1, n_rows, 1).transpose(2, 3), kernel.transpose(1, 2)
