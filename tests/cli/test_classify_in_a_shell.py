"""What `classify` does in a script: paths that another program lists, silence, an exit code that tells."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.commands import run_command


@pytest.fixture
def slices(tmp_path: Path) -> Path:
    """Two dark and two bright slices: the tiny bundle calls them pre- and post-contrast."""
    for name, grey in (("dark 1", 60), ("dark 2", 70), ("bright 1", 200), ("bright 2", 210)):
        noise = np.random.default_rng(grey).integers(-20, 21, (40, 48))
        Image.fromarray((grey + noise).astype(np.uint8)).save(tmp_path / f"{name}.png")
    return tmp_path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_paths_are_read_from_the_standard_input(slices: Path, tiny_bundle: Path, end: str) -> None:
    listed = end.join([str(slices / "dark 1.png"), str(slices / "bright 2.png"), ""])
    done = run_command("classify", "-", "--model", tiny_bundle, "--json", given=listed)
    assert done.returncode == 0
    assert [name in done.stdout for name in ("dark 1", "dark 2", "bright 1", "bright 2")] == [1, 0, 0, 1]


def test_a_standard_input_that_names_nothing_is_one_sentence(tiny_bundle: Path) -> None:
    done = run_command("classify", "-", "--model", tiny_bundle, given="\n")
    assert done.returncode == 2
    assert "the standard input names no path" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_quiet_run_says_nothing_beside_its_table_and_an_error_all_the_same(
    slices: Path, tiny_bundle: Path
) -> None:
    quiet = run_command("classify", slices / "dark 1.png", "--model", tiny_bundle, "--quiet")
    assert quiet.stderr == ""
    assert quiet.stdout == run_command("classify", slices / "dark 1.png", "--model", tiny_bundle).stdout
    wrong = run_command("classify", slices, "--model", slices / "none.onnx", "--quiet")
    assert wrong.returncode == 2
    assert "none.onnx" in wrong.stderr


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("dark 1", "dark 2"), 10),
        (("bright 1", "bright 2"), 11),
        (("dark 1", "bright 1"), 12),
        (("dark 1", "cut"), 3),
    ],
)
def test_the_exit_code_says_the_phase_where_that_is_asked_for(
    slices: Path, tiny_bundle: Path, names: tuple[str, ...], code: int
) -> None:
    paths = [slices / f"{name}.png" for name in names]
    (slices / "cut.png").write_bytes((slices / "dark 1.png").read_bytes()[:200])
    assert run_command("classify", *paths, "--model", tiny_bundle, "--exit-phase").returncode == code
    if code != 3:
        assert run_command("classify", *paths, "--model", tiny_bundle).returncode == 0
