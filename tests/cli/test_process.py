"""A command's process ends at once, and leaves nothing out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
BEGIN = (
    "import atexit, sys, threading; from gadoscope.cli.process import end_now; atexit.register(print, 'end');"
)


def run(program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", f"{BEGIN} {program}"], capture_output=True, text=True, check=False
    )


def test_a_process_that_ends_at_once_has_written_all_and_run_what_waits_for_its_end() -> None:
    ended = run("print('said', end=' '); sys.stderr.write('aside'); end_now(SystemExit(7)); print('later')")
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, "said end\n", "aside")


def test_a_process_with_a_thread_that_runs_ends_as_python_ends_it() -> None:
    ended = run(
        "wait = threading.Event(); threading.Thread(target=lambda: wait.wait(9) and print('thread')).start();"
        "end_now(SystemExit(7)); print('waits'); wait.set()"
    )
    assert (ended.returncode, ended.stdout) == (0, "waits\nthread\nend\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_stream_that_takes_nothing_is_left_to_python_which_says_so() -> None:
    program = f"{BEGIN} print('said'); end_now(SystemExit(0))"
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, check=False, env=BUFFERED
        )
    assert ended.returncode == 120
    assert b"No space left" in ended.stderr


def test_the_command_ends_with_its_exit_code_and_its_last_line() -> None:
    command = [sys.executable, "-m", "gadoscope", "classify", "--jobs", "x"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.endswith("'x' is not a valid integer range.\n")
