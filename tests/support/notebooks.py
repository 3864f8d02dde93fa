"""The lesson's notebook: its cells as plain Python, and the whole of it run by Jupyter's own client."""

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from gadoscope.cli.notebook import NAME

PARAMETERS = "parameters"
"""Tag of the cell whose numbers may be changed; a word of papermill's."""
LONGEST_CELL_S = 1800
"""On a machine that has other things to do."""


@dataclass(frozen=True)
class Cell:
    """One cell: its kind, ``markdown`` or ``code``, what stands in it, and its tags."""

    kind: str
    source: str
    tags: tuple[str, ...] = ()


def read_text() -> str:
    """Return the file as it ships."""
    return (resources.files("gadoscope.notebooks") / NAME).read_text(encoding="utf-8")


def read_cells() -> list[Cell]:
    """Return all cells in their order."""
    return [
        Cell(one["cell_type"], "".join(one["source"]), tuple(one["metadata"].get("tags", ())))
        for one in json.loads(read_text())["cells"]
    ]


def read_code(**parameters: object) -> list[str]:
    """Return the code of each cell, with other numbers in the cell of the parameters."""
    return [
        set_parameters(one.source, parameters) if PARAMETERS in one.tags else one.source
        for one in read_cells()
        if one.kind == "code"
    ]


def set_parameters(source: str, parameters: Mapping[str, object]) -> str:
    """Return a cell with other values; KeyError for a name that it does not have."""
    names = {node.targets[0].id for node in ast.parse(source).body if isinstance(node, ast.Assign)}  # type: ignore[attr-defined]  # each line sets a name
    for name, value in parameters.items():
        if name not in names:
            raise KeyError(name)
        source = re.sub(rf"^{name} = [^#\n]+?(?=\s*(#|$))", f"{name} = {value!r}", source, flags=re.MULTILINE)
    return source


def execute(folder: Path, **parameters: object) -> Any:
    """Return the notebook with all outputs, run in a folder by a kernel of its own."""
    # At the top each worker would wait six seconds for the grammar of web addresses that they bring.
    import nbformat  # noqa: PLC0415
    from nbclient import NotebookClient  # noqa: PLC0415

    notebook = nbformat.reads(read_text(), as_version=4)
    for cell in notebook.cells:
        if PARAMETERS in cell.metadata.get("tags", ()):
            cell.source = set_parameters(cell.source, parameters)
    client = NotebookClient(notebook, timeout=LONGEST_CELL_S, resources={"metadata": {"path": str(folder)}})
    return client.execute()
