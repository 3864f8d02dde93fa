"""What the house promises of its files: short ones, and nothing that tests alone call."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs import house
from tests.support.paths import ROOT

MOST_LINES = 400
USERS = (house.PACKAGE, ROOT / "benchmarks", ROOT / "recipes")

Name = tuple[str, str]
"""Module, and what is defined in it."""


def test_no_file_is_longer_than_a_reader_holds_in_mind() -> None:
    lines = {path.name: path.read_text(encoding="utf-8").count("\n") for path in house.PACKAGE.rglob("*.py")}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_what_tests_alone_call_lies_beside_the_tests() -> None:
    trees = {
        path: ast.parse(path.read_text(encoding="utf-8")) for folder in USERS for path in folder.rglob("*.py")
    }
    imported = {name for tree in trees.values() for name in iter_imports(tree)}
    defined = {
        name
        for path, tree in trees.items()
        if path.is_relative_to(house.PACKAGE) and path.name != "__init__.py"
        for name in iter_unused(name_module(path), tree)
    }
    assert defined - imported == set()


def name_module(path: Path) -> str:
    return ".".join(path.relative_to(house.PACKAGE.parent).with_suffix("").parts)


def iter_imports(tree: ast.Module) -> Iterator[Name]:
    """Yield what a file imports, and what it takes from modules that it imports."""
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.module, alias.name
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr


def iter_unused(module: str, tree: ast.Module) -> Iterator[Name]:
    """Yield what a file defines and does not use itself; commands are called by the command line."""
    for statement in tree.body:
        rest = [other for other in tree.body if other is not statement]
        used = {node.id for other in rest for node in ast.walk(other) if isinstance(node, ast.Name)}
        quoted = " ".join(
            node.value
            for other in rest
            for node in ast.walk(other)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
        for name in list_names(statement):
            is_quoted = re.search(rf"\b{name}\b", quoted) is not None  # a type, or what is found by its name
            if name not in used and not is_quoted and not name.startswith("__"):
                yield module, name


def list_names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        is_command = any("command" in ast.unparse(decorator) for decorator in statement.decorator_list)
        return [] if is_command else [statement.name]
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    return []
