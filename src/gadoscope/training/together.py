"""Several processes are one run: what is checked of them at its start, before anything is decoded.

A run on several machines is started once on each, and whoever types a command several times types another one
some day. What would train apart, wait for ever or write one model out of two codes ends here, in a sentence.
"""

import hashlib
import os
import platform
import time
import uuid
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed

from gadoscope.errors import OutputError, UsageError
from gadoscope.files import write_text
from gadoscope.version import __version__
from gadoscope.wording import plural

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from gadoscope.training.alone import Alone

TORCHRUN = "TORCHELASTIC_RUN_ID"
"""Set by torchrun alone."""
_NUMBERS = ("RANK", "LOCAL_RANK", "GROUP_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
_MEETING_POINT = ("MASTER_ADDR", "MASTER_PORT")
_SIZES = ("SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE")
"""How many processes the starters of clusters set: Slurm's srun, Open MPI, MPICH."""
PAGE = "docs/how-to/train-on-several-devices.md"
PROBE_NAME = ".seen-by-all"
LOOK_SECONDS = 60.0
"""A network file system may go on saying for so long that a file is not there that was just written."""
_LOOK_AGAIN_SECONDS = 0.2
_SHOWN = 12
"""Letters of a digest that tell two of them apart."""


def find_torchrun() -> tuple[int, int] | None:
    """Return (processes a machine, machines) as torchrun set them, or None without torchrun.

    Raises
    ------
    UsageError
        If this is one of several processes that something else started, or torchrun's variables do not fit.
    """
    if TORCHRUN not in os.environ:
        _check_alone()
        return None
    missing = [name for name in (*_NUMBERS, *_MEETING_POINT) if not os.environ.get(name)]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise UsageError(
            f"torchrun started this process, but {' and '.join(missing)} {verb} not set; leave the "
            "variables that torchrun sets as they are."
        )
    local, world = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
    if world % local:
        raise UsageError(
            f"this machine has {local} of {world} processes, so others have more or fewer: give torchrun the "
            "same --nproc-per-node on every machine."
        )
    return local, world // local


def _check_alone() -> None:
    """Raise UsageError if others of this run were started beside this process, each to train it alone."""
    sizes = [*_SIZES, *(["WORLD_SIZE"] if "RANK" in os.environ else [])]  # Fabric itself sets no RANK
    for name in sizes:
        if os.environ.get(name, "1") not in ("", "1"):
            raise UsageError(
                f"{name} is {os.environ[name]}: this is one of several processes, not started by torchrun; "
                "each would train alone, into the same folder. Start one torchrun a machine, such as by "
                f"srun --ntasks-per-node 1 torchrun ...; {PAGE} says how."
            )


def check_size(accelerator: str, processes: int, *, is_asked: bool) -> None:
    """Check that this machine has a device for each process.

    Parameters
    ----------
    accelerator
        ``cpu`` or ``cuda``.
    is_asked
        Whether `--devices` says so, and not torchrun, whose processes may share processors.

    Raises
    ------
    UsageError
        If it has not.
    """
    who = f"--devices {processes}" if is_asked else f"torchrun --nproc-per-node {processes}"
    if accelerator == "cuda" and processes > torch.cuda.device_count():
        there = plural(torch.cuda.device_count(), "GPU")
        raise UsageError(f"{who}: torch sees {there} on this machine; ask for as many at most.")
    n_processors = os.cpu_count() or 1
    if accelerator == "cpu" and is_asked and processes > n_processors:
        there = plural(n_processors, "processor")
        raise UsageError(f"{who}: this machine has {there}, and each process needs one; ask for fewer.")


def check_batch(batch_size: int, n_processes: int) -> None:
    """Raise UsageError if a step has fewer images than there are processes to share them."""
    if batch_size < n_processes:
        raise UsageError(
            f"batch_size is {batch_size}, of which each of {n_processes} processes takes its part; set it to "
            f"{n_processes} or more, or start fewer processes."
        )


def tell_uneven(batch_size: int, n_processes: int) -> tuple[str, ...]:
    """Return a notice if some processes have more to do in a step than others, which wait for them."""
    if batch_size % n_processes == 0:
        return ()
    most = -(-batch_size // n_processes)
    return (
        f"batch_size is {batch_size}: of {n_processes} processes some take {most} images a step, and the "
        f"others {most - 1} and wait; a multiple of {n_processes} wastes nothing",
    )


def check_one_run(fabric: "Fabric | Alone", folder: Path, claims: Mapping[str, Any]) -> None:
    """Check that all processes do the same, and see one folder for it; errors as of the two below."""
    check_agreement(fabric, claims)
    check_folder_is_shared(fabric, folder)


def check_agreement(fabric: "Fabric | Alone", claims: Mapping[str, Any]) -> None:
    """Check that all processes are about to do the same.

    Parameters
    ----------
    claims
        What must be the same everywhere, by its name in a sentence; what is ``None`` everywhere, too.

    Raises
    ------
    UsageError
        In every process, with the first thing that differs, and where.
    """
    if fabric.world_size == 1:
        return
    mine = (platform.node(), {**_versions(), **claims})
    heard: list[tuple[str, dict[str, Any]]] = [mine] * fabric.world_size
    distributed.all_gather_object(heard, mine)
    main, first = heard[0]
    for rank, (host, said) in enumerate(heard):
        for name in sorted({*first, *said}, key=[*first, *said].index):
            if first.get(name) != said.get(name):
                theirs, ours = _show(said.get(name)), _show(first.get(name))
                raise UsageError(
                    f"{name} is {theirs} in process {rank} on {host}, and {ours} in process 0 on {main}; "
                    "start all of them with one command, the same files and the same installation."
                )


def check_folder_is_shared(fabric: "Fabric | Alone", folder: Path) -> None:
    """Check that the first process can write into the run's folder, and that the others see what it wrote.

    Raises
    ------
    UsageError
        In every process: which of them does not.
    """
    if fabric.world_size == 1:
        return
    word, probe, failed = [uuid.uuid4().hex], folder / PROBE_NAME, ""
    distributed.broadcast_object_list(word, src=0)
    if fabric.is_global_zero:
        try:
            write_text(probe, word[0])
        except (OSError, OutputError) as error:
            failed = f"the first process cannot write into {folder} ({error})"
    _raise_first(fabric, failed)
    if not _sees(probe, word[0]):
        failed = (
            f"process {fabric.global_rank} on {platform.node()} does not see in {folder} what the first "
            "process wrote there"
        )
    try:
        _raise_first(fabric, failed)
    finally:
        if fabric.is_global_zero:
            probe.unlink(missing_ok=True)


def _raise_first(fabric: "Fabric | Alone", failed: str) -> None:
    """Raise what the first of all processes has to say, in each of them; this also waits for all."""
    heard = [failed] * fabric.world_size
    distributed.all_gather_object(heard, failed)
    said = next(filter(None, heard), None)
    if said:
        raise UsageError(f"{said}; --output must be one folder that all machines share, under the same path.")


def _sees(probe: Path, word: str) -> bool:
    end = time.monotonic() + LOOK_SECONDS
    while True:
        try:
            if probe.read_text(encoding="utf-8") == word:
                return True
        except OSError:
            pass
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_AGAIN_SECONDS)


@cache
def _versions() -> dict[str, str]:
    """Return which programs work here; of our own every line, for two of one version may differ."""
    package = Path(__file__).resolve().parents[1]
    code = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        code.update(f"{path.relative_to(package).as_posix()}\0".encode() + path.read_bytes())
    return {
        "Gadoscope": __version__,
        "the code of Gadoscope": code.hexdigest(),
        "Python": platform.python_version(),
        "torch": str(torch.__version__),
    }


def _show(value: object) -> str:
    if value is None:
        return "not given"
    text = str(value)
    return text[:_SHOWN] if len(text) == hashlib.sha256().digest_size * 2 else text
