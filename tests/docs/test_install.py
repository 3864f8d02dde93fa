"""What the pages say of installing is true: each line runs, in an empty home, on a wheel that was just built.

For `.`, the clone, stands that wheel, so nothing is built twice; the line that builds one runs as it stands.
Extras are resolved, not unpacked: `TRAIN=1 sh tests/check_wheel.sh` installs the largest. The quicker twin is
test_commands.py: extras and files exist.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.commands import iter_shown, list_shown
from tests.docs.console import run_shell
from tests.docs.test_commands import NOT_RUN
from tests.support.paths import DOCS, ROOT

PAGE = DOCS / "how-to" / "install.md"
LONGEST_S = 1200
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "constraints", "src")
CLONE = re.compile(r"(?<=[\s'\"])\.(?=\[|$)")
"""The dot that names the folder, alone or before an extra."""
WHEEL = re.compile(r"gadoscope-[\d.]+-py3-none-any\.whl")
BUILD = "pip wheel --no-deps --wheel-dir dist ."
HASHED = "pip install --require-hashes --requirement constraints/base.txt"
ONLY_RESOLVE = " --dry-run --constraint constraints/cpu.txt"


@dataclass(frozen=True)
class Desk:
    """A machine with Python, pip, pipx and uv, an empty home, and the sources in the present folder."""

    folder: Path

    @property
    def wheel(self) -> Path:
        (wheel,) = (self.folder / "clone" / "dist").glob("gadoscope-*.whl")
        return wheel

    def run(self, line: str, *, environment: str = "tools", without: Sequence[str] = ()) -> str:
        """Run a line with an environment of that name first on the PATH, and return what it printed."""
        home = self.folder / "home"
        path = [self.folder / environment / "bin", home / ".local" / "bin", "/usr/bin", "/bin"]
        told = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))
        }
        told |= {
            "HOME": str(home),
            "PATH": os.pathsep.join(map(str, path)),
            "PIP_CACHE_DIR": str(home / "cache"),
        }
        for name in without:
            told.pop(name, None)
        ended = run_shell(line, self.folder / "clone", environment=told, longest_s=LONGEST_S)
        assert ended.returncode == 0, f"$ {line}\n{ended.stdout}"
        return ended.stdout

    def make_environment(self, name: str) -> None:
        subprocess.run([sys.executable, "-m", "venv", self.folder / name], check=True)

    def place(self, line: str) -> str:
        """Return a line with the wheel in the place of the clone, or of a wheel of another version."""
        return CLONE.sub(str(self.wheel), WHEEL.sub(str(self.wheel), line))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    (desk.folder / "home").mkdir()
    (desk.folder / "clone").mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, desk.folder / "clone" / name)
    desk.make_environment("tools")
    try:
        desk.run("pip install --quiet pipx uv")
    except AssertionError as failed:
        pytest.skip(f"no package index in reach: {str(failed).splitlines()[-1]}")
    desk.run(BUILD)
    desk.run(f"pip install --quiet {desk.wheel}")  # the first line of the page's table
    return desk


def test_the_dot_and_a_wheel_s_name_are_told_from_all_else(tmp_path: Path) -> None:
    (tmp_path / "clone" / "dist").mkdir(parents=True)
    desk = Desk(tmp_path)
    wheel = tmp_path / "clone" / "dist" / "gadoscope-9-py3-none-any.whl"
    wheel.touch()
    for line, placed in {
        "pip install .": f"pip install {wheel}",
        "pip install '.[train,tune]'": f"pip install '{wheel}[train,tune]'",
        "pip install 'gadoscope-0.1.0-py3-none-any.whl[train]'": f"pip install '{wheel}[train]'",
        "pip install -c constraints/cpu.txt '.[a]'": f"pip install -c constraints/cpu.txt '{wheel}[a]'",
    }.items():
        assert desk.place(line) == placed


@pytest.mark.slow
def test_every_line_that_the_page_lets_one_copy_works(desk: Desk) -> None:
    lines = [one.line for one in iter_shown(PAGE) if one.is_block and one.line not in NOT_RUN]
    assert len(lines) > 8
    for line in lines:
        if line == BUILD:
            continue  # made what all others install
        if "--no-index" in line:
            desk.make_environment("offline")
            desk.run(line, environment="offline", without=["PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"])
            assert "All is well." in desk.run("gadoscope doctor", environment="offline")
            continue
        desk.run(desk.place(line) + (ONLY_RESOLVE if ".[" in line else ""))
        if line.startswith(("pipx", "uv")):
            program = desk.folder / "home" / ".local" / "bin" / "gadoscope"
            assert "All is well." in desk.run(f"{program} doctor")
            program.unlink()  # the next one puts it there anew


@pytest.mark.slow
def test_the_pins_are_installed_with_their_hashes_and_answer(desk: Desk) -> None:
    assert HASHED in " ".join(PAGE.read_text(encoding="utf-8").split())
    desk.make_environment("hashed")
    desk.run(HASHED, environment="hashed")
    desk.run(f"pip install --no-deps {desk.wheel}", environment="hashed")
    desk.run("pip check", environment="hashed")
    assert "All is well." in desk.run("gadoscope doctor", environment="hashed")
    desk.run("pip uninstall --yes gadoscope", environment="hashed")
    assert list((desk.folder / "hashed").rglob("*gadoscope*")) == [], "the page says that nothing stays"


@pytest.mark.slow
def test_every_extra_that_a_page_lets_one_install_is_resolved(desk: Desk) -> None:
    lines = {one.line for one in list_shown() if one.line.startswith("pip install") and "[" in one.line}
    assert len(lines) > 5
    for line in sorted(lines):
        desk.run(desk.place(line) + ONLY_RESOLVE)
