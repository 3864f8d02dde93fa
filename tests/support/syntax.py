"""The source as a tree, for tests that read it whole: each file parsed once, each tree walked fast."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tests.support.paths import ROOT

BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


@cache
def parse(path: Path) -> ast.Module:
    """Return the tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def iter_nodes(top: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it, as `ast.walk` does in another order and three times the time."""
    waiting = [top]
    while waiting:
        node = waiting.pop()
        yield node
        for value in vars(node).values():
            if isinstance(value, ast.AST):
                waiting.append(value)
            elif isinstance(value, list):
                waiting += [one for one in value if isinstance(one, ast.AST)]


def iter_statements(top: ast.Module) -> Iterator[ast.AST]:
    """Yield a module and all statements of it, and nothing within one: imports are statements."""
    waiting: list[ast.AST] = [top]
    while waiting:
        node = waiting.pop()
        yield node
        for name in BLOCKS:
            waiting += getattr(node, name, ())


def iter_early_statements(top: ast.Module) -> Iterator[ast.AST]:
    """Yield the statements of a module that run when it is imported."""
    waiting: list[ast.AST] = [top]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        is_for_types = isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING"
        for name in ("orelse",) if is_for_types else BLOCKS:
            waiting += getattr(node, name, ())


def list_imports(
    module: str, but_for: frozenset[str] | set[str] = frozenset(), *, early: bool = False
) -> set[str]:
    """Return all that a module of ours imports, early or late, and what that imports: ours by its whole name.

    With ``early`` what is imported with the module, and not what its functions import when they run.
    What ``but_for`` names is listed, and not looked into; nor is the front door, `gadoscope` itself, which
    loads nothing until it is asked.
    """
    found: set[str] = set()
    waiting = {module}
    while waiting:
        name = waiting.pop()
        found.add(name)
        if name not in but_for and (path := _find_file(name)):
            iterate = iter_early_statements if early else iter_statements
            waiting |= set(_iter_imported(iterate(parse(path)))) - found
    return found


def _iter_imported(statements: Iterable[ast.AST]) -> Iterator[str]:
    for node in statements:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] != "gadoscope":
                yield parts[0]
                continue
            packages = (".".join(parts[:n]) for n in range(2, len(parts) + 1))
            yield from (package for package in packages if _find_file(package))


@cache
def _find_file(module: str) -> Path | None:
    place = ROOT.joinpath("src", *module.split("."))
    found = (place.with_suffix(".py"), place / "__init__.py")
    return next((path for path in found if path.is_file()), None)
