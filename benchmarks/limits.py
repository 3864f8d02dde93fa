"""What cannot be undercut on this machine: arithmetic at a matrix product's speed, and each part alone."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gadoscope.inference.session import Session
from gadoscope.models.compact import CHANNELS, Compact
from gadoscope.models.compact import INPUT_SIZE as COMPACT_SIZE
from gadoscope.models.lesson import FILTERS, KERNEL_SIZE, map_sizes
from gadoscope.parallel import count_jobs
from gadoscope.reading.images import read_slice

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
SIDE = 2048
"""Of the matrices: far larger than a cache, and so as fast as products become."""
N_PRODUCTS = 5
MOST_IMAGES = 256
"""Of a folder, of which the parts are timed alone."""


def describe_epoch(n_train: int, n_validation: int, precision: str) -> str:
    """Return how long an epoch's convolutions would take at the speed of a matrix product, in words."""
    forward, backward = count_lesson()
    return _describe(n_train * (forward + backward) + n_validation * forward, precision)


def describe_default_epoch(n_images: int, threads: int) -> str:
    """Return the same of training images of the default, in fp32 on so many threads; 0 takes every core."""
    forward, backward = count_default()
    return _describe(n_images * (forward + backward), "fp32", threads)


def count_lesson() -> tuple[int, int]:
    """Return operations of an image of the lesson: forward, and backward."""
    inputs = (1, *FILTERS[:-1])
    each = [
        2 * side**2 * n_out * n_in * KERNEL_SIZE**2
        for n_in, n_out, (side, _) in zip(inputs, FILTERS, map_sizes(), strict=True)
    ]
    # The first layer has a gradient for its kernel, and none for the image.
    return sum(each), 2 * sum(each) - each[0]


def count_default() -> tuple[int, int]:
    """Return operations of an image of the default: forward, and backward."""
    each: list[int] = []

    def count(module: nn.Module, _given: Any, maps: torch.Tensor) -> None:
        assert isinstance(module, nn.Conv2d)  # noqa: S101 - narrows the type only
        each.append(2 * maps[0].numel() * module.in_channels * KERNEL_SIZE**2)

    network = Compact(channels=CHANNELS)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(count)
    with torch.inference_mode():
        network(torch.zeros(2, 1, COMPACT_SIZE, COMPACT_SIZE))
    return sum(each), 2 * sum(each) - each[0]


def describe_classification(bundle: Path, paths: Sequence[Path]) -> str:
    """Return how many images a second are decoded alone, and answered alone, on all cores, in words."""
    session, jobs = Session(bundle), count_jobs(0)
    resize = session.bundle.metadata.image_path.resize_slice
    paths = paths[:MOST_IMAGES]
    with ThreadPoolExecutor(jobs) as pool:
        slices = [resize(read.pixels) for read in pool.map(read_slice, paths)]
        decode_s = _time(lambda: list(pool.map(read_slice, paths)))
        network_s = _time(lambda: list(pool.map(lambda one: session.slice_answers(one[None]), slices)))
    decode, network, both = (len(paths) / one for one in (decode_s, network_s, decode_s + network_s))
    return f"decoding alone {decode:.0f}, network alone {network:.0f}, one after the other {both:.0f}"


def _describe(operations: int, precision: str, threads: int = 0) -> str:
    before = torch.get_num_threads()
    torch.set_num_threads(threads or count_jobs(0))
    try:
        speed = _multiply(DTYPES[precision])
    finally:
        torch.set_num_threads(before)
    return f"{operations / speed:.1f} s: {operations / 1e9:.0f} GFLOP at {speed / 1e9:.0f} a second"


def _multiply(dtype: torch.dtype) -> float:
    """Return operations a second of a product of two large matrices."""
    matrix = torch.rand(SIDE, SIDE).to(dtype)
    return 2 * SIDE**3 / min(_time(lambda: matrix @ matrix) for _ in range(N_PRODUCTS))


def _time(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
