"""The first layer on a processor without AVX-512: the same function, laid out as oneDNN is fast at."""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch.overrides import TorchFunctionMode

from gadoscope.models.blocked import unroll_rows
from gadoscope.models.siim import Siim


class Convolutions(TorchFunctionMode):
    """Listens to what oneDNN is asked to convolve."""

    def __init__(self) -> None:
        super().__init__()
        self.channels: list[int] = []

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if function is torch.mkldnn_convolution:
            self.channels.append(args[0].shape[1])
        return function(*args, **(kwargs or {}))


def test_rows_as_channels_convolve_to_the_same_maps_and_the_same_gradient_of_the_kernel() -> None:
    generator = torch.Generator().manual_seed(5)
    images = torch.rand((2, 1, 9, 7), generator=generator, dtype=torch.float64)
    kernel = torch.rand((4, 1, 3, 3), generator=generator, dtype=torch.float64, requires_grad=True)
    plain, unrolled = F.conv2d(images, kernel), F.conv2d(*unroll_rows(images, kernel))
    torch.testing.assert_close(unrolled, plain)
    weights = torch.rand(plain.shape, generator=generator, dtype=torch.float64)
    expected, found = (torch.autograd.grad((maps * weights).sum(), kernel)[0] for maps in (plain, unrolled))
    torch.testing.assert_close(found, expected)


def test_without_avx512_the_first_layer_reads_a_grey_image_as_three_channels() -> None:
    with Convolutions() as heard:
        Siim()(torch.zeros(1, 1, 331, 331))
    is_narrow = torch.backends.cpu.get_cpu_capability() == "AVX2"
    assert heard.channels == [3 if is_narrow else 1, 16, 16, 32, 32, 64]
