"""Work units of DICOM and their answers are plain values: they travel to other processes and back."""

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import pytest

from gadoscope.classification.options import RunOptions
from gadoscope.classification.rows import Answer
from gadoscope.classification.run import iter_results
from gadoscope.classification.study.reasoning import iter_judged
from gadoscope.classification.study.tasks import SeriesTask, StudyReader, open_again
from gadoscope.inference.session import Session
from gadoscope.labels import Phase
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.grouping.index import SeriesIndex
from gadoscope.reading.discover import iter_inputs
from gadoscope.reading.scan import scan_group
from tests.support.bundles import with_band, write_tiny_bundle
from tests.support.dicom_files import classic_series, write_series


@pytest.fixture
def study(tmp_path: Path) -> Path:
    for phase in (Phase.PRE_CONTRAST, Phase.POST_CONTRAST):
        write_series(classic_series(phase), tmp_path / "study" / phase)
    write_series([classic_series(Phase.PRE_CONTRAST)[0]], tmp_path / "study" / "copy")
    return tmp_path / "study"


def list_tasks(index: SeriesIndex, reader: StudyReader) -> Iterator[SeriesTask]:
    for number, entries in enumerate(index.iter_studies()):
        study = reader.read_study(entries)
        assert pickle.loads(pickle.dumps(study)) == study  # noqa: S301 - our own
        for entry, facts in zip(study.entries, study.facts, strict=True):
            batches = index.read_batches(entry.number)
            digests = study.find_neighbour_digests()
            yield SeriesTask(entry, batches, facts, study.find_neighbours(), digests, number)


def answer_elsewhere(bundle: Path, task: SeriesTask) -> Answer:
    return StudyReader(Session(bundle), RunOptions()).answer(task)


T = TypeVar("T")


def travel(value: T) -> T:
    """Return what another process would get."""
    there: T = pickle.loads(pickle.dumps(value))  # noqa: S301 - our own
    return there


def answer_travelled(bundle: Path, tasks: list[SeriesTask]) -> list[Answer]:
    return [travel(answer_elsewhere(bundle, travel(task))) for task in tasks]


def answer_in_process(bundle: Path, tasks: list[SeriesTask]) -> list[Answer]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        return list(elsewhere.map(answer_elsewhere, [bundle] * len(tasks), tasks))


@pytest.mark.parametrize(
    "answer_all", [answer_travelled, pytest.param(answer_in_process, marks=pytest.mark.slow)]
)
def test_tasks_are_answered_in_another_process_and_judged_here(
    answer_all: Callable[[Path, list[SeriesTask]], list[Answer]], study: Path, tmp_path: Path
) -> None:
    """In another process; in small, after the same travels. Runs in processes: test_archives.py."""
    bundle = write_tiny_bundle(tmp_path / "band.onnx", with_band(0.01, 0.06))
    with SeriesIndex() as index:
        index.add(scan_group(list(iter_inputs([study]))).batches)
        tasks = list(list_tasks(index, StudyReader(Session(bundle), RunOptions())))
        assert travel(tasks) == tasks
        answers = answer_all(bundle, tasks)
        judged = iter_judged(
            answers,
            Session(bundle).bundle.metadata,
            lambda place: open_again(place, index.read_batches(place.series)),
        )
        rows = [row for answer in judged for row in answer.rows]
    assert rows == list(iter_results([study], model=bundle, jobs=1))
    assert any(row.reason.startswith("resolved_by_study: ") for row in rows)


def test_what_lies_in_memory_travels_with_its_content() -> None:
    from gadoscope.reading.archives.held import Held  # noqa: PLC0415 — named here alone

    source = Source(Path("file 1"), held=Held(b"content"))
    travelled = pickle.loads(pickle.dumps(source))  # noqa: S301 - our own
    with travelled.open() as file:
        assert file.read() == b"content"
    assert travelled == source
    assert travelled.held.number != source.held.number  # type: ignore[union-attr]  # it was given one
