"""On Windows and macOS: what a system lacks is done without. Simulated here, never run there.

A child process hides what the other system has not (modules, functions of `os`, signals), says that it is the
other, imports all of ours and answers a slice. Paths are tried with the rules of Windows on names as we make
them. What this cannot show: file locks, consoles and antivirus programs of the real thing.
"""

import ast
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest

import gadoscope
from gadoscope import run_folder
from tests.support.syntax import iter_nodes, parse

SOURCE = Path(gadoscope.__file__).parent
NOT_ON_WINDOWS = {
    "modules": ["fcntl", "resource", "pwd", "grp", "termios", "posix", "syslog"],
    "functions": [
        "fork", "forkpty", "register_at_fork", "sched_getaffinity", "sched_setaffinity", "getuid", "geteuid",
        "getgid", "setsid", "killpg", "getpgid", "statvfs", "mkfifo", "nice", "O_NOFOLLOW", "O_NONBLOCK",
        "O_DIRECTORY", "O_CLOEXEC", "pread", "pwrite", "posix_fadvise", "sysconf", "uname", "WNOHANG",
    ],
    "signals": ["SIGHUP", "SIGKILL", "SIGXCPU", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGCHLD"],
}  # fmt: skip
NOT_ON_MACOS = {
    "modules": [],
    "functions": ["sched_getaffinity", "sched_setaffinity", "posix_fadvise"],
    "signals": ["SIGSTKFLT", "SIGPWR"],
}
# Libraries look at the platform as well and would load what is not here: they are loaded before it changes.
PROGRAM = """
import os, signal, sys
import captum.attr, h5py, lightning_fabric, matplotlib.pyplot, nibabel, onnx, onnxruntime, pandas, pyarrow
import pydicom, rich.console, rich.progress, scipy.stats, sklearn.ensemble, torch, imagecodecs, click.testing
import concurrent.futures.process, multiprocessing.util, asyncio, subprocess, tempfile, shutil, sqlite3

hidden, platform, ours = {hidden!r}, {platform!r}, {ours!r}
for name in hidden["modules"]:
    sys.modules[name] = None
for name in hidden["functions"]:
    vars(os).pop(name, None)
for name in hidden["signals"]:
    vars(signal).pop(name, None)
sys.platform = platform

from importlib import import_module
for name in ours:
    import_module(name)
from gadoscope.cli.main import main
sys.argv[1:] = ["classify", {slice!r}, "--model", {bundle!r}, "--jobs", "1", "--output", "answers.csv"]
main()
"""


def name_modules() -> list[str]:
    names = (path.relative_to(SOURCE.parent).with_suffix("").parts for path in SOURCE.rglob("*.py"))
    joined = (".".join(name).removesuffix(".__init__") for name in names)
    return sorted(name for name in joined if not name.endswith(("__main__", "decoder_process")))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("platform", "hidden"), [("win32", NOT_ON_WINDOWS), ("darwin", NOT_ON_MACOS)], ids=["win32", "darwin"]
)
def test_every_module_is_imported_and_a_slice_answered(
    tmp_path: Path, tiny_bundle: Path, platform: str, hidden: dict[str, list[str]]
) -> None:
    """`test_what_only_linux_has_is_asked_for_first` is the quicker twin."""
    from PIL import Image  # noqa: PLC0415 - only here

    Image.radial_gradient("L").save(tmp_path / "slice.png")
    program = PROGRAM.format(
        hidden=hidden, platform=platform, ours=name_modules(), slice="slice.png", bundle=str(tiny_bundle)
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "_CONTRAST" in (tmp_path / "answers.csv").read_text(encoding="utf-8")


def test_what_only_linux_has_is_asked_for_first() -> None:
    functions = {*NOT_ON_WINDOWS["functions"], *NOT_ON_WINDOWS["signals"], *NOT_ON_MACOS["functions"]}
    unasked = []
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in iter_nodes(parse(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                is_hidden = node.value.id in {"os", "signal"} and node.attr in functions
                asks = f'hasattr({node.value.id}, "{node.attr}")' in text or "HAS_LOCKS" in text
                if is_hidden and not asks:
                    unasked.append(f"{path.relative_to(SOURCE)}: {node.value.id}.{node.attr}")
    assert unasked == []


def test_modules_that_only_posix_has_are_never_imported_for_certain() -> None:
    for path in SOURCE.rglob("*.py"):
        for node in parse(path).body:  # of the module itself: neither in a function, a try nor an if
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not set(names) & set(NOT_ON_WINDOWS["modules"]), path


def test_every_file_of_a_run_has_a_name_that_windows_allows() -> None:
    names = {value for name, value in vars(run_folder).items() if name.endswith("_NAME")}
    assert len(names) > 5
    for name in names:
        assert not PureWindowsPath(name).is_reserved()
        assert not set(name) & set('<>:"/\\|?*')
        assert name == name.rstrip(". ")
