"""`gadoscope classify --resume`: a run that was killed goes on, and its table is that of one run."""

import os
import signal
import sys
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from gadoscope.cli.main import cli
from gadoscope.errors import GadoscopeError, UsageError
from gadoscope.inference.session import Answers, Session
from gadoscope.labels import Phase, Plane, SeriesResult
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.write import Form, write_cohort
from gadoscope.results import journal
from gadoscope.results.journal import Journal, journal_path
from tests.support.bundles import with_band, write_tiny_bundle
from tests.support.copies import start_with_files
from tests.support.dicom_files import classic_series, dynamic_series, rename_study, write_series

N_LOOKED_AT = 6 + 4 + 2 + 6
"""Volumes and slices that the network sees: PNG, NIfTI, classic series, volumes of the dynamic series."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with some of everything."""
    folder = tmp_path_factory.mktemp("archive")
    (folder / "png").mkdir()
    generator = np.random.default_rng(0)
    for index in range(6):
        noise = generator.integers(20 * index, 20 * index + 50, (40, 40), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "png" / f"{index}.png")
    write_cohort(Cohort(subjects=2, seed=1, slices=6, matrix=64), folder / "bids", form=Form.BIDS)
    for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST):
        write_series(classic_series(phase), folder / "dicom" / phase)
    write_series(rename_study(dynamic_series(), "dynamic"), folder / "dynamic")
    with zipfile.ZipFile(folder / "more.zip", "w") as zipped:
        zipped.writestr("readme.txt", "words")
        zipped.writestr("empty.png", b"")
    (folder / "damaged.png").write_bytes((folder / "png" / "0.png").read_bytes()[:-40])
    return folder


@dataclass(frozen=True)
class Ended:
    """A run in this process: its exit code, what it said, and how often it asked the network."""

    code: int
    said: str
    n_looked: int


def classify(archive: Path, model: Path, output: Path, *options: str, stop_at: int = 0) -> Ended:
    """Run the command; ``stop_at`` answers Ctrl-C is pressed."""
    counts: Counter[str] = Counter()
    add, look = Journal.add, Session.slice_answers

    def add_and_stop(self: Journal, digest: str, rows: Sequence[SeriesResult]) -> None:
        add(self, digest, rows)
        counts["added"] += 1
        if counts["added"] == stop_at:
            os.kill(os.getpid(), signal.SIGINT)

    def look_and_count(self: Session, slices: NDArray[np.uint8]) -> Answers:
        counts["looked"] += 1
        return look(self, slices)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "add", add_and_stop)
        patch.setattr(Session, "slice_answers", look_and_count)
        arguments = ["classify", str(archive), "--model", str(model), "--output", str(output), *options]
        result = CliRunner().invoke(cli, arguments)
    if isinstance(result.exception, GadoscopeError):
        return Ended(result.exception.exit_code, str(result.exception), counts["looked"])
    return Ended(result.exit_code, result.stderr, counts["looked"])


@pytest.fixture(scope="module")
def whole(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """Return a bundle, and the table of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    model = write_tiny_bundle(folder / "tiny.onnx")
    ended = classify(archive, model, folder / "r.csv")
    assert (ended.code, ended.n_looked) == (3, N_LOOKED_AT), ended.said
    return model, (folder / "r.csv").read_bytes()


def die_at_answer(number: int) -> None:
    """Let this process die when it has written so many answers into the journal."""
    journal.COMMIT_SECONDS = 0.0  # in a copy, which ends
    add, n_added = Journal.add, 0

    def add_and_die(self: Journal, digest: str, rows: Sequence[SeriesResult]) -> None:
        nonlocal n_added
        add(self, digest, rows)
        n_added += 1
        if n_added == number:
            os.kill(os.getpid(), signal.SIGKILL)

    Journal.add = add_and_die  # type: ignore[method-assign]  # as above


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
# The slow one's quicker twin is killed in the midst of its work, not at its first answer.
@pytest.mark.parametrize("stop_at", [pytest.param(1, marks=pytest.mark.slow), 11])
def test_a_killed_run_goes_on_and_its_table_is_that_of_one_run(
    archive: Path, whole: tuple[Path, bytes], tmp_path: Path, stop_at: int
) -> None:
    model, table = whole
    output = tmp_path / "r.csv"
    words = ["classify", archive, "--model", model, "--output", output]
    killed = start_with_files(words, tmp_path / "said", before=partial(die_at_answer, stop_at))
    assert killed.wait() == -signal.SIGKILL
    assert not output.exists()
    ended = classify(archive, model, output, "--resume")
    assert ended.code == 3
    assert output.read_bytes() == table
    assert ended.n_looked < N_LOOKED_AT
    assert f"holds {stop_at} answers of this model; what has not changed is taken over." in ended.said


def test_an_interrupted_run_leaves_a_valid_table_and_goes_on(
    archive: Path, whole: tuple[Path, bytes], tmp_path: Path
) -> None:
    model, table = whole
    output = tmp_path / "r.csv"
    stopped = classify(archive, model, output, stop_at=5)
    assert stopped.code == 130
    assert "--resume goes on from here." in stopped.said
    assert table.startswith(output.read_bytes())
    assert classify(archive, model, output, "--resume").code == 3
    assert output.read_bytes() == table


def test_a_finished_run_is_taken_over_whole_under_new_paths_and_names(
    archive: Path, whole: tuple[Path, bytes], tmp_path: Path
) -> None:
    model, table = whole
    output = tmp_path / "r.csv"
    classify(archive, model, output, "--resume")
    moved = tmp_path / "moved"
    archive.rename(moved)
    try:
        again = classify(moved, model, output, "--resume")
    finally:
        moved.rename(archive)
    assert again.n_looked == 0
    assert output.read_bytes() == table.replace(str(archive).encode(), str(moved).encode())
    assert journal_path(output).exists()


def test_a_changed_file_is_answered_anew_and_no_other(tmp_path: Path, tiny_bundle: Path) -> None:
    for index in range(4):
        noise = np.random.default_rng(index).integers(0, 200, (40, 40), dtype=np.uint8)
        (tmp_path / "in").mkdir(exist_ok=True)
        Image.fromarray(noise).save(tmp_path / "in" / f"{index}.png")
    output = tmp_path / "r.csv"
    classify(tmp_path / "in", tiny_bundle, output, "--resume")
    Image.fromarray(noise[::-1]).save(tmp_path / "in" / "2.png")
    assert classify(tmp_path / "in", tiny_bundle, output, "--resume").n_looked == 1


def test_a_sidecar_that_changes_is_noticed(tmp_path: Path, tiny_bundle: Path) -> None:
    tree, output = tmp_path / "bids", tmp_path / "r.csv"
    write_cohort(Cohort(subjects=1, seed=1, slices=6, matrix=64), tree, form=Form.BIDS)
    classify(tree, tiny_bundle, output, "--resume")
    sidecar = next(tree.rglob("*ce-*.json"))
    sidecar.write_text('{"EchoTime": 0.1, "ScanningSequence": "SE"}')
    again = classify(tree, tiny_bundle, output, "--resume")
    assert again.n_looked == 0
    assert "refused" in output.read_text()
    assert "holds 2 answers" in again.said


def test_a_series_that_is_added_to_a_study_changes_the_evidence_of_the_others(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    output = tmp_path / "r.csv"
    write_series(classic_series(Phase.PRE_CONTRAST), tmp_path / "in" / "pre")
    classify(tmp_path / "in", tiny_bundle, output, "--resume")
    write_series(
        classic_series(Phase.POST_CONTRAST, plane=Plane.AXIAL, name="later"), tmp_path / "in" / "post"
    )
    assert classify(tmp_path / "in", tiny_bundle, output, "--resume").n_looked == 2


def test_another_bundle_takes_nothing_over_and_says_so(
    archive: Path, whole: tuple[Path, bytes], tmp_path: Path
) -> None:
    output = tmp_path / "r.csv"
    classify(archive, whole[0], output, "--resume")
    other = write_tiny_bundle(tmp_path / "other.onnx", with_band(0.2, 0.8))
    ended = classify(archive, other, output, "--resume")
    assert ended.n_looked == N_LOOKED_AT
    assert "answers, all of another model or version of Gadoscope; none is taken over." in ended.said


def test_without_resume_nothing_is_taken_over_and_nothing_is_lost(
    tmp_path: Path, tiny_bundle: Path, archive: Path
) -> None:
    output = tmp_path / "r.csv"
    assert classify(archive / "png", tiny_bundle, output).n_looked == 6
    assert classify(archive / "bids", tiny_bundle, output).n_looked == 4
    both = classify(archive / "png", tiny_bundle, output, "--resume")
    assert (both.code, both.n_looked) == (0, 0)
    assert classify(archive / "bids", tiny_bundle, output, "--resume").n_looked == 0


def test_resuming_without_an_output_is_a_usage_error(archive: Path, tiny_bundle: Path) -> None:
    result = CliRunner().invoke(cli, ["classify", str(archive), "--model", str(tiny_bundle), "--resume"])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == (
        "--resume goes on from the journal beside a table; name the table with --output."
    )


def test_a_journal_that_is_none_is_one_sentence(archive: Path, tiny_bundle: Path, tmp_path: Path) -> None:
    journal_path(tmp_path / "r.csv").write_text("notes of my own")
    ended = classify(archive, tiny_bundle, tmp_path / "r.csv", "--resume")
    assert ended.code == 2
    assert "is no journal that this Gadoscope reads" in ended.said
    assert not (tmp_path / "r.csv").exists()


def test_a_run_that_quotes_words_leaves_no_full_text_in_the_journal(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    series = classic_series(n_slices=2, matrix=32)
    for dataset in series:
        dataset.SeriesDescription = "Quirijnabel T1 POST GD"
    write_series(series, tmp_path / "scan")
    table = tmp_path / "answers.csv"
    command = ["classify", str(tmp_path / "scan"), "--model", str(tiny_bundle), "--output", str(table)]
    for options, is_there in ((["--quote", "full"], True), (["--resume"], False)):
        assert CliRunner().invoke(cli, [*command, *options]).exit_code == 0
        for path in (table, journal_path(table)):
            assert (b"Quirijnabel" in path.read_bytes()) is is_there, path
