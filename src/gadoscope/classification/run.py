"""The flow of a run: files are found, looked at, and answered; memory does not grow with their number.

Worker threads each take a few inputs from the file to the answer: Pillow's decoders and ONNX Runtime
release Python's lock, so two threads keep two cores busy. Instances of DICOM series only leave their
headers with an index on disk; once there are many, processes read the headers, which is Python's own work
and keeps its lock. When the walk has ended, threads answer the series, each alone; then those of a study
are judged together. Rows leave in the order of the inputs, those of DICOM series last, by study and path,
whatever ``jobs`` is.
"""

import sys
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from gadoscope.classification.inputs import Container, ContainerKind, Examiner, Instance
from gadoscope.classification.options import Progress, RunOptions, Watch, take_options
from gadoscope.classification.rows import Answer, empty_row, keep_going, storable_row
from gadoscope.inference.session import Session
from gadoscope.labels import QuoteMode, SeriesResult
from gadoscope.parallel import count_jobs, in_groups, map_ahead
from gadoscope.reading.discover import Found, iter_inputs
from gadoscope.reading.given import Input
from gadoscope.version import __version__

if TYPE_CHECKING:
    from gadoscope.classification.study.tasks import SeriesTask, StudyReader
    from gadoscope.classification.workers import HeaderWorkers
    from gadoscope.reading.dicom.grouping.index import SeriesIndex
    from gadoscope.results.journal import Journal

ANSWERS_VERSION = 3
"""Rises with every change of the program that can change an answer: a journal's older ones are not used."""

INPUTS_PER_GROUP = 8
"""Inputs that a worker reads before it runs the network on them.

Decoding and the network want the processor's caches for themselves: by turns for each image costs
10 % more than by turns for each 8 (measured with the lesson's network); 64 gain 2 % more.
"""

GROUPS_PER_JOB = 3
"""Groups under way for each worker: enough that one slow file at the front keeps no worker waiting."""

INSTANCES_BEFORE_WORKERS = 2000
"""DICOM instances after which processes read headers: they take as long to start as threads to read these."""


def iter_results(
    paths: Sequence[Path],
    *,
    model: Path,
    jobs: int = 0,
    journal: "Journal | None" = None,
    series_alone: bool = False,
    quote: QuoteMode = QuoteMode.WORDS,
    watch: Watch | None = None,
) -> Generator[SeriesResult, None, None]:
    """Classify every input below ``paths``.

    Parameters
    ----------
    paths
        Images, NIfTI volumes, DICOM files, DICOMDIRs, zips and tars of them, and folders of all these.
    model
        The bundle.
    jobs
        Workers; 0 takes one for each core.
    journal, series_alone, quote, watch
        As of `RunOptions`.

    Yields
    ------
    SeriesResult
        One for each input, for several volumes also one for each of them; in the order of the inputs,
        DICOM series last, whatever ``jobs`` is. What cannot be read becomes a ``failed`` row; none is
        lost, and none ends the run.

    Raises
    ------
    BundleError
        If ``model`` is no bundle, or does not fit; raised here, before the first result.
    UsageError
        If ``jobs`` is negative.

    Notes
    -----
    Of large archives, processes read the headers. A script of yours that calls this needs
    ``if __name__ == "__main__":``, as for everything that uses `multiprocessing`, or ``jobs=1``.
    """
    count_jobs(jobs)
    options = RunOptions(journal=journal, series_alone=series_alone, quote=quote, watch=watch)
    return answer_inputs(iter_inputs(paths), Session(model), jobs=jobs, options=options)


def answer_inputs(
    inputs: Iterable[Input], session: Session, *, jobs: int = 0, options: RunOptions | None = None
) -> Generator[SeriesResult, None, None]:
    """Yield the rows of some inputs with a bundle that is loaded; several runs may share it.

    Parameters, rows, errors and notes as of `iter_results`.
    """
    n_jobs = count_jobs(jobs)
    options = take_options(options)
    if options.journal is not None:
        # A journal of words must not hold full texts: they may be a patient's.
        forget = "" if options.quote is QuoteMode.FULL else f"/{QuoteMode.FULL}"
        version = f"{__version__}/{ANSWERS_VERSION}/{options.quote}"
        options.journal.begin(model=session.bundle.sha256, version=version, forget=forget)
    return _iter_rows(inputs, _Run(session, n_jobs, options))


def _iter_rows(inputs: Iterable[Input], run: "_Run") -> Generator[SeriesResult, None, None]:
    with run:
        for answer in run.keep(run.answer_inputs(inputs)):
            yield from answer.rows
        yield from run.judge_series()


class _Run:
    """What a run has open: its threads, and once there is DICOM the index and the processes."""

    def __init__(self, session: Session, jobs: int, options: RunOptions) -> None:
        self._session, self._jobs, self._options = session, jobs, options
        self._watch = options.watch or _ignore
        self._examiner = Examiner(session, options)
        self._open = ExitStack()
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="classify")
        self._open.callback(self._pool.shutdown, wait=True, cancel_futures=True)
        self._index: SeriesIndex | None = None
        self._workers: HeaderWorkers | None = None
        self._n_files = self._n_instances = 0
        self._n_listed: Counter[Path] = Counter()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        self._open.close()
        if "gadoscope.reading.decoding.apart" in sys.modules:  # most runs start no process
            from gadoscope.reading.decoding.apart import close_decoders  # noqa: PLC0415 — as above

            close_decoders()  # after the threads, of which one may have been decoding still

    def keep(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        """Pass answers on and write each into the journal, as it is before its study is judged."""
        for found in answers:
            answer = replace(found, rows=tuple(storable_row(row) for row in found.rows))
            if self._options.journal is not None and answer.digest is not None:
                self._options.journal.add(answer.digest, answer.rows)
            yield answer

    def answer_inputs(self, inputs: Iterable[Input]) -> Iterator[Answer]:
        """Yield an answer for each input but the instances of DICOM series, which go into the index."""
        groups = in_groups(self._take_out_instances(inputs), INPUTS_PER_GROUP)
        n_ahead = self._jobs * GROUPS_PER_JOB
        for outcomes in map_ahead(self._pool, self._examiner.examine_group, groups, n_ahead):
            self._add_instances([one for one in outcomes if isinstance(one, Instance)])
            self._report(len(outcomes))
            for outcome in outcomes:
                if isinstance(outcome, Answer):
                    yield outcome
                elif isinstance(outcome, Container):
                    yield from self._answer_inside(outcome)

    def judge_series(self) -> Iterator[SeriesResult]:
        """Yield the rows of the series of the index, those of a study after they were judged together."""
        if self._index is None:
            return
        from gadoscope.classification.study.reasoning import iter_judged  # noqa: PLC0415 — needs pydicom
        from gadoscope.classification.study.tasks import open_again  # noqa: PLC0415 — as above

        index = self._index
        answers = self.keep(self._answer_series(index))
        if self._options.series_alone:
            yield from chain.from_iterable(answer.rows for answer in answers)
        else:
            metadata = self._session.bundle.metadata
            yield from iter_judged(
                answers, metadata, lambda place: open_again(place, index.read_batches(place.series))
            )

    def _answer_series(self, index: "SeriesIndex") -> Iterator[Answer]:
        """Yield an answer for each series of the index."""
        from gadoscope.classification.study.tasks import StudyReader  # noqa: PLC0415 — needs pydicom
        from gadoscope.reading.dicom.grouping.identify import identify_series  # noqa: PLC0415 — as above

        identify_series(index)
        reader = StudyReader(self._session, self._options)
        tasks = self._list_tasks(index, reader)
        n_series = index.n_series
        n_ahead = self._jobs * GROUPS_PER_JOB
        for n_done, answer in enumerate(map_ahead(self._pool, reader.answer, tasks, n_ahead), start=1):
            self._report(n_series=n_series, n_series_done=n_done)
            yield answer

    def _answer_inside(self, container: Container) -> Iterator[Answer]:
        """Answer what a zip holds or a DICOMDIR names, in its place among the other inputs."""
        from gadoscope.reading.archives.containers import list_archive, list_directory  # noqa: PLC0415 — need pydicom
        from gadoscope.reading.archives.zips import close_archives  # noqa: PLC0415

        self._open.callback(close_archives)
        found, base = container.found, empty_row(str(container.found.source), self._session)
        if container.kind is ContainerKind.ARCHIVE:
            inside = keep_going(lambda: list_archive(found.source, self._n_listed), base)
        else:
            inside = keep_going(lambda: list_directory(found), base)
        if isinstance(inside, SeriesResult):
            yield Answer((inside,))
        else:
            yield from self.answer_inputs(inside)

    def _take_out_instances(self, inputs: Iterable[Input]) -> Iterator[Input]:
        """Pass inputs on; once there are many DICOM instances, let processes take these out."""
        rest = iter(inputs)
        for one in rest:
            if (
                not isinstance(one, Found)
                or one.stays
                or self._jobs == 1
                or self._n_instances < INSTANCES_BEFORE_WORKERS
            ):
                yield one
                continue
            workers, index = self._start_workers()
            files: list[Input] = []
            for scanned in workers.scan(chain([one], _until_it_stays(rest, files))):
                index.add(scanned.batches)
                self._n_instances = index.n_instances
                self._report(scanned.n_files - len(scanned.left))
                yield from scanned.left
            yield from files

    def _start_workers(self) -> "tuple[HeaderWorkers, SeriesIndex]":
        from gadoscope.classification.workers import HeaderWorkers  # noqa: PLC0415 — only where files are many

        if self._workers is None:
            self._workers = self._open.enter_context(HeaderWorkers(self._jobs))
        return self._workers, self._open_index()

    def _add_instances(self, instances: Sequence[Instance]) -> None:
        if not instances:
            return
        from gadoscope.reading.dicom.grouping.batches import pack  # noqa: PLC0415 — slices and NIfTI do without

        index = self._open_index()
        index.add(pack((instance.header, instance.source) for instance in instances))
        self._n_instances = index.n_instances

    def _open_index(self) -> "SeriesIndex":
        from gadoscope.reading.dicom.grouping.index import SeriesIndex  # noqa: PLC0415 — slices and NIfTI do without

        if self._index is None:
            self._index = self._open.enter_context(SeriesIndex())
        return self._index

    def _list_tasks(self, index: "SeriesIndex", reader: "StudyReader") -> "Iterator[SeriesTask]":
        """Yield the series of each study; a study's headers are read a few studies ahead."""
        from gadoscope.classification.study.tasks import SeriesTask  # noqa: PLC0415 — needs pydicom

        studies = map_ahead(self._pool, reader.read_study, index.iter_studies(), self._jobs + 1)
        for number, study in enumerate(studies):
            neighbours, digests = study.find_neighbours(), study.find_neighbour_digests()
            together = number if study.is_judged_together else None
            for entry, facts in zip(study.entries, study.facts, strict=True):
                batches = index.read_batches(entry.number)  # now, and no earlier: memory stays small
                yield SeriesTask(entry, batches, facts, neighbours, digests, together)

    def _report(self, n_files: int = 0, *, n_series: int | None = None, n_series_done: int = 0) -> None:
        self._n_files += n_files
        self._watch(
            Progress(
                n_files=self._n_files,
                n_instances=self._n_instances,
                n_series=n_series,
                n_series_done=n_series_done,
            )
        )


def _until_it_stays(inputs: Iterator[Input], stopped_at: list[Input]) -> Iterator[Found]:
    """Pass files on until an input comes that is read in this process; it is put aside."""
    for one in inputs:
        if not isinstance(one, Found) or one.stays:
            stopped_at.append(one)
            return
        yield one


def _ignore(_: Progress) -> None:
    """Watch nothing."""
