"""The flow of a run: files are found, looked at, and answered; memory does not grow with their number.

An engine does the work (`gadoscope.classification.engine`); discovery, the index, the journal and the order
are here. Instances of DICOM series leave their headers with an index on disk. When the walk has ended, the
series are answered, each alone; then those of a study are judged together. Rows leave in the order of the
inputs, those of DICOM series last, by study and path, whatever engine there is and how many workers.
"""

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gadoscope.classification.inputs import Container, ContainerKind
from gadoscope.classification.local import LocalEngine
from gadoscope.classification.options import Progress, RunOptions, Watch, take_options
from gadoscope.classification.rows import Answer, empty_row, keep_going, storable_row
from gadoscope.inference.session import Session
from gadoscope.labels import KeptResult, QuoteMode, SeriesResult, without_picture
from gadoscope.parallel import count_jobs
from gadoscope.reading.discover import iter_inputs
from gadoscope.reading.given import Input
from gadoscope.reading.remote.path import Location
from gadoscope.version import __version__

if TYPE_CHECKING:
    from gadoscope.classification.engine import Engine
    from gadoscope.reading.dicom.grouping.batches import Batch
    from gadoscope.reading.dicom.grouping.index import SeriesIndex
    from gadoscope.results.keeping import Keeper

ANSWERS_VERSION = 3
"""Rises with every change of the program that can change an answer: a journal's older ones are not used."""


def iter_results(
    paths: Sequence[Path],
    *,
    model: Path,
    jobs: int = 0,
    journal: "Keeper | None" = None,
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
    inputs: Iterable[Input],
    session: Session,
    *,
    jobs: int = 0,
    options: RunOptions | None = None,
    roots: Sequence[str] = (),
) -> Generator[SeriesResult, None, None]:
    """Yield the rows of some inputs with a bundle that is loaded; several runs may share it.

    Parameters, rows, errors and notes as of `iter_results`; ``roots`` are the paths that were named.
    """
    n_jobs = count_jobs(jobs)
    options = take_options(options)
    if options.journal is not None:
        # A journal of words must not hold full texts: they may be a patient's.
        forget = "" if options.quote is QuoteMode.FULL else f"/{QuoteMode.FULL}"
        version = f"{__version__}/{ANSWERS_VERSION}/{options.quote}"
        options.journal.begin(
            model=session.bundle.sha256,
            version=version,
            forget=forget,
            name=session.bundle.model_id,
            metadata=session.bundle.metadata.to_json(),
            roots=roots,
        )
    engine = options.engine or LocalEngine(n_jobs)
    return _iter_rows(inputs, _Run(session, engine, options))


def _iter_rows(inputs: Iterable[Input], run: "_Run") -> Generator[SeriesResult, None, None]:
    with run:
        for answer in run.keep(run.answer_inputs(run.replay(inputs))):
            yield from run.settle(answer)
        for answer in run.judge_series():
            yield from run.settle(answer)
        if run.keeper is not None:
            run.keeper.finish(has_seen_all=run.since is None)


class _Run:
    """What a run has open: its workers, and once there is DICOM the index."""

    def __init__(self, session: Session, engine: "Engine", options: RunOptions) -> None:
        self._session, self._options = session, options
        self.keeper, self.since = options.journal, options.since
        self._watch = options.watch or _ignore
        self._open = ExitStack()
        self._workers = engine.start(session, options)
        self._open.callback(self._workers.close)
        self._index: SeriesIndex | None = None
        self._n_files = self._n_instances = 0
        self._n_listed: Counter[Location] = Counter()

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def keep(self, answers: Iterable[Answer]) -> Iterator[Answer]:
        """Pass answers on and write each into the journal, as it is before its study is judged."""
        for found in answers:
            answer = replace(found, rows=tuple(storable_row(row) for row in found.rows))
            if self.keeper is not None and answer.digest is not None and not answer.is_known:
                self.keeper.add(answer.digest, answer.rows)
            yield answer

    def settle(self, answer: Answer) -> tuple[SeriesResult, ...]:
        """Return the rows of an answer to which nothing is changed any more, and keep where they are from."""
        if self.keeper is None:
            return answer.rows
        if answer.rows:
            self.keeper.settle(
                answer.digest, answer.rows, answer.study, answer.origin, is_known=answer.is_final
            )
        # What only a keeper wants ends with it: rows are the same with and without one.
        return tuple(without_picture(row) if type(row) is KeptResult else row for row in answer.rows)

    def replay(self, inputs: Iterable[Input]) -> Iterable[Input]:
        """Take the DICOM instances that the keeper remembers, and pass on all other inputs."""
        if self.keeper is None or not self.keeper.remembers:
            return inputs
        from gadoscope.classification.remembered import replay  # noqa: PLC0415 — runs without a store do without

        return replay(inputs, self.keeper, self._take_instances, is_here=self._workers.is_here)

    def answer_inputs(self, inputs: Iterable[Input]) -> Iterator[Answer]:
        """Yield an answer for each input but the instances of DICOM series, which go into the index."""
        for outcome in self._workers.look(inputs, self._take_instances):
            if isinstance(outcome, Answer):
                yield outcome
            else:
                yield from self._answer_inside(outcome)

    def judge_series(self) -> Iterator[Answer]:
        """Yield the answers of the series of the index, those of a study after they were judged together."""
        if self._index is None:
            return
        from gadoscope.classification.study.reasoning import iter_judged  # noqa: PLC0415 — needs pydicom
        from gadoscope.classification.study.tasks import open_again  # noqa: PLC0415 — as above

        index = self._index
        answers = self.keep(self._answer_series(index))
        if self._options.series_alone:
            yield from answers
        else:
            metadata = self._session.bundle.metadata
            yield from iter_judged(
                answers, metadata, lambda place: open_again(place, index.read_batches(place.series))
            )

    def _answer_series(self, index: "SeriesIndex") -> Iterator[Answer]:
        """Yield an answer for each series of the index."""
        from gadoscope.reading.dicom.grouping.identify import identify_series  # noqa: PLC0415 — needs pydicom

        identify_series(index)
        n_series = index.n_series
        for n_done, answer in enumerate(self._workers.answer(index), start=1):
            self._report(n_series=n_series, n_series_done=n_done)
            yield answer

    def _answer_inside(self, container: Container) -> Iterator[Answer]:
        """Answer what a zip holds or a DICOMDIR or an index names, in its place among the other inputs."""
        from gadoscope.reading.archives.containers import list_archive, list_directory  # noqa: PLC0415 — need pydicom
        from gadoscope.reading.archives.indexes import list_index  # noqa: PLC0415
        from gadoscope.reading.archives.zips import close_archives  # noqa: PLC0415

        self._open.callback(close_archives)
        found, base = container.found, empty_row(str(container.found.source), self._session)
        if container.kind is ContainerKind.ARCHIVE:
            inside = keep_going(lambda: list_archive(found.source, self._n_listed), base)
        elif container.kind is ContainerKind.BIDS_INDEX:
            inside = keep_going(lambda: list_index(found), base)
        else:
            inside = keep_going(lambda: list_directory(found), base)
        if isinstance(inside, SeriesResult):
            yield Answer((inside,))
        else:
            yield from self.answer_inputs(inside)

    def _take_instances(self, batches: "Sequence[Batch]", n_files: int) -> None:
        """Add DICOM instances to the index, and say how many files were looked at."""
        if batches:
            index = self._open_index()
            index.add(batches)
            self._n_instances = index.n_instances
        self._report(n_files)

    def _open_index(self) -> "SeriesIndex":
        from gadoscope.reading.dicom.grouping.index import SeriesIndex  # noqa: PLC0415 — slices and NIfTI do without

        if self._index is None:
            self._index = self._open.enter_context(SeriesIndex())
        return self._index

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


def _ignore(_: Progress) -> None:
    """Watch nothing."""
