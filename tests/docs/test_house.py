"""What the house promises of its files: short ones, and nothing that tests alone call."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.docs import house
from tests.support.paths import ROOT
from tests.support.syntax import iter_nodes, parse

MOST_LINES = 400
MIGRATIONS = house.PACKAGE / "results" / "store" / "migrations" / "versions"
"""Alembic calls what stands there, by its names."""
CALLED = re.compile(r"command|^router\.")
"""Decorates what the command line calls, or who asks the server for its address."""
USERS = (house.PACKAGE, ROOT / "benchmarks", ROOT / "recipes")

Name = tuple[str, str]
"""Module, and what is defined in it."""
File = list[tuple[ast.stmt, list[ast.AST]]]
"""Each statement of a file, and all nodes of it, itself among them."""


def test_no_file_is_longer_than_a_reader_holds_in_mind() -> None:
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in house.PACKAGE.rglob("*.py")}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_what_tests_alone_call_lies_beside_the_tests() -> None:
    files = {path: list_nodes(parse(path)) for folder in USERS for path in folder.rglob("*.py")}
    imported = {name for file in files.values() for name in iter_imports(file)}
    defined = {
        name
        for path, file in files.items()
        if path.is_relative_to(house.PACKAGE) and path.name != "__init__.py" and path.parent != MIGRATIONS
        for name in iter_unused(name_module(path), file)
    }
    assert defined - imported == set()


@pytest.mark.parametrize(
    ("text", "unused"),
    [
        ("def a(): pass", {"a"}),
        ("def a(): a()", {"a"}),
        ("def a(): pass\nb = a", {"b"}),
        ("def a(): pass\nclass B: x: 'list[a]'", {"B"}),
        ("@click.command()\ndef a(): pass", set()),
        ("@router.get('/a')\ndef a(): pass", set()),
        ("__all__ = ()", set()),
    ],
)
def test_what_a_file_uses_itself_is_known(text: str, unused: set[str]) -> None:
    assert {name for _, name in iter_unused("m", list_nodes(ast.parse(text)))} == unused


def name_module(path: Path) -> str:
    return ".".join(path.relative_to(house.PACKAGE.parent).with_suffix("").parts)


def list_nodes(tree: ast.Module) -> File:
    return [(statement, list(iter_nodes(statement))) for statement in tree.body]


def iter_imports(file: File) -> Iterator[Name]:
    """Yield what a file imports, and what it takes from modules that it imports."""
    nodes = [node for _, below in file for node in below]
    modules = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.module, alias.name
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr


def iter_unused(module: str, file: File) -> Iterator[Name]:
    """Yield what a file defines and does not use itself; the command line calls commands, and so on."""
    seen = [set(iter_words(below)) for _, below in file]
    users = Counter(word for words in seen for word in words)
    for (statement, _), own in zip(file, seen, strict=True):
        for name in list_names(statement):
            if users[name] == (name in own) and not name.startswith("__"):
                yield module, name


def iter_words(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the names that a statement uses, and the words that it quotes: types, say."""
    for node in nodes:
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"\w+", node.value)


def list_names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        is_called = any(CALLED.search(ast.unparse(decorator)) for decorator in statement.decorator_list)
        return [] if is_called else [statement.name]
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    return []
