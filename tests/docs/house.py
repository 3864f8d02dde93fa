"""Draw the house in CONTRIBUTING.md from its folders; `make docs` runs it, a test compares."""

import ast
import re
import tomllib
from pathlib import Path

from tests.support.paths import ROOT

PACKAGE = ROOT / "src" / "gadoscope"
PAGE = ROOT / "CONTRIBUTING.md"
TREE = re.compile(r"(?<=```\n)src/gadoscope/\n.*?(?=```)", re.DOTALL)
FLOORS = re.compile(r"(?<=```\n)cli\n.*?(?=```)", re.DOTALL)
NAME_WIDTH, MOST_WIDTH = 22, 112


def redraw(text: str) -> str:
    """Return the page with its drawings of the house as the house is."""
    return FLOORS.sub(lambda _: draw_floors(), TREE.sub(lambda _: draw_tree(), text))


def draw_tree() -> str:
    """Return every room with the first line of what it says of itself, and the tools in the hall."""
    lines = ["src/gadoscope/"]
    for folder in sorted(path.parent for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE):
        depth = len(folder.relative_to(PACKAGE).parts)
        lines.append(_line("  " * depth + f"{folder.name}/", folder / "__init__.py"))
    tools = sorted(path for path in PACKAGE.glob("*.py") if not path.name.startswith("__"))
    lines += [_line(f"  {path.name}", path) for path in tools]
    return "\n".join(lines) + "\n"


def draw_floors() -> str:
    """Return the floors, from the top down, as the import contract of pyproject.toml has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = next(
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    return "\n".join(layer.replace("gadoscope.", "") for layer in layers) + "\n"


def read_floors() -> set[str]:
    """Return the names of all rooms and tools that have a floor."""
    return {name.strip() for line in draw_floors().splitlines() for name in line.split("|")}


def _line(name: str, path: Path) -> str:
    said = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    line = f"{name:<{NAME_WIDTH}}{said.rstrip('.')}"
    assert len(line) <= MOST_WIDTH, f"{path}: its first line is too long for the drawing"
    return line


if __name__ == "__main__":
    PAGE.write_text(redraw(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
