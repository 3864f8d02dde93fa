"""The engine of one machine: threads, and once files are many, processes that read headers.

Threads take a few inputs each from file to answer: Pillow's decoders and ONNX Runtime release Python's
lock, so two threads keep two cores busy. Of DICOM instances they read the headers; once there are
many, processes read the headers, which is Python's own work and keeps its lock.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING

from gadoscope.classification.engine import Take
from gadoscope.classification.inputs import Container, Examiner, Instance, Outcome
from gadoscope.classification.options import RunOptions
from gadoscope.classification.remembered import in_groups_of, remember
from gadoscope.classification.rows import Answer
from gadoscope.inference.session import Session
from gadoscope.parallel import map_ahead
from gadoscope.reading.discover import Found
from gadoscope.reading.given import Input

if TYPE_CHECKING:
    from gadoscope.classification.study.tasks import SeriesTask, Study, StudyReader
    from gadoscope.classification.workers import HeaderWorkers
    from gadoscope.reading.dicom.grouping.batches import Batch
    from gadoscope.reading.dicom.grouping.index import SeriesEntry, SeriesIndex

INPUTS_PER_GROUP = 8
"""Inputs that a worker reads before it runs the network on them.

Decoding and the network want the processor's caches for themselves: by turns for each image costs
10 % more than by turns for each 8 (measured with the lesson's network); 64 gain 2 % more.
"""

GROUPS_PER_JOB = 3
"""Groups under way for each worker: enough that one slow file at the front keeps no worker waiting."""

INSTANCES_BEFORE_WORKERS = 2000
"""DICOM instances after which processes read headers: they take as long to start as threads to read these."""


class LocalEngine:
    """Threads and processes of this machine.

    Parameters
    ----------
    jobs
        How many.
    """

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def start(self, session: Session, options: RunOptions) -> "LocalWorkers":
        """Return workers for one run."""
        return LocalWorkers(session, options, self._jobs)


class LocalWorkers:
    """What a run has open: its threads, and once there are many DICOM instances the processes."""

    is_here = True

    def __init__(self, session: Session, options: RunOptions, jobs: int) -> None:
        self._session, self._options, self._jobs = session, options, jobs
        self._examiner = Examiner(session, options)
        self._open = ExitStack()
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="classify")
        self._open.callback(self._pool.shutdown, wait=True, cancel_futures=True)
        self._header_workers: HeaderWorkers | None = None
        self._n_instances = 0

    def close(self) -> None:
        """End the threads and the processes."""
        self._open.close()
        if "gadoscope.reading.decoding.apart" in sys.modules:  # most runs start no process
            from gadoscope.reading.decoding.apart import close_decoders  # noqa: PLC0415 — as above

            close_decoders()  # after the threads, of which one may have been decoding still

    def look(self, inputs: Iterable[Input], take: Take) -> Iterator[Answer | Container]:
        """Yield what became of inputs, as `Workers.look`."""
        groups = in_groups_of(self._take_out_instances(inputs, take), INPUTS_PER_GROUP)
        n_ahead = self._jobs * GROUPS_PER_JOB
        for group, outcomes in map_ahead(self._pool, self._examine, groups, n_ahead):
            batches = pack_instances([one for one in outcomes if isinstance(one, Instance)])
            left = [place for place, one in enumerate(outcomes) if not isinstance(one, Instance)]
            remember(self._options.journal, group, batches, left)
            self._take(take, batches, len(outcomes))
            others = (outcomes[place] for place in left)
            yield from (one for one in others if isinstance(one, (Answer, Container)))

    def _examine(self, group: Sequence[Input]) -> tuple[Sequence[Input], list[Outcome]]:
        return group, self._examiner.examine_group(group)

    def answer(self, index: "SeriesIndex") -> Iterator[Answer]:
        """Yield an answer for each series, as `Workers.answer`."""
        from gadoscope.classification.study.tasks import StudyReader  # noqa: PLC0415 — needs pydicom

        reader = StudyReader(self._session, self._options)
        return map_ahead(
            self._pool, reader.answer, self._list_tasks(index, reader), self._jobs * GROUPS_PER_JOB
        )

    def _take_out_instances(self, inputs: Iterable[Input], take: Take) -> Iterator[Input]:
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
            files: list[Input] = []
            scans = self._start_header_workers().scan(chain([one], _until_it_stays(rest, files)))
            for group, scanned in scans:
                remember(self._options.journal, group, scanned.batches, scanned.left)
                self._take(take, scanned.batches, len(group) - len(scanned.left))
                yield from (group[place] for place in scanned.left)
            yield from files

    def _take(self, take: Take, batches: "list[Batch]", n_files: int) -> None:
        self._n_instances += sum(batch.n_instances for batch in batches)
        take(batches, n_files)

    def _start_header_workers(self) -> "HeaderWorkers":
        from gadoscope.classification.workers import HeaderWorkers  # noqa: PLC0415 — only where files are many

        if self._header_workers is None:
            self._header_workers = self._open.enter_context(HeaderWorkers(self._jobs))
        return self._header_workers

    def _list_tasks(self, index: "SeriesIndex", reader: "StudyReader") -> "Iterator[SeriesTask | Answer]":
        """Yield the series of each study, or its answers where it is as it was; a few studies ahead."""
        is_known = reader.memory.is_asked

        def read(found: "tuple[Sequence[SeriesEntry], list[list[bytes]]]") -> "Study | list[Answer]":
            answers = reader.recall(*found) if is_known else None
            return reader.read_study(found[0]) if answers is None else answers

        packed = (
            (entries, [index.read_batches(entry.number) for entry in entries] if is_known else [])
            for entries in index.iter_studies()
        )
        for number, study in enumerate(map_ahead(self._pool, read, packed, self._jobs + 1)):
            if isinstance(study, list):
                yield from study
            else:
                yield from study.list_tasks(number, index.read_batches)


def pack_instances(instances: Iterable[Instance]) -> "list[Batch]":
    """Return instances as batches for the index, by series."""
    found = list(instances)
    if not found:
        return []
    from gadoscope.reading.dicom.grouping.batches import pack  # noqa: PLC0415 — slices and NIfTI do without

    return pack((instance.header, instance.source) for instance in found)


def _until_it_stays(inputs: Iterator[Input], stopped_at: list[Input]) -> Iterator[Found]:
    """Pass files on until an input comes that is read in this process; it is put aside."""
    for one in inputs:
        if not isinstance(one, Found) or one.stays:
            stopped_at.append(one)
            return
        yield one
