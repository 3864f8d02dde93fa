"""Processes that cannot be one run end at its start, each with the sentence that says why."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gadoscope.errors import UsageError
from gadoscope.training import together
from gadoscope.training.devices import leave_together, start_fabric
from tests.support.lessons import QUICK_SETTINGS, quick_config
from tests.support.paths import LESSON
from tests.support.trainings import start_training

PATIENCE_SECONDS = 300
OF_TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "test",
    "RANK": "0",
    "LOCAL_RANK": "0",
    "GROUP_RANK": "0",
    "WORLD_SIZE": "4",
    "LOCAL_WORLD_SIZE": "2",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "1",
}
# As torchrun starts a command, but the second process is given another one.
DIFFERING = """
import json, os, sys
rank = int(os.environ["RANK"])
sys.argv = ["gadoscope", *json.loads(sys.argv[1])[rank]]
from gadoscope.__main__ import main
main()
"""


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*OF_TORCHRUN, "SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"):
        monkeypatch.delenv(name, raising=False)


def refusal(call: Callable[..., Any], *given: Any, **named: Any) -> str:
    with pytest.raises(UsageError) as caught:
        call(*given, **named)
    return str(caught.value)


def test_torchrun_says_how_many_processes_and_machines_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert together.find_torchrun() is None
    for name, value in OF_TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert together.find_torchrun() == (2, 2)
    monkeypatch.delenv("MASTER_ADDR")
    monkeypatch.setenv("GROUP_RANK", "")
    assert refusal(together.find_torchrun).startswith(
        "torchrun started this process, but GROUP_RANK and MASTER_ADDR are not set;"
    )


def test_machines_with_unlike_numbers_of_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**OF_TORCHRUN, "WORLD_SIZE": "5"}.items():
        monkeypatch.setenv(name, value)
    assert refusal(together.find_torchrun) == (
        "this machine has 2 of 5 processes, so others have more or fewer: give torchrun the same "
        "--nproc-per-node on every machine."
    )


@pytest.mark.parametrize(
    "environment",
    [
        {"SLURM_STEP_NUM_TASKS": "4"},
        {"OMPI_COMM_WORLD_SIZE": "2"},
        {"PMI_SIZE": "2"},
        {"RANK": "1", "WORLD_SIZE": "2"},
    ],
)
def test_processes_that_something_else_started_do_not_train_apart(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    said = refusal(start_fabric, quick_config(), accelerator="cpu", devices=1)
    name, value = next((name, value) for name, value in environment.items() if name != "RANK")
    assert said.startswith(
        f"{name} is {value}: this is one of several processes, not started by torchrun; each would"
    )


def test_a_lone_task_of_a_cluster_and_what_fabric_sets_itself_are_no_obstacle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")  # in the processes that --devices starts, without a RANK
    assert together.find_torchrun() is None


def test_more_devices_than_there_are_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert refusal(together.check_size, "cuda", 2, is_asked=True) == (
        "--devices 2: torch sees 1 GPU on this machine; ask for as many at most."
    )
    assert refusal(together.check_size, "cuda", 4, is_asked=False).startswith(
        "torchrun --nproc-per-node 4: torch"
    )
    assert refusal(start_fabric, quick_config(), accelerator="cpu", devices=3) == (
        "--devices 3: this machine has 2 processors, and each process needs one; ask for fewer."
    )
    together.check_size("cpu", 3, is_asked=False)  # torchrun's processes may share them


def test_a_batch_is_shared_by_as_many_as_it_has_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    assert refusal(start_fabric, quick_config(), accelerator="cpu", devices=9) == (
        "batch_size is 8, of which each of 9 processes takes its part; set it to 9 or more, or start fewer "
        "processes."
    )
    assert together.tell_uneven(8, 2) == ()
    assert together.tell_uneven(9, 2) == (
        "batch_size is 9: of 2 processes some take 5 images a step, and the others 4 and wait; a multiple of "
        "2 wastes nothing",
    )


def test_two_processes_find_out_what_differs_and_who_does_not_see_the_folder(tmp_path: Path) -> None:
    import lightning_fabric  # noqa: F401, PLC0415 — once, and not in both

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [start_training(_compare, rank, port, tmp_path) for rank in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    assert first == second  # whichever one looks at has the reason
    same, batch, data, code, not_given, shared, apart, closed = first
    assert (same, shared) == ("", "")
    assert batch.startswith("batch_size is 16 in process 1 on ")
    assert ", and 8 in process 0 on " in batch
    assert batch.endswith("; start all of them with one command, the same files and the same installation.")
    assert data.startswith(f"--data is {'1' * 12} in process 1")
    assert code.startswith("the code of Gadoscope is ")
    assert not_given.startswith("--init is abc in process 1")
    assert "and not given in process 0" in not_given
    assert apart.startswith("process 1 on ")
    assert "does not see in " in apart
    assert apart.endswith("--output must be one folder that all machines share, under the same path.")
    assert closed.startswith(f"the first process cannot write into {tmp_path / 'file'}")
    assert not list((tmp_path / "run").iterdir())


def _compare(rank: int, port: int, folder: Path) -> None:
    """Let both processes look at each other in several ways, and write what is said."""
    os.environ.update({**OF_TORCHRUN, "RANK": str(rank), "LOCAL_RANK": str(rank), "MASTER_PORT": str(port)})
    os.environ["WORLD_SIZE"] = "2"
    together.LOOK_SECONDS = 0.3
    fabric = start_fabric(quick_config(), accelerator="cpu", devices=1)
    said: list[str] = []

    def look(check: Callable[..., None], given: Any) -> None:
        try:
            check(fabric, given)
            said.append("")
        except UsageError as error:
            said.append(str(error))

    claims = {"batch_size": "8", "--data": "0" * 64, "--init": None}
    look(together.check_agreement, claims)
    look(together.check_agreement, {**claims, "batch_size": ("8", "16")[rank]})
    look(together.check_agreement, {**claims, "--data": str(rank) * 64})
    versions = together._versions()
    vars(together)["_versions"] = lambda: {**versions, "the code of Gadoscope": str(rank) * 64}
    look(together.check_agreement, claims)
    vars(together)["_versions"] = lambda: versions
    look(together.check_agreement, {**claims, "--init": (None, "abc")[rank]})
    look(together.check_folder_is_shared, folder / "run")
    look(together.check_folder_is_shared, folder / ("run", "elsewhere")[rank])
    (folder / "file").touch()
    look(together.check_folder_is_shared, folder / "file" / "run" if rank else folder / "file")
    (folder / f"{rank}.json").write_text(json.dumps(said))
    leave_together()


@pytest.mark.slow
def test_torchrun_ends_a_run_whose_processes_are_asked_for_different_things(
    slices: Path, tmp_path: Path
) -> None:
    settings = [part for setting in QUICK_SETTINGS for part in ("--set", setting)]
    words = ["train", str(LESSON), "--data", str(slices), "--output", str(tmp_path / "run"), *settings]
    commands = json.dumps([[*words, "--accelerator", "cpu", "--seed", seed] for seed in ("1", "2")])
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, "--no-python", sys.executable, "-c", DIFFERING, commands]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert ended.returncode != 0
    assert "seed is 2 in process 1 on " in ended.stderr
    assert not (tmp_path / "run" / "prepared").exists()
