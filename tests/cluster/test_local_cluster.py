"""A cluster that a run starts for itself: on loopback, and gone with the run."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gadoscope.labels import Phase
from tests.support.commands import run_command
from tests.support.dicom_files import classic_series, rename_study, write_series
from tests.support.postgresql import run_server
from tests.support.slices import write_slice

PATIENCE_SECONDS = 60.0
N_SLICES = 40

# A session of its own, so that its processes can be told from all others.
PROGRAM = """
import os, sys
from gadoscope.cli.main import main
if __name__ == "__main__":
    os.setsid()
    main()
"""


def children_of(leader: int) -> dict[int, str]:
    """Return the processes of a session, but for those that have ended and wait to be asked how."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state != "Z":
            found[int(stat.parent.name)] = state
    return found


@pytest.mark.slow  # starts two fresh processes, each of which imports Dask
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_interrupted_leaves_no_process(
    number: signal.Signals, tiny_bundle: Path, tmp_path: Path
) -> None:
    """Ctrl-C reaches all processes of a terminal; a kill only the run itself."""
    for index in range(N_SLICES):
        write_slice(tmp_path / "in" / f"{index:03d}.png")
    words = ["classify", str(tmp_path / "in"), "--model", str(tiny_bundle), "--workers", "2", "--json"]
    command = [sys.executable, "-c", PROGRAM, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        assert run.stdout.readline()  # the first row
        assert len(children_of(run.pid)) >= 3
        if number is signal.SIGINT:
            os.killpg(run.pid, number)
        else:
            os.kill(run.pid, number)
        _, said = run.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in said
    end = time.monotonic() + PATIENCE_SECONDS
    while children_of(run.pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not children_of(run.pid)
    assert run.returncode in (128 + number, -number, 0)


@pytest.mark.slow  # as above
def test_workers_of_this_machine_listen_on_loopback_and_give_the_rows_of_the_plain_path(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    for index in range(N_SLICES):
        write_slice(tmp_path / "in" / f"{index:03d}.png")
    words = ("classify", tmp_path / "in", "--model", tiny_bundle, "--json")
    plain = run_command(*words)
    clustered = run_command(*words, "--workers", "2")
    assert (clustered.returncode, clustered.stdout) == (plain.returncode, plain.stdout)
    assert "distributed" not in clustered.stderr


@pytest.mark.slow  # as above, and a server of PostgreSQL
def test_workers_of_this_machine_and_postgresql_give_the_rows_of_the_plain_path_once(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    for index in range(N_SLICES):
        write_slice(tmp_path / "in" / f"{index:03d}.png")
    for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST):
        write_series(rename_study(classic_series(phase, name=phase), "study"), tmp_path / "in" / phase)
    words = ("classify", tmp_path / "in", "--model", tiny_bundle, "--json")
    plain = run_command(*words)
    with run_server() as server:
        url = server.make_database("clustered")
        for _ in range(2):
            clustered = run_command(*words, "--workers", "2", "--store", url)
            assert (clustered.returncode, clustered.stdout) == (plain.returncode, plain.stdout)
        stored = run_command("results", url, "--json")
        counted = server.ask("clustered", "SELECT count(*), count(DISTINCT path) FROM series")
    assert sorted(map(_path_of, stored.stdout.splitlines())) == sorted(
        map(_path_of, plain.stdout.splitlines())
    )
    assert counted == [(N_SLICES + 2, N_SLICES + 2)]


def _path_of(line: str) -> str:
    return str(json.loads(line)["path"])
