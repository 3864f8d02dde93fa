"""A command within the process of the tests ends as one that is a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import GADOSCOPE, run_command
from tests.support.tiny_run import write_slice

CASES = {
    "the version": (("--version",), 0),
    "a command that nearly exists": (("clasify",), 2),
    "an option that is not there": (("phantom", "x", "--sbjects", "3"), 2),
    "an error of ours": (("classify", ""), 2),
    "an input that failed": (("classify", "scans", "--model", "tiny.onnx"), 3),
}


@pytest.mark.parametrize(("words", "code"), CASES.values(), ids=list(CASES))
def test_code_and_both_streams_are_those_of_a_process(
    words: tuple[str, ...], code: int, tmp_path: Path, tiny_bundle: Path
) -> None:
    tiny_bundle.rename(tmp_path / "tiny.onnx")
    write_slice(tmp_path / "scans" / "ä.png", 0.5, 1)
    (tmp_path / "scans" / "b.png").write_bytes(b"")
    real = subprocess.run(
        [*GADOSCOPE, *words], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False
    )
    ours = run_command(*words, folder=tmp_path)
    assert (ours.returncode, ours.stdout) == (real.returncode, real.stdout)
    assert ours.stderr == real.stderr.replace("Usage: -c", "Usage: gadoscope").replace("'-c", "'gadoscope")
    assert ours.returncode == code


def test_the_process_of_the_tests_is_as_it_was() -> None:
    before = (sys.argv, sys.stdout, sys.stderr, sys.modules["__main__"], Path.cwd(), dict(os.environ))
    run_command("--version", folder=Path("/"), environment={"LC_ALL": "C"})
    assert (sys.argv, sys.stdout, sys.stderr, sys.modules["__main__"], Path.cwd(), dict(os.environ)) == before


def test_both_streams_together_stand_in_one_in_their_order(tmp_path: Path, tiny_bundle: Path) -> None:
    write_slice(tmp_path / "a.png", 0.5, 1)
    words = ("classify", tmp_path / "a.png", "--model", tiny_bundle)
    apart, together = run_command(*words), run_command(*words, together=True)
    assert (together.stdout, together.stderr) == (apart.stdout + apart.stderr, "")
