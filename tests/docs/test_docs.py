"""The documentation says what is true: commands, links, exit codes, settings, exports."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gadoscope
from gadoscope.cli.main import COMMANDS
from tests.docs import house
from tests.docs.reference import PAGE, render
from tests.support.paths import ROOT
from tests.support.syntax import parse

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)[^)]*\)")


def test_the_command_reference_is_what_the_commands_say_of_themselves() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_documentation_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if not target.startswith(("https:", "http:")):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_the_citation_is_of_this_version_and_says_the_same_of_it() -> None:
    cited = dict(line.partition(": ")[::2] for line in (ROOT / "CITATION.cff").read_text().splitlines())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert cited["version"] == project["version"] == gadoscope.__version__
    assert cited["license"] == project["license"]
    assert cited["  - name"] == project["authors"][0]["name"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_explained_in_the_readme(name: str) -> None:
    assert f"gadoscope {name}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_line_of_help_and_an_example(name: str) -> None:
    command = importlib.import_module(f"gadoscope.cli.{name.replace('-', '_')}").command
    first, _, rest = command.help.partition("\n")
    assert first.endswith(".")
    assert f"gadoscope {name}" in rest


def test_help_loads_neither_numpy_nor_torch() -> None:
    script = (
        "import sys; from gadoscope.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\nprint(*sys.modules)"
    )
    command = [sys.executable, "-c", script, "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    modules = set(result.stdout.splitlines()[-1].split())
    assert not modules & {"numpy", "torch", "onnxruntime", "PIL", "scipy", "rich", "pydicom"}


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == gadoscope.__version__
    assert f"## {gadoscope.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_module_says_what_it_is_for() -> None:
    modules = [path for path in house.PACKAGE.rglob("*.py") if path.name != "__main__.py"]
    assert len(modules) > 200
    for path in modules:
        assert (ast.get_docstring(parse(path)) or "").strip(), path


def test_no_file_is_longer_than_the_house_allows() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 500, path


def test_the_house_is_drawn_as_it_is() -> None:
    text = house.PAGE.read_text(encoding="utf-8")
    assert house.redraw(text) == text, "run `make docs`"
    assert house.TREE.search(text), "CONTRIBUTING.md draws no rooms"
    assert house.FLOORS.search(text), "CONTRIBUTING.md draws no floors"


def test_every_room_and_every_tool_has_a_floor() -> None:
    rooms = {path.parent.name for path in house.PACKAGE.glob("*/__init__.py")} - {
        "weights",
        "configs",
        "notebooks",
    }  # data, no code
    tools = {path.stem for path in house.PACKAGE.glob("*.py") if not path.stem.startswith("__")}
    assert rooms | tools == house.read_floors()


def test_tests_lie_in_the_rooms_that_they_test() -> None:
    others = {"benchmarks", "docs", "end_to_end", "fixtures", "fuzz", "recipes", "support"}
    rooms = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and "__" not in path.name}
    assert [name for name in rooms - others if not (house.PACKAGE / name / "__init__.py").is_file()] == []
