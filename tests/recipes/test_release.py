"""What is released: the same bytes twice, pins of what a base installation has, and recipes that agree."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from recipes.release import PINS, build_once, compare_builds, hash_files, write_hashes
from tests.support.paths import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
PIN = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>\S+)(?P<rest>.*)$", re.MULTILINE)


def parse_bounds(lines: list[str]) -> dict[str, str]:
    found = (re.fullmatch(r"([A-Za-z0-9-]+)\s*>=\s*([0-9.]+)", line.strip()) for line in lines)
    return {match[1].lower(): match[2] for match in found if match}


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def test_every_base_requirement_is_pinned_with_hashes_at_a_version_that_it_allows() -> None:
    text = (ROOT / PINS).read_text(encoding="utf-8")
    pins = {match["name"]: match["version"] for match in PIN.finditer(text)}
    bounds = parse_bounds(PROJECT["dependencies"])
    assert len(bounds) == len(PROJECT["dependencies"])
    for name, bound in bounds.items():
        assert version(pins[name]) >= version(bound), name
    for block in re.split(r"\n(?=\S)", text.strip()):
        assert "--hash=sha256:" in block
    assert not pins.keys() & {"scipy", "torch", "highdicom"}
    assert "://" not in text


def test_the_conda_recipe_asks_for_what_the_wheel_asks_for() -> None:
    text = (ROOT / "packaging" / "conda-forge" / "recipe.yaml").read_text(encoding="utf-8")
    recipe = yaml.safe_load(text)
    lines = recipe["requirements"]["run"]
    assert parse_bounds(lines) == parse_bounds(PROJECT["dependencies"])
    assert len(lines) == len(PROJECT["dependencies"]) + 1  # Python
    assert recipe["context"] == {
        "version": PROJECT["version"],
        "python_min": PROJECT["requires-python"].removeprefix(">="),
    }
    made_by = parse_bounds(PYPROJECT["build-system"]["requires"])
    assert parse_bounds(recipe["requirements"]["host"]) == made_by
    commands = [f"{name} = {target}" for name, target in PROJECT["scripts"].items()]
    assert recipe["build"]["python"]["entry_points"] == commands
    assert recipe["about"]["license"] == PROJECT["license"]
    assert recipe["about"]["summary"] == PROJECT["description"]


def test_the_container_installs_pins_is_not_root_and_looks_after_itself() -> None:
    lines = (ROOT / "Containerfile").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines if line and not line.startswith((" ", "#"))]
    orders = [line[0] for line in words]
    assert ["USER", "gadoscope"] in words
    assert orders.index("USER") > max(index for index, order in enumerate(orders) if order == "RUN")
    (base,) = {line[1] for line in words if line[0] == "FROM"}  # by its whole name, which no list must know
    assert base.partition(":")[0] == "docker.io/library/python"
    assert any("--require-hashes" in line for line in lines)
    assert any(line.startswith("HEALTHCHECK") and '"doctor"' in line for line in lines)
    for line in words:
        if line[0] == "COPY" and not line[1].startswith("--from"):
            assert all((ROOT / name).exists() for name in line[1:-1]), line


def test_builds_that_differ_are_named(tmp_path: Path) -> None:
    for name, content in (("one", b"1"), ("other", b"2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.whl").write_bytes(content)
        (tmp_path / name / "same.tar.gz").write_bytes(b"0")
    with pytest.raises(SystemExit, match=r"differ in a\.whl\."):
        compare_builds(tmp_path / "one", tmp_path / "other")
    compare_builds(tmp_path / "one", tmp_path / "one")


def test_the_hashes_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"1")
    write_hashes(tmp_path)
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False
    )
    assert checked.returncode == 0


@pytest.mark.slow
def test_two_builds_of_one_commit_are_the_same_bytes(tmp_path: Path) -> None:
    """`test_builds_that_differ_are_named` is the quicker twin."""
    pytest.importorskip("build", reason="needs `build`, which the extra dev brings")
    if not (ROOT / ".git").exists():
        pytest.skip("needs a clone: a release is built of what git has committed")
    first, second = (build_once(tmp_path / name) for name in ("first", "second"))
    compare_builds(first, second)
    assert {Path(name).suffix for name in hash_files(first)} == {".whl", ".gz"}
