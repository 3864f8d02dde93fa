"""The extras: every library that the base lacks is known by its extra, and the hint is a command."""

import ast
import json
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import pytest

import gadoscope
from gadoscope import extras
from gadoscope.cli.main import COMMANDS
from gadoscope.extras import (
    BASE,
    DEVELOPMENT,
    EXTRA_OF_MODULE,
    MODULES_OF_EXTRA,
    group_requirements,
    install_command,
)
from gadoscope.labels import Phase
from tests.support.commands import run_command
from tests.support.dicom_files import classic_series, rename_series, write_series
from tests.support.syntax import iter_statements, list_imports, parse

SOURCE = Path(gadoscope.__file__).parent
ROOT = SOURCE.parents[1]
MODULE_OF = {"pillow": "PIL", "scikit-learn": "sklearn", "lightning-fabric": "lightning_fabric"}
"""Where the name that is imported is not that of the package."""


def names_of(group: str) -> set[str]:
    found = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in group_requirements()[group])
    names = {match[0].lower() for match in found if match}
    return {MODULE_OF.get(name, name.replace("-", "_")) for name in names}


def iter_imports() -> set[tuple[str, str]]:
    """Return every top-level module that a file of ours imports, with the file."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in iter_statements(parse(path)):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names = [node.module]
            found |= {(name.partition(".")[0], str(path.relative_to(SOURCE))) for name in names}
    return found


def test_every_import_is_of_the_base_or_known_by_its_extra() -> None:
    base = names_of(BASE) | set(sys.stdlib_module_names) | {"gadoscope"}
    unknown = {(name, path) for name, path in iter_imports() if name not in base | EXTRA_OF_MODULE.keys()}
    assert not unknown, "main.py would show a traceback where that is missing"


def test_what_an_extra_brings_is_known_by_that_extra() -> None:
    for extra in ("train", "parquet"):
        assert names_of(extra) <= {module for module, of in EXTRA_OF_MODULE.items() if of == extra}


def test_every_extra_of_a_user_is_in_the_one_table_and_can_be_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert MODULES_OF_EXTRA.keys() == project["optional-dependencies"].keys() - DEVELOPMENT
    for extra in MODULES_OF_EXTRA:
        gadoscope.check_extra(extra)  # where tests run, all are installed


WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Without(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Without())
"""
"""Begins a program that lacks some libraries."""
ONE_COMMAND = "from gadoscope.cli.main import main\nmain()"
COMMANDS_AND_FUNCTIONS = """
import contextlib, io, json
from gadoscope.cli.main import main

ends = {{}}
for name, words in {commands}.items():
    sys.argv, said = ["gadoscope", *words], io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as ended:
            ends[name] = ended.code, said.getvalue()

import gadoscope as gs
calls = {{
    "train": lambda: gs.train("c.toml", data="d", output="o"),
    "repeat": lambda: gs.repeat("c.toml", data="d", output="o", seeds=2),
    "cross_validate": lambda: gs.cross_validate("c.toml", data="d", output="o", folds=2),
    "tune": lambda: gs.tune("c.toml", space={{}}, data="d", output="o", trials=2),
    "evaluate": lambda: gs.evaluate("default", data="d", output="o"),
    "audit": lambda: gs.audit("d"),
    "check_extra": lambda: gs.check_extra("train"),
    "explain": lambda: gs.explain("default", "a.png"),
    "to_dataframe": lambda: gs.to_dataframe([]),
    "import_keras": lambda: gs.import_keras("a.h5"),
}}
refused = {{}}
for name, call in calls.items():
    try:
        call()
    except gs.UsageError as error:
        refused[name] = str(error)
    else:
        refused[name] = ""
gs.Classifier().close()
print(json.dumps({{"commands": ends, "functions": refused, "well": gs.doctor()["model"]["answers"]}}))
"""
"""Runs commands, then functions, in one process: what a base installation has takes longest to load."""

EXTRA_COMMANDS = {
    "audit": ["audit", "slices"],
    "evaluate": ["evaluate", "default", "--data", "slices", "--output", "report"],
    "train": ["train", "lesson", "--data", "slices", "--output", "run"],
    "tune": ["tune", "lesson", "--space", "space.toml", "--data", "slices", "--output", "run"],
    "import-keras": ["import-keras", "old.h5"],
    "classify": ["classify", "slices", "--output", "r.parquet"],
    "results": ["results", "answers.db"],
    "serve": ["serve", "answers.db"],
    "access": ["access", "access.json"],
}
"""Commands that need an extra, or part of one."""
BASE_COMMANDS = {
    "a study": ["classify", "study", "--output", "answers.csv", "--jobs", "1"],
    "a series": ["explain", "study/after", "--output", "explained.png"],
    "a phantom": ["phantom", "heads"],
}
"""What the base does alone, and what needs a smaller extra than others."""
OF_OTHER_COMMANDS = {"pyarrow": "classify", "h5py": "import-keras", "optuna": "tune"}
"""Libraries that another command than `evaluate` cannot do without."""


@pytest.fixture(scope="module")
def without_extras(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return how commands and functions end, and what works, where no library of any extra is.

    Nor highdicom, which the base once needed.
    """
    folder = tmp_path_factory.mktemp("without")
    before, after = (classic_series(phase) for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST))
    for name, datasets in (("before", before), ("after", rename_series(after, "after"))):
        write_series(datasets, folder / "study" / name)
    program = WITHOUT + COMMANDS_AND_FUNCTIONS
    missing, commands = EXTRA_OF_MODULE.keys() | {"highdicom"}, EXTRA_COMMANDS | BASE_COMMANDS
    words = program.format(missing=set(missing), commands=commands)
    ended = subprocess.run(
        [sys.executable, "-c", words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    written = {path.name for path in folder.iterdir()}
    assert written == {"study", "answers.csv", "answers.csv.journal", "explained.png"}
    said: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return said | {"folder": folder}


@pytest.mark.parametrize("command", ["audit", "evaluate", "train", "tune", "import-keras"])
def test_without_the_extra_each_command_of_it_says_in_one_sentence_what_to_install(
    command: str, without_extras: dict[str, Any]
) -> None:
    code, said = without_extras["commands"][command]
    assert code == 2
    assert re.fullmatch(
        rf"Error: this command needs \S+, which is not installed: {re.escape(install_command('train'))}\n",
        said,
    ), said


def test_without_an_extra_each_function_says_which_command_brings_it(without_extras: dict[str, Any]) -> None:
    assert len(without_extras["functions"]) == 10
    for name, said in without_extras["functions"].items():
        assert "which is not installed" in said, name
        assert "pip" in said, name


def test_the_base_alone_answers_a_study_and_explains_a_series(without_extras: dict[str, Any]) -> None:
    ends, folder = without_extras["commands"], without_extras["folder"]
    assert not ends["a study"][0]
    assert "answered 2" in ends["a study"][1]
    assert (folder / "answers.csv").read_text().count("_CONTRAST") == 2
    assert not ends["a series"][0]
    assert (folder / "explained.png").stat().st_size
    assert without_extras["well"]


def test_a_phantom_needs_the_smallest_extra_that_has_what_it_needs(without_extras: dict[str, Any]) -> None:
    sentence = f"Error: a phantom needs scipy, which is not installed: {install_command('phantom')}\n"
    assert without_extras["commands"]["a phantom"] == [2, sentence]
    assert names_of("phantom") == {"scipy"}
    needed = list_imports("gadoscope.phantom.forms.write")
    assert needed & EXTRA_OF_MODULE.keys() == {"scipy"}


@pytest.mark.parametrize("module", sorted(EXTRA_OF_MODULE))
def test_whichever_library_of_an_extra_is_missing_and_wherever_one_sentence_says_what_to_install(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gadoscope.api.runs.audit", lambda *_, **__: import_module(module))
    monkeypatch.setitem(sys.modules, module, None)  # Python then says that there is none
    ended = run_command("audit", tmp_path)
    command = install_command(EXTRA_OF_MODULE[module])
    said = f"Error: this command needs {module}, which is not installed: {command}\n"
    assert (ended.returncode, ended.stderr) == (2, said)


@pytest.mark.slow
@pytest.mark.parametrize("module", sorted(EXTRA_OF_MODULE))
def test_without_a_library_of_an_extra_a_command_works_or_says_in_one_sentence_what_to_install(
    tmp_path: Path, module: str
) -> None:
    """Its twins are those before: without all of them at once, and one missing wherever it is asked for."""
    words = EXTRA_COMMANDS[OF_OTHER_COMMANDS.get(module, "evaluate")]
    program = WITHOUT.format(missing={module}) + ONE_COMMAND
    ended = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode in {1, 2}
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("Error: ") == 1
    assert ended.stderr.count("\n") == 1


def test_every_command_is_looked_at() -> None:
    base = {"doctor", "phantom", "explain", "notebook", "prepare", "runs"}
    assert EXTRA_COMMANDS.keys() | base == set(COMMANDS)


def test_from_a_clone_the_clone_is_installed_with_the_extra() -> None:
    assert install_command("train").endswith(f"install --editable {shlex.quote(f'{ROOT}[train]')}")
    assert install_command().endswith(f"install --editable {shlex.quote(str(ROOT))}")


@pytest.fixture
def site_packages(tmp_path: Path) -> Path:
    """Return a copy of the module as it lies in an installation, with pip's notes."""
    folder = tmp_path / "site packages"
    package = folder / "gadoscope"
    package.mkdir(parents=True)
    for name in ("__init__.py", "version.py", "extras.py"):
        (package / name).write_text((SOURCE / name).read_text(encoding="utf-8"), encoding="utf-8")
    info = folder / "gadoscope-0.1.0.dist-info"
    info.mkdir()
    noted = metadata.metadata("gadoscope")
    lines = [f"Requires-Dist: {line}" for line in noted.get_all("Requires-Dist") or []]
    lines = ["Metadata-Version: 2.4", "Name: gadoscope", "Version: 0.1.0", *lines]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    return folder


def ask(site_packages: Path) -> list[str]:
    """Return the words of the command that the copy gives."""
    script = "from gadoscope.extras import install_command; print(install_command('parquet'))"
    environment = {"PYTHONPATH": str(site_packages)}
    command = [sys.executable, "-S", "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    words = shlex.split(ended.stdout)
    return words[words.index("install") + 1 :]


def note_origin(site_packages: Path, origin: Path) -> None:
    noted = {"url": origin.as_uri(), "archive_info": {}}
    (site_packages / "gadoscope-0.1.0.dist-info" / "direct_url.json").write_text(json.dumps(noted))


def test_from_a_wheel_the_wheel_is_installed_with_the_extra(tmp_path: Path, site_packages: Path) -> None:
    wheel = tmp_path / "my wheels" / "gadoscope-0.1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    zipfile.ZipFile(wheel, "w").close()
    note_origin(site_packages, wheel)
    assert ask(site_packages) == [f"{wheel}[parquet]"]


@pytest.mark.parametrize("is_noted", [False, True])
def test_where_the_wheel_is_gone_or_unknown_the_libraries_are_named(
    tmp_path: Path, site_packages: Path, is_noted: bool
) -> None:
    if is_noted:
        note_origin(site_packages, tmp_path / "gone.whl")
    assert ask(site_packages) == ["pyarrow>=18"]


def test_the_pip_of_this_python_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    expected = "pip" if (Path(sys.executable).parent / "pip").exists() else f"{sys.executable} -m pip"
    assert install_command("train").startswith(f"{expected} install ")
    monkeypatch.setenv("PATH", "/nowhere")
    assert extras.install_command("train").startswith(f"{shlex.quote(sys.executable)} -m pip install ")
