"""The extras: every library that the base lacks is known by its extra, and the hint is a command."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import gadoscope
from gadoscope import extras
from gadoscope.cli.main import COMMANDS
from gadoscope.extras import BASE, EXTRA_OF_MODULE, group_requirements, install_command
from gadoscope.labels import Phase
from tests.support.dicom_files import classic_series, rename_series, write_series
from tests.support.syntax import iter_nodes, parse

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
        for node in iter_nodes(parse(path)):
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


MISSING = """
import sys
from importlib.abc import MetaPathFinder

class Without(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Without())
from gadoscope.cli.main import main
main()
"""
TWO_COMMANDS = MISSING.replace(
    "\nmain()\n",
    """
for words in (
    "classify study --output answers.csv --jobs 1",
    "explain study/after --output explained.png",
):
    sys.argv[1:] = words.split()
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, words
""",
)
FORKING = """
import os, sys
from importlib.abc import MetaPathFinder
from pathlib import Path

folder, extras, missing = Path(sys.argv.pop(1)), set(sys.argv.pop(1).split(",")), None

class Fork(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        global missing
        library = name.partition(".")[0]
        if missing is None and library in extras:
            extras.remove(library)
            if child := os.fork():
                code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                (folder / f"{library}.code").write_text(str(code))
            else:
                missing = library
                os.dup2(os.open(folder / f"{library}.said", os.O_CREAT | os.O_WRONLY), 2)
        if library == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Fork())
from gadoscope.cli.main import main
main()
"""
"""Runs the command line; where a library of an extra is first looked for, found or not, a copy of the process
goes on without it, as one that never had it. So what is loaded before is loaded once for all of them.
"""

EXTRA_COMMANDS = {
    "audit": ["audit", "slices"],
    "evaluate": ["evaluate", "default", "--data", "slices", "--output", "report"],
    "train": ["train", "lesson", "--data", "slices", "--output", "run"],
    "import-keras": ["import-keras", "old.h5"],
    "classify": ["classify", "slices", "--output", "r.parquet"],
}
"""Commands that need an extra, or part of one."""


OF_OTHER_COMMANDS = {"pyarrow": "classify", "h5py": "import-keras"}
"""Libraries that another command than `evaluate` cannot do without."""
Ends = dict[str, tuple[int, str]]
"""By library: the exit code and the standard error of a command that misses it."""


@pytest.fixture(scope="module")
def evaluations(tmp_path_factory: pytest.TempPathFactory) -> Ends:
    """Return how `evaluate` ends without each library of an extra that it looks for, up to an error."""
    if not hasattr(os, "fork"):
        pytest.skip("needs a system that copies a process")
    folder = tmp_path_factory.mktemp("looked")
    libraries = EXTRA_OF_MODULE.keys() - OF_OTHER_COMMANDS.keys()
    ended = subprocess.run(
        [sys.executable, "-c", FORKING, folder, ",".join(libraries), *EXTRA_COMMANDS["evaluate"]],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.startswith("Error: ")
    codes = {path.stem: int(path.read_text()) for path in folder.glob("*.code")}
    return {name: (code, (folder / f"{name}.said").read_text()) for name, code in codes.items()}


def test_evaluate_looks_for_some_libraries_of_its_extra_and_never_for_torch(evaluations: Ends) -> None:
    assert "matplotlib" in evaluations
    assert "torch" not in evaluations


@pytest.mark.parametrize("module", sorted(EXTRA_OF_MODULE))
def test_without_a_library_of_an_extra_a_command_works_or_says_in_one_sentence_what_to_install(
    tmp_path: Path, module: str, evaluations: Ends
) -> None:
    if command := OF_OTHER_COMMANDS.get(module):
        words = [sys.executable, "-c", MISSING.format(missing={module}), *EXTRA_COMMANDS[command]]
        ended = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        code, said = ended.returncode, ended.stderr
    elif module in evaluations:
        code, said = evaluations[module]
    else:
        return  # nothing asks for it, so nothing can miss it: `evaluations` saw the command to its own error
    assert code in {1, 2}
    assert "Traceback" not in said
    assert said.count("Error: ") == 1
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", ["audit", "evaluate", "train", "import-keras"])
def test_without_the_extra_each_command_of_it_says_in_one_sentence_what_to_install(
    tmp_path: Path, command: str
) -> None:
    missing = {module for module, extra in EXTRA_OF_MODULE.items() if extra == "train"}
    ended = subprocess.run(
        [sys.executable, "-c", MISSING.format(missing=missing), *EXTRA_COMMANDS[command]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert re.fullmatch(
        rf"Error: this command needs \S+, which is not installed: {re.escape(install_command('train'))}\n",
        ended.stderr,
    ), ended.stderr
    assert not list(tmp_path.iterdir())


def test_the_base_alone_answers_a_study_and_explains_a_series(tmp_path: Path) -> None:
    """Without scipy and highdicom, which the two once needed, and without every extra."""
    before, after = (classic_series(phase) for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST))
    for name, datasets in (("before", before), ("after", rename_series(after, "after"))):
        write_series(datasets, tmp_path / "study" / name)
    program = TWO_COMMANDS.format(missing=EXTRA_OF_MODULE.keys() | {"highdicom"})
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "answered 2" in ended.stderr
    assert (tmp_path / "answers.csv").read_text().count("_CONTRAST") == 2
    assert (tmp_path / "explained.png").stat().st_size


def test_a_phantom_needs_the_smallest_extra_that_has_what_it_needs(tmp_path: Path) -> None:
    program = MISSING.format(missing={"scipy"})
    ended = subprocess.run(
        [sys.executable, "-c", program, "phantom", "heads"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    sentence = f"Error: a phantom needs scipy, which is not installed: {install_command('phantom')}\n"
    assert (ended.returncode, ended.stderr) == (2, sentence)


def test_every_command_is_looked_at() -> None:
    base = {"doctor", "phantom", "explain"}
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
