"""Workers and schedulers that die cost nothing but time; a file that kills whoever reads it costs its row."""

import faulthandler
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from gadoscope.classification.options import RunOptions
from gadoscope.classification.run import answer_inputs, iter_results
from gadoscope.cluster import checks, connect, flight, tasks
from gadoscope.cluster.engine import DaskEngine
from gadoscope.errors import ClusterError, UsageError
from gadoscope.inference.session import Session
from gadoscope.labels import Phase, SeriesResult
from gadoscope.reading.decoding import apart
from gadoscope.reading.discover import iter_inputs
from tests.classification.test_crashes import APART, CRASHING_SIZE
from tests.support.commands import run_command
from tests.support.dask_processes import dask_cluster
from tests.support.dicom_files import classic_series, rename_study, write_series

N_SLICES = 12
POISON = "05b.png"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return slices and a study of two series."""
    folder = tmp_path / "archive"
    for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST):
        write_series(rename_study(classic_series(phase, name=phase), "study"), folder / "study" / phase)
    for number in range(N_SLICES):
        write_picture(folder / f"{number:02d}.png", (48, 48), number)
    return folder


def write_picture(path: Path, size: tuple[int, int], seed: int) -> None:
    Image.fromarray(np.random.default_rng(seed).integers(0, 250, size[::-1], dtype=np.uint8)).save(path)


def classify(
    bundle: Path, address: str, path: Path, watch: Callable[[Any], None] | None = None
) -> list[SeriesResult]:
    options = RunOptions(engine=DaskEngine(address), watch=watch)
    return list(answer_inputs(iter_inputs([path]), Session(bundle), options=options))


def die_once(marker: Path, name: str) -> Callable[[], None]:
    """Return what makes the first worker that calls this function of `tasks` die in it."""

    def prepare() -> None:
        whole = getattr(tasks, name)

        def die(*given: Any) -> Any:
            if not marker.exists():
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return whole(*given)

        vars(tasks)[name] = die

    return prepare


def test_workers_killed_in_the_middle_of_their_work_lose_nothing(
    archive: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    plain = list(iter_results([archive], model=tiny_bundle, jobs=1))
    deaths = (die_once(tmp_path / "answering", "answer_study"), die_once(tmp_path / "looking", "scan_group"))

    def die() -> None:
        for death in deaths:
            death()

    with dask_cluster(tmp_path / "dask") as cluster:
        for _ in range(2):  # whichever of them is given the work
            cluster.keep_worker(die)
        assert classify(tiny_bundle, cluster.address, archive) == plain
    assert (tmp_path / "answering").exists()
    assert (tmp_path / "looking").exists()


def test_a_worker_that_dies_while_it_is_asked_whether_it_can_work_is_asked_again_in_its_place(
    archive: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    plain = list(iter_results([archive], model=tiny_bundle, jobs=1))
    with dask_cluster(tmp_path / "dask") as cluster:
        for _ in range(2):  # whichever of them is asked first
            cluster.keep_worker(die_once(tmp_path / "check_worker", "check_worker"))
        assert classify(tiny_bundle, cluster.address, archive) == plain
    assert (tmp_path / "check_worker").exists()


def kill_whoever_reads_it() -> None:
    """Make a file and a series deadly, and another picture for decoders of whatever process."""
    scan_group, answer_study = vars(tasks)["scan_group"], vars(tasks)["answer_study"]
    load = ImageFile.ImageFile.load
    faulthandler.disable()  # the crash is meant

    def scan(group: Any) -> Any:
        if any(found.source.name == POISON for found in group):
            os.kill(os.getpid(), signal.SIGKILL)
        return scan_group(group)

    def answer(task: Any, *more: Any) -> Any:
        if task.only != 0 and 1 not in task.known:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer_study(task, *more)

    def crash(image: ImageFile.ImageFile) -> Any:
        if image.size == CRASHING_SIZE:
            os.kill(os.getpid(), signal.SIGSEGV)
        return load(image)

    vars(tasks).update(scan_group=scan, answer_study=answer)
    ImageFile.ImageFile.load = crash  # type: ignore[method-assign,assignment]  # in a copy
    vars(apart)["COMMAND"] = ("-c", APART)


def test_what_kills_its_worker_each_time_fails_alone(
    archive: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    """A file, one of the two series of a study, and a picture whose decoder crashes; all else is as ever."""
    write_picture(archive / POISON, (48, 48), 50)
    write_picture(archive / "07b.png", CRASHING_SIZE, 51)
    plain = {row.path: row for row in iter_results([archive], model=tiny_bundle, jobs=1, series_alone=True)}
    with dask_cluster(tmp_path / "dask") as cluster:
        for _ in range(2):
            cluster.keep_worker(kill_whoever_reads_it)
        rows = classify(tiny_bundle, cluster.address, archive)
    assert [row.path for row in rows] == list(plain)
    reasons = {Path(row.path).name: row.reason.partition(":")[0] for row in rows if row != plain[row.path]}
    second = Path(rows[-1].path).name
    assert reasons == {POISON: "worker_died", "07b.png": "decoder_crashed", second: "worker_died"}


def test_after_the_scheduler_was_killed_the_same_command_goes_on(
    archive: Path, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flight, "ASK_S", 0.3)
    monkeypatch.setattr(connect, "CONNECT_S", 2.0)  # and to reconnect, in vain
    table = tmp_path / "table.csv"
    words = ("classify", archive, "--model", tiny_bundle, "--output", table, "--resume")
    with dask_cluster(tmp_path / "first") as cluster:
        cluster.start_worker()

        def kill(progress: Any) -> None:
            if progress.n_instances:  # before any series is answered
                cluster.scheduler.kill()

        with pytest.raises(
            ClusterError, match=r"the scheduler of the cluster is gone\. What was answered stands in"
        ):
            classify(tiny_bundle, cluster.address, archive, kill)
    with dask_cluster(tmp_path / "second") as cluster:
        cluster.start_worker()
        assert run_command(*words, "--scheduler", cluster.address).returncode == 0
    again = table.read_text()
    assert run_command("classify", archive, "--model", tiny_bundle, "--output", table).returncode == 0
    assert table.read_text() == again


def test_workers_that_never_live_to_say_whether_they_can_work_end_the_run_in_a_sentence(
    archive: Path, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "TIMES_ASKED", 1)
    monkeypatch.setattr(checks, "WORKERS_S", 0.1)

    def die_each_time() -> None:
        vars(tasks)["check_worker"] = lambda *_: os.kill(os.getpid(), signal.SIGKILL)

    with dask_cluster(tmp_path / "dask") as cluster:
        cluster.keep_worker(die_each_time)
        with pytest.raises(
            UsageError, match=r"each worker of the cluster ended while it was asked .* 1 times"
        ):
            classify(tiny_bundle, cluster.address, archive)


def test_a_scheduler_that_is_killed_while_workers_are_asked_is_gone_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "CONNECT_S", 1.0)
    with dask_cluster(tmp_path / "dask") as cluster:
        cluster.start_worker()
        with connect.open_client(cluster.address, 0) as client:
            cluster.scheduler.kill()
            with pytest.raises(ClusterError, match="the scheduler of the cluster is gone"):
                checks.check_path(client, tmp_path)
