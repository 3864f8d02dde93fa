"""A run on a cluster gives the rows of the plain path: real schedulers and workers, on loopback."""

import shutil
import sqlite3
import zipfile
from contextlib import chdir, closing
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from PIL import Image

import gadoscope as gs
from gadoscope.classification import inputs
from gadoscope.classification.run import answer_inputs, iter_results
from gadoscope.cluster.engine import DaskEngine
from gadoscope.inference.session import Session
from gadoscope.labels import Phase, SeriesResult
from gadoscope.reading.discover import iter_inputs
from tests.support.commands import run_command
from tests.support.dask_processes import DaskCluster, dask_cluster
from tests.support.dicom_files import classic_series, rename_study, write_series
from tests.support.nifti_files import save, values


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return series of two studies across folders, slices, a volume, an archive and what is no image."""
    folder = tmp_path_factory.mktemp("cluster") / "archive"
    for number in range(2):
        for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST):
            datasets = rename_study(classic_series(phase, name=phase), f"study {number}")
            for half in range(2):
                write_series(datasets[half::2], folder / f"{half}" / f"{number}" / phase)
    for number in range(20):
        noise = np.random.default_rng(number).integers(0, 250, (40, 40), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
    save(folder / "t1.nii.gz", values())
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        for path in sorted(folder.glob("1*.png")):
            archive.write(path, path.name)
        for path in sorted((folder / "0" / "1").rglob("*.dcm")):
            archive.write(path, f"scan/{path.name}")
    (folder / "README").write_text("A scan a folder.")
    return folder


def classify(bundle: Path, cluster: DaskCluster, *paths: Path) -> list[SeriesResult]:
    options = gs.RunOptions(engine=DaskEngine(cluster.address))
    return list(answer_inputs(iter_inputs(paths), Session(bundle), options=options))


def test_the_rows_are_those_of_the_plain_path_in_their_order(
    archive: Path, tiny_bundle: Path, two_workers: DaskCluster
) -> None:
    """Also under relative paths, which workers in another folder could not open."""
    plain = list(iter_results([archive], model=tiny_bundle, jobs=1))
    assert classify(tiny_bundle, two_workers, archive) == plain
    assert {row.phase for row in plain} > {Phase.PRE_CONTRAST, Phase.POST_CONTRAST}
    with chdir(archive):
        named = [Path("0"), Path("1"), Path("more.zip"), Path("../archive/t1.nii.gz")]
        relative = list(iter_results(named, model=tiny_bundle, jobs=1))
        assert classify(tiny_bundle, two_workers, *named) == relative


def test_what_lies_in_memory_is_answered_beside_what_lies_on_disk(
    archive: Path, tiny_bundle: Path, two_workers: DaskCluster
) -> None:
    datasets = rename_study(classic_series(Phase.PRE_CONTRAST, name="held"), "held")
    given = [datasets, np.full((40, 40), 9.0), archive / "t1.nii.gz", archive / "0"]
    with gs.Classifier(tiny_bundle) as classifier:
        engine = gs.DaskEngine(two_workers.address)
        rows = list(classifier.classify(given, options=gs.RunOptions(engine=engine)))
        assert rows == list(classifier.classify(given))
    assert any(row.path.startswith("dataset") for row in rows)


def test_what_a_journal_knows_is_not_answered_again(
    archive: Path, tiny_bundle: Path, two_workers: DaskCluster, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    words = ("classify", archive, "--model", tiny_bundle, "--output", table)
    assert run_command(*words, "--scheduler", two_workers.address).returncode == 0
    whole = table.read_text()
    with closing(sqlite3.connect(f"{table}.journal")) as journal, journal:
        # Each answer says that it was taken over.
        journal.execute("UPDATE answers SET header_quote = 'old-' || header_quote")
    for engine in (("--scheduler", two_workers.address), ()):
        ended = run_command(*words, "--resume", *engine)
        assert ended.returncode == 0, ended.stderr
        lines = table.read_text().splitlines()
        assert len(lines) == len(whole.splitlines())
        n_old = sum("old-" in line for line in lines)
        assert n_old == len(lines) - 2  # the header, and the text file, which was refused


def test_plain_and_cluster_answer_each_others_journal(
    archive: Path, tiny_bundle: Path, two_workers: DaskCluster, tmp_path: Path
) -> None:
    table = tmp_path / "table.jsonl"
    words = ("classify", archive, "--model", tiny_bundle, "--output", table)
    assert run_command(*words, "--jobs", "1").returncode == 0
    plain = table.read_text()
    ended = run_command(*words, "--resume", "--scheduler", two_workers.address)
    assert "holds" in ended.stderr
    assert table.read_text() == plain


def test_what_a_store_knows_is_not_read_again_by_workers(
    archive: Path, tiny_bundle: Path, tmp_path: Path
) -> None:
    """Slices and volumes are read for their digest where they are new, and where they were written since."""
    pytest.importorskip("sqlalchemy", reason="the store needs the extra `store`")
    shutil.copytree(archive, tmp_path / "archive")
    read = tmp_path / "read"

    def note_what_is_read() -> None:
        find = inputs.Examiner._find_digest

        def note(examiner: inputs.Examiner, file: BinaryIO) -> str | None:
            with read.open("a") as notes:
                notes.write("one\n")
            return find(examiner, file)

        inputs.Examiner._find_digest = note  # type: ignore[method-assign,assignment]  # in a copy

    def classify_again() -> tuple[str, int]:
        read.write_text("")
        assert run_command(*words, "--output", "rows.csv").returncode == 0
        return (tmp_path / "rows.csv").read_text(), len(read.read_text().splitlines())

    with dask_cluster(tmp_path / "dask") as cluster, chdir(tmp_path):
        cluster.start_worker(note_what_is_read)
        store = f"sqlite:///{tmp_path / 'answers.db'}"
        words = (
            "classify",
            "archive",
            "--model",
            tiny_bundle,
            "--scheduler",
            cluster.address,
            "--store",
            store,
        )
        rows, n_read = classify_again()
        assert n_read == 32  # slices and a volume, and what the zip holds
        assert classify_again() == (rows, 0)
        shutil.copy(tmp_path / "archive" / "4.png", tmp_path / "archive" / "3.png")
        changed, n_read = classify_again()
    assert n_read == 1
    assert changed != rows
