"""Where training runs: one processor, or by Lightning Fabric one or several GPUs, several machines."""

import ctypes
import os
import platform
import warnings
from typing import TYPE_CHECKING, Literal

import torch

from gadoscope.errors import UsageError
from gadoscope.models.blocked import computes_bf16
from gadoscope.training.alone import Alone
from gadoscope.training.batches import Share
from gadoscope.training.config import TrainingConfig
from gadoscope.training.together import check_batch, check_size, find_torchrun

if TYPE_CHECKING:
    from lightning_fabric import Fabric

Accelerator = Literal["auto", "cpu", "cuda"]

FABRIC_PRECISION: dict[str, Literal["32-true", "bf16-mixed"]] = {"fp32": "32-true", "bf16": "bf16-mixed"}

# mallopt(3): parameter numbers of <malloc.h>.
M_TRIM_THRESHOLD = -1
M_TOP_PAD = -2
M_MMAP_THRESHOLD = -3
M_MMAP_MAX = -4
LARGEST_INT = 2**31 - 1
TOP_PAD_BYTES = 512 * 2**20
"""The heap grows by this much at a time, about one activation map of the lesson's first layer."""


def suit_processor(config: TrainingConfig, accelerator: Accelerator) -> TrainingConfig:
    """Return the config with fp32 in place of bf16 where a processor trains that has no bf16 arithmetic.

    There torch computes bf16 by software, which takes nine times as long as fp32 (docs/log.md, 2026-11-29).
    """
    if config.precision != "bf16" or _choose(accelerator) == "cuda" or computes_bf16():
        return config
    return config.with_values(precision="fp32")


def start_fabric(config: TrainingConfig, *, accelerator: Accelerator, devices: int) -> "Fabric | Alone":
    """Return Fabric, launched, with this process's threads and torch's arithmetic set.

    One process on one processor does without Fabric, and has the same weights.

    Under ``torchrun`` the number of processes and machines is what torchrun says, and ``devices``
    is not looked at.

    Raises
    ------
    UsageError
        If the accelerator is not there, or the processes cannot be one run: see `together`.
    """
    if accelerator == "cuda" and not torch.cuda.is_available():
        raise UsageError("--accelerator cuda: torch sees no GPU here. Use --accelerator cpu.")
    told = find_torchrun()
    processes, machines = told or (devices, 1)
    accelerator = _choose(accelerator)
    check_size(accelerator, processes, is_asked=told is None)
    check_batch(config.batch_size, processes * machines)
    on_this_machine = processes if accelerator == "cpu" else 1
    torch.set_num_threads(config.threads or max(1, (os.cpu_count() or 1) // on_this_machine))
    keep_freed_memory()
    _be_deterministic()
    if accelerator == "cpu" and processes * machines == 1:
        return Alone(config.precision)
    from lightning_fabric import Fabric  # noqa: PLC0415 — it brings torch's compiler

    fabric = Fabric(
        accelerator=accelerator,
        devices=processes,
        num_nodes=machines,
        strategy="ddp" if processes * machines > 1 else "auto",
        precision=FABRIC_PRECISION[config.precision],
    )
    fabric.launch()
    return fabric


def _choose(accelerator: Accelerator) -> Accelerator:
    """Return what ``auto`` stands for here, and any other word as it is."""
    if accelerator != "auto":
        return accelerator
    return "cuda" if torch.cuda.is_available() else "cpu"


def leave_together() -> None:
    """Wait for the other processes of the run and part from them; a process alone just goes.

    One that leaves while another still works can take the connection, and the other one, with it.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def find_share(fabric: "Fabric | Alone") -> Share:
    """Return which part of each batch this process takes."""
    return Share(rank=fabric.global_rank, world_size=fabric.world_size)


def _be_deterministic() -> None:
    """Take the arithmetic that gives the same bits every time.

    Where a GPU has none for an operation, torch warns once and goes on: two-by-two pools do not
    overlap, so their backward pass adds nothing up in a changing order.
    """
    # As `use_deterministic_algorithms(True, warn_only=True)`, which loads torch's compiler as well: a second.
    torch.set_deterministic_debug_mode("warn")
    torch.backends.cudnn.benchmark = False
    # The mode would also fill every new tensor with NaN, at a cost that is measurable.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # set by a property of the module
    warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")


def keep_freed_memory() -> bool:
    """Tell glibc to keep what is freed; do nothing elsewhere. Return whether it was told.

    It belongs to a training process and must come before its first large tensor.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    settings = (
        (M_MMAP_MAX, 0),
        (M_TRIM_THRESHOLD, LARGEST_INT),
        (M_TOP_PAD, TOP_PAD_BYTES),
        (M_MMAP_THRESHOLD, LARGEST_INT),
    )
    # mallopt answers 1 for what it accepts.
    return all([libc.mallopt(number, value) == 1 for number, value in settings])  # noqa: C419  # each must be set
