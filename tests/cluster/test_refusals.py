"""What is wrong with a cluster is one sentence, before any work is sent."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gadoscope.classification.options import RunOptions
from gadoscope.classification.run import answer_inputs
from gadoscope.cluster import connect, tasks
from gadoscope.cluster.engine import DaskEngine
from gadoscope.errors import UsageError
from gadoscope.inference.session import Session
from gadoscope.reading.discover import iter_inputs
from tests.support.bundles import with_band, write_tiny_bundle
from tests.support.commands import run_command
from tests.support.dask_processes import DaskCluster, dask_cluster
from tests.support.slices import write_slice

HERE = Path("/proc/self/cwd")
"""A path that is another place for each process, as one of a disk that is not mounted everywhere."""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Yield a cluster whose worker runs in a folder of its own, with another bundle of one name."""
    if not HERE.exists():
        pytest.skip("needs /proc")
    folder = tmp_path_factory.mktemp("elsewhere")
    write_tiny_bundle(folder / "tiny.onnx", with_band(0.2, 0.8))
    with dask_cluster(folder / "dask") as cluster:
        cluster.start_worker(lambda: os.chdir(folder))
        yield cluster


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_slice(tmp_path / "slices" / "a.png")
    write_tiny_bundle(tmp_path / "tiny.onnx", with_band(0.3, 0.7))
    write_tiny_bundle(tmp_path / "own.onnx", with_band(0.4, 0.6))
    monkeypatch.chdir(tmp_path)


def classify(cluster: DaskCluster, model: Path, paths: list[Path]) -> None:
    options = RunOptions(engine=DaskEngine(cluster.address))
    list(answer_inputs(iter_inputs(paths), Session(model), options=options))


def test_a_path_that_workers_do_not_see_is_named_with_the_worker(
    elsewhere: DaskCluster, tiny_bundle: Path
) -> None:
    with pytest.raises(
        UsageError, match=r"the worker tcp://\S+ does not see /proc/self/cwd/slices/a.png \(it r"
    ):
        classify(elsewhere, tiny_bundle, [HERE / "slices"])


def test_paths_from_the_root_beside_relative_ones_are_refused(
    elsewhere: DaskCluster, tiny_bundle: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="name all paths from the root, or all from the current folder"):
        classify(elsewhere, tiny_bundle, [tmp_path / "slices", Path("slices")])


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("tiny", r"its bundle /proc/self/cwd/tiny.onnx has the SHA-256 \w{8}..., and that of this run \w{8}"),
        ("own", "there is no bundle /proc/self/cwd/own.onnx"),
    ],
)
def test_a_worker_with_another_bundle_or_without_it_is_named(
    elsewhere: DaskCluster, name: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=rf"the worker tcp://\S+ cannot work for this run: {why}"):
        classify(elsewhere, HERE / f"{name}.onnx", [tmp_path / "slices"])


def test_a_worker_of_another_gadoscope_is_named(tmp_path: Path, tiny_bundle: Path) -> None:
    def age() -> None:
        vars(tasks)["__version__"] = "0.0.1"

    with dask_cluster(tmp_path / "dask") as cluster:
        cluster.start_worker(age)
        said = r"the worker tcp://\S+ cannot work for this run: it has Gadoscope 0\.0\.1 \(answers"
        with pytest.raises(UsageError, match=said):
            classify(cluster, tiny_bundle, [tmp_path / "slices"])


def test_a_scheduler_without_workers_is_waited_for_and_then_told(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "WORKERS_S", 0.2)
    with (
        dask_cluster(tmp_path / "dask") as cluster,
        pytest.raises(
            UsageError, match=r"has no worker, and none came within 0 s; start some with `dask worker"
        ),
    ):
        classify(cluster, tiny_bundle, [tmp_path / "slices"])


@pytest.mark.parametrize(
    "address", ["host", "host:8786", "tcp://host", "tcp://host:x", "http://host:8786", ""]
)
def test_an_address_with_a_typo_is_a_sentence(address: str) -> None:
    ended = run_command("classify", "slices", "--model", "tiny.onnx", "--scheduler", address)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"Error: {address!r} is no address of a Dask scheduler; it looks like tcp://host:8786, as "
        "`dask scheduler` prints it.\n"
    )


def test_an_address_where_nobody_listens_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tiny_bundle: Path
) -> None:
    monkeypatch.setattr(connect, "CONNECT_S", 0.2)
    ended = run_command("classify", "slices", "--model", "tiny.onnx", "--scheduler", "tcp://127.0.0.1:9")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: no Dask scheduler answers at tcp://127.0.0.1:9; check the address")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--workers", "2", "--scheduler", "tcp://h:1"), "name one of them"),
        (("--workers", "2", "--jobs", "2"), "--jobs is for a run without a cluster"),
    ],
)
def test_one_engine_is_enough(words: tuple[str, ...], said: str) -> None:
    ended = run_command("classify", "slices", "--model", "tiny.onnx", *words)
    assert ended.returncode == 2
    assert said in ended.stderr
