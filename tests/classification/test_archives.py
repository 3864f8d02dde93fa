"""Archives: series out of zips, media and many folders; in processes and threads; while files vanish."""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from gadoscope.classification import local, run
from gadoscope.classification.options import Progress
from gadoscope.classification.run import iter_results
from gadoscope.classification.study import tasks
from gadoscope.labels import Phase, SeriesResult, Status
from gadoscope.reading.archives import zips
from gadoscope.scans import instances
from tests.support.bundles import write_tiny_bundle
from tests.support.copies import start_with_files
from tests.support.dicom_files import classic_series, rename_study, set_instance_uid, write_series

PRE, POST = Phase.PRE_CONTRAST, Phase.POST_CONTRAST


def classify(model: Path, *paths: Path, jobs: int = 2) -> list[SeriesResult]:
    return list(iter_results(paths, model=model, jobs=jobs))


def write_png(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 250, (40, 40), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return two tasks whose series lie across each other, with slices and words among them."""
    folder = tmp_path_factory.mktemp("archive")
    for number in range(2):
        for phase in (POST, PRE):
            datasets = rename_study(classic_series(phase, name=phase), f"study {number}")
            for half in range(2):
                write_series(datasets[half::2], folder / f"{half}" / f"{number}" / phase)
    write_png(folder / "0" / "a.png")
    write_png(folder / "z.png", seed=1)
    (folder / "README").write_text("A scan a folder.")
    return folder


def zip_folder(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in sorted(folder.rglob("*"), reverse=True):
            zipped.write(file, file.relative_to(folder))
    return path


def test_series_scattered_over_folders_are_rows_after_all_others_by_their_first_path(
    archive: Path, tiny_bundle: Path
) -> None:
    rows = classify(tiny_bundle, archive)
    names = [str(Path(row.path).relative_to(archive)) for row in rows]
    assert [name.partition("/i")[0] for name in names] == [
        "0/a.png",
        "README",
        "z.png",
        *(f"0/{number}/{phase}" for number in range(2) for phase in (POST, PRE)),
    ]
    assert [row.n_slices for row in rows[3:]] == [6] * 4
    # To a bundle that asks for brightness all are pre-contrast; comparing the two series denies the later.
    of_a_study = [Status.INDETERMINATE, Status.ANSWERED]
    assert [row.status for row in rows] == [Status.ANSWERED, Status.REFUSED, Status.ANSWERED, *of_a_study * 2]
    assert rows[1].reason.startswith("text_file: ")


def test_a_zip_is_answered_as_the_folder_that_it_holds(
    archive: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    zipped = zip_folder(archive, tmp_path / "a.zip")
    outer = tmp_path / "outer.zip"
    with zipfile.ZipFile(outer, "w") as nested:
        nested.write(zipped, "in/a.zip")
    expected = classify(tiny_bundle, archive)
    for path, inside in ((zipped, f"{zipped}!"), (outer, f"{outer}!in/a.zip!")):
        rows = classify(tiny_bundle, path)
        assert rows == [replace(row, path=row.path.replace(f"{archive}/", inside)) for row in expected]
    assert sorted(tmp_path.glob("*.zip")) == [zipped, outer]
    assert not zips._open


def test_members_that_cannot_be_read_are_rows_in_their_place(tmp_path: Path, tiny_bundle: Path) -> None:
    write_png(tmp_path / "first.png")
    write_png(tmp_path / "last.png")
    with zipfile.ZipFile(tmp_path / "inside.zip", "w") as zipped:
        zipped.write(write_png(tmp_path / "hidden" / "x.png"), "b.png")
        zipped.writestr("../a.png", b"")
        zipped.writestr("c.zip", b"PK\3\4 no zip")
    shutil.rmtree(tmp_path / "hidden")
    (tmp_path / "damaged.zip").write_bytes(b"PK\3\4" + bytes(100))
    rows = classify(tiny_bundle, tmp_path)
    found = [(Path(row.path).name, row.reason.partition(":")[0]) for row in rows]
    assert [entry for entry in found if entry[0] != "tiny-bundle"][:1] == [("damaged.zip", "damaged_archive")]
    assert ("first.png", "") in found
    inside = [(row.path.rpartition("!")[2], row.reason.partition(":")[0]) for row in rows if "!" in row.path]
    assert inside == [("../a.png", "empty_file"), ("b.png", ""), ("c.zip", "damaged_archive")]


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    """Return a copy of the medium that pydicom ships: MR, CT and CR with a DICOMDIR."""
    directory = Path(str(get_testdata_file("DICOMDIR", download=False)))
    target = tmp_path / "medium"
    for name in ("77654033", "98892001", "98892003"):
        shutil.copytree(directory.parent / name, target / name)
    shutil.copy(directory, target / "DICOMDIR")
    return target


def test_a_dicomdir_is_answered_as_its_folder_and_is_no_row_itself(medium: Path, tiny_bundle: Path) -> None:
    walked = classify(tiny_bundle, medium)
    assert classify(tiny_bundle, medium / "DICOMDIR") == walked
    assert len({row.series_instance_uid for row in walked if row.volume_index is None}) > 3
    assert not any(row.path.endswith("DICOMDIR") for row in walked)


def test_what_a_dicomdir_names_and_is_not_there_is_a_failed_row(medium: Path, tiny_bundle: Path) -> None:
    gone = sorted((medium / "77654033").rglob("*"))[-1]
    gone.unlink()
    for path in (medium, medium / "DICOMDIR"):
        failed = [row for row in classify(tiny_bundle, path) if row.status is Status.FAILED]
        assert [(row.path, row.reason.partition(":")[0]) for row in failed] == [(str(gone), "missing")]


@pytest.fixture
def few_before_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "INSTANCES_BEFORE_WORKERS", 8)


@pytest.fixture(scope="module")
def both(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the archive as a folder and as a zip."""
    return archive, zip_folder(archive, tmp_path_factory.mktemp("zipped") / "a.zip")


@pytest.fixture(scope="module")
def found_alone(both: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> list[SeriesResult]:
    """Return the rows of both, found by one thread in this process."""
    return classify(write_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny.onnx"), *both, jobs=1)


@pytest.mark.usefixtures("few_before_workers")
def test_processes_find_what_threads_find(
    both: tuple[Path, Path], found_alone: list[SeriesResult], tiny_bundle: Path
) -> None:
    assert classify(tiny_bundle, *both, jobs=2) == found_alone


@pytest.mark.usefixtures("few_before_workers")
@pytest.mark.parametrize("error", [BrokenProcessPool, BlockingIOError, AssertionError])
def test_where_processes_cannot_work_threads_do(
    both: tuple[Path, Path],
    found_alone: list[SeriesResult],
    tiny_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
) -> None:
    tried = []

    def fail(*_: object) -> None:
        tried.append(1)
        raise error

    monkeypatch.setattr(ProcessPoolExecutor, "submit", fail)
    assert classify(tiny_bundle, *both, jobs=2) == found_alone
    assert tried


ORPHANS = """
import os, signal, sys
from pathlib import Path
from gadoscope.classification.run import iter_results
from gadoscope.classification import local
local.INSTANCES_BEFORE_WORKERS = 1
def watch(progress):
    if progress.n_instances > 24:
        threads = Path("/proc/self/task").iterdir()
        print(*[(thread / "children").read_text() for thread in threads], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
list(iter_results([Path(p) for p in sys.argv[2:]], model=Path(sys.argv[1]), jobs=2, watch=watch))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="Linux lists children there")
def test_the_processes_of_a_run_that_was_killed_end_too(
    archive: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    zipped = zip_folder(archive, tmp_path / "a.zip")
    command = [sys.executable, "-c", ORPHANS, *map(str, (tiny_bundle, archive, zipped))]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    children = [int(number) for number in ended.stdout.split()]
    assert len(children) >= 2
    deadline = time.monotonic() + 10
    while any(_is_running(number) for number in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not [number for number in children if _is_running(number)]


def _interrupt_while_processes_work() -> None:
    """Send what Ctrl-C sends, to this process and to those that work for it."""
    os.setsid()  # not to the tests
    report = run._Run._report

    def report_and_interrupt(self: Any, *arguments: Any, **named: Any) -> None:
        if self._workers._header_workers is not None:
            os.killpg(0, signal.SIGINT)
        report(self, *arguments, **named)

    local.INSTANCES_BEFORE_WORKERS = 1
    run._Run._report = report_and_interrupt  # type: ignore[method-assign]  # in a copy, which ends


@pytest.mark.skipif(sys.platform == "win32", reason="has no process groups")
def test_ctrl_c_while_processes_work_is_a_sentence_and_no_traceback(
    archive: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    zipped = zip_folder(archive, tmp_path / "a.zip")
    words = ["classify", archive, zipped, "--model", tiny_bundle, "--output", tmp_path / "r.csv"]
    ended = start_with_files([*words, "--jobs", 2], tmp_path, before=_interrupt_while_processes_work)
    code, said = ended.wait(), (tmp_path / "stderr").read_text()
    assert code == 130, said
    assert said.startswith(f"Interrupted: {tmp_path / 'r.csv'} holds the first ")
    assert "Traceback" not in said
    assert (tmp_path / "r.csv").read_text().startswith("path,")


def _is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
        return ") Z " not in Path(f"/proc/{number}/stat").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_instances_that_vanish_before_they_are_decoded_leave_a_row(tmp_path: Path, tiny_bundle: Path) -> None:
    paths = write_series(classic_series(PRE), tmp_path / "in" / "vanishing")
    write_series(rename_study(classic_series(POST), "other"), tmp_path / "in" / "staying")

    def remove(progress: Progress) -> None:
        if progress.n_instances == 12 and paths[0].exists():
            for path in paths:
                path.unlink()

    rows = list(iter_results([tmp_path / "in"], model=tiny_bundle, watch=remove))
    by_folder = {Path(row.path).parent.name: row for row in rows}
    assert by_folder["staying"].status is Status.ANSWERED
    assert by_folder["vanishing"].status is Status.FAILED
    assert by_folder["vanishing"].reason.startswith("missing: ")


def test_a_folder_that_changes_during_the_run_ends_it_not(tmp_path: Path, tiny_bundle: Path) -> None:
    for index in range(200):
        write_png(tmp_path / "in" / f"{index // 20:02d}" / f"{index:03d}.png", seed=index)
    results = iter_results([tmp_path / "in"], model=tiny_bundle, jobs=2)
    rows = [next(results)]
    shutil.rmtree(tmp_path / "in" / "09")
    (tmp_path / "in" / "00" / "new.png").write_bytes(b"")
    rows += results
    reasons = {row.reason.partition(":")[0] for row in rows if Path(row.path).parent.name == "09"}
    assert reasons <= {"missing"}
    assert sum(row.status is Status.ANSWERED for row in rows) == 180


def test_a_series_whose_first_file_is_its_phase_is_answered_by_its_magnitude(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    magnitude, phase = classic_series(PRE), classic_series(PRE)
    for number, dataset in enumerate(phase):
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "P", "ND"]
        set_instance_uid(dataset, f"{dataset.SOPInstanceUID[:-3]}.{number}")
    write_series(phase, tmp_path / "in" / "a")
    write_series(magnitude, tmp_path / "in" / "b")
    (row,) = classify(tiny_bundle, tmp_path / "in")
    write_series(magnitude, tmp_path / "alone")
    (alone,) = classify(tiny_bundle, tmp_path / "alone")
    assert (row.status, row.probability) == (Status.ANSWERED, alone.probability)
    assert row.n_slices == 6


def test_a_study_of_absurdly_many_series_is_answered_without_neighbours(
    archive: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "MAX_STUDY_SERIES", 1)
    rows = classify(tiny_bundle, archive)
    assert sum(row.status is Status.ANSWERED for row in rows) == 6


def test_a_series_of_absurdly_many_instances_is_refused(
    archive: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instances, "MAX_INSTANCES", 5)
    rows = classify(tiny_bundle, archive)
    refused = [row for row in rows if row.reason.startswith("too_many_instances: 6 instances")]
    assert len(refused) == 4
    assert {row.status for row in refused} == {Status.REFUSED}


def test_a_run_tells_how_far_it_is(archive: Path, tiny_bundle: Path) -> None:
    told: list[Progress] = []
    rows = list(iter_results([archive], model=tiny_bundle, watch=told.append))
    looking = [progress for progress in told if progress.n_series is None]
    assert (looking[-1].n_files, looking[-1].n_instances) == (27, 24)
    assert [progress.n_series_done for progress in told[len(looking) :]] == [1, 2, 3, 4]
    assert {progress.n_series for progress in told[len(looking) :]} == {4}
    assert len(rows) == 7


def test_whoever_watches_may_stop_the_run(archive: Path, tiny_bundle: Path) -> None:
    def stop(_: Progress) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        list(iter_results([archive], model=tiny_bundle, watch=stop))


MEMORY = """
import re, sys
from pathlib import Path
from gadoscope.classification.run import iter_results
from gadoscope.classification import local
local.INSTANCES_BEFORE_WORKERS = 10**9
n = sum(1 for _ in iter_results([Path(p) for p in sys.argv[2:]], model=Path(sys.argv[1]), jobs=2))
# The kernel's own peak: that of getrusage begins with what the process was copied from.
print(n, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def write_tiny_series(folder: Path, numbers: range) -> Path:
    """Write series of one instance each by changing UIDs of one length."""
    (path,) = write_series(classic_series(PRE, n_slices=1, matrix=16), folder / "template")
    content = path.read_bytes()
    dataset = classic_series(PRE, n_slices=1, matrix=16)[0]
    uid = str(dataset.SeriesInstanceUID).encode()
    study = str(dataset.StudyInstanceUID).encode()
    for number in numbers:
        tail = b"%08d" % number
        changed = content.replace(uid, uid[:-8] + tail).replace(study, study[:-8] + b"%08d" % (number // 5))
        (folder / f"{number:06d}").write_bytes(changed)
    shutil.rmtree(folder / "template")
    return folder


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_series(tmp_path: Path, tiny_bundle: Path) -> None:
    peaks = []
    for n_series in (200, 2000):
        folder = write_tiny_series(tmp_path / str(n_series), range(10_000_000, 10_000_000 + n_series))
        ended = subprocess.run(
            [sys.executable, "-c", MEMORY, tiny_bundle, folder], capture_output=True, text=True, check=True
        )
        n_rows, peak = map(int, ended.stdout.split())
        assert n_rows == n_series
        peaks.append(peak)
    assert peaks[1] < 500
    assert peaks[1] - peaks[0] < 20


@pytest.fixture(autouse=True)
def closed_archives() -> Iterator[None]:
    yield
    assert not zips._open
