"""Shared by all tests: the shared real data where there is any, and a bundle that needs no training."""

import gc
import os
import re
import signal
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.duration import tell_duration
from tests.support.memory_folder import use_memory
from tests.support.paths import SHARED
from tests.support.remembered_noise import ROOM, remember_noise
from tests.support.shapes import install_shape_checks
from tests.support.workers import make_scheduler, put_longest_first

if TYPE_CHECKING:
    from gadoscope.preparation.items import Manifest

OBJECTS_BETWEEN_SEARCHES = 10_000
"""Of garbage, while tests run. The 700 that Python takes by itself cost a twentieth of the whole run."""

LONGEST_NAME = 30
"""Of a test, in the name of its folder: as pytest has it."""
_numbers = count()

use_memory()  # before the first temporary folder
install_shape_checks()  # before the first test module loads what is checked

# Bytecode is kept, whatever the environment says: tests start hundreds of processes, and each would compile
# the package anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_configure() -> None:
    """Let programs that tests start hear signals, also where the tests themselves run under nohup."""
    for name, handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Search no garbage among the modules and tests that are collected, then or later: all of them stay.

    They are more than a million objects. A search through them takes long, and there is none to find.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(OBJECTS_BETWEEN_SEARCHES)
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    put_longest_first(items)


def pytest_collection_finish() -> None:
    """Let tests that scan the same person share what shapes the head."""
    remember_noise()


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keep together what is made once."""
    return make_scheduler(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how long it took, and how long the whole may take."""
    tell_duration(terminalreporter)


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the test's own, with no other beside it.

    Those of pytest lie side by side by the thousand: to number one it looks through all of them, and so do
    we, who look for an audit beside the data.
    """
    name = re.sub(r"\W", "_", request.node.name)[:LONGEST_NAME]
    folder = tmp_path_factory.mktemp(str(next(_numbers)), numbered=False) / name
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real images, or skip: it never travels with the repository."""
    if not (SHARED / "data" / "manifest.csv").exists():
        pytest.skip("needs the real images in ../shared/data, which are not in the repository")
    return SHARED


@pytest.fixture(scope="session")
def real_manifest(shared: Path) -> "Manifest":
    """Return the table of the real images, which takes a second to read, or skip."""
    from gadoscope.preparation.manifest import read_manifest  # noqa: PLC0415 — most tests need none

    return read_manifest(shared / "data")


@pytest.fixture
def lasting_decoders(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the processes that decode outlive a run, for tests of many runs: to start one takes longest.

    That they end with a run is claimed in tests/reading/decoding.
    """
    from gadoscope.reading.decoding import apart  # noqa: PLC0415 — most tests need none

    close = apart.close_decoders
    monkeypatch.setattr(apart, "close_decoders", lambda: None)
    yield
    close()


@pytest.fixture
def noise_drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw what shapes a head for each head, as users do: for claims that the same is drawn twice."""
    from gadoscope.phantom.head.noise import Noise  # noqa: PLC0415 — most tests need no head

    monkeypatch.setattr(f"{ROOM}.Noise", Noise)


@pytest.fixture
def tiny_bundle(tmp_path: Path) -> Path:
    """Return a valid bundle whose logit is the mean brightness: brighter than half is post-contrast."""
    from tests.support.bundles import write_tiny_bundle  # noqa: PLC0415 — most tests need no onnx

    return write_tiny_bundle(tmp_path / "tiny-bundle" / "tiny.onnx")
