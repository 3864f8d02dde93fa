"""Files are looked at by workers, a group a task; their headers and answers come back in order."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from gadoscope.classification.engine import Take
from gadoscope.classification.inputs import Container, Examiner, Instance, Unasked
from gadoscope.classification.local import pack_instances
from gadoscope.classification.rows import Answer, empty_row, take_over
from gadoscope.cluster.checks import check_path
from gadoscope.cluster.flight import Course, DiedError, Flight, Ready
from gadoscope.cluster.run import ClusterRun
from gadoscope.cluster.tasks import Looked, LookTask, look_at
from gadoscope.errors import ReadError
from gadoscope.labels import SeriesResult
from gadoscope.reading.dicom.grouping.batches import Batch
from gadoscope.reading.discover import Found
from gadoscope.reading.given import Input
from gadoscope.reading.scan import is_remembered_with
from gadoscope.results.keeping import Keeper, Lying

FIRST_FILES, MOST_FILES = 8, 256
"""In a task: headers take a sixth of a millisecond each, volumes seconds; so it starts small and follows what
the last ones took."""
TASK_S = 0.25
"""That a task shall take: a hundred times what sending it costs, and little to lose when a worker dies."""


class FileWork:
    """The files of one run."""

    def __init__(self, run: ClusterRun) -> None:
        self._run, self._options, self._journal = run, run.options, run.options.journal
        self._examiner = Examiner(run.session, run.options)
        self._n_files = FIRST_FILES
        self._is_path_checked = False
        self._asks = self._journal is not None and self._journal.may_know
        self._known: dict[int, list[Answer | None]] = {}  # by what asked
        self._lying: dict[int, dict[str, Lying]] = {}  # by the number of the task, and the path as it is sent
        self._numbers = count(1)
        self.unpacked: set[str] = set()
        """Archives that were unpacked in this process: what is in them is answered here."""

    def look(self, inputs: Iterable[Input], take: Take) -> Iterator[Answer | Container]:
        """Yield what became of inputs, as `Workers.look`."""
        course = Course(
            function=look_at, alone=self._look_alone, tick=lambda: take((), 0), follow=self._follow
        )
        for results in Flight(self._run.client, self._run.n_ahead, course).map(self._list_tasks(inputs)):
            for looked in results:
                self._adapt(looked)
                for stamp, content in looked.scans:
                    self._keep_scan(stamp, content)
            batches, others = self._settle(results)
            self._lying.pop(results[0].number, None)
            take(batches, sum(batch.n_instances for batch in batches) + len(others))
            yield from map(self._run.places.receive, others)

    def _list_tasks(self, inputs: Iterable[Input]) -> "Iterator[LookTask | Ready[Looked]]":
        """Yield groups of files for workers; what has to stay here is looked at when its turn comes."""
        group: list[Found] = []
        for given in inputs:
            one = self._run.places.send(given) if isinstance(given, Found) else given
            travels = isinstance(one, Found) and not one.stays
            if group and not (travels and (len(group) < self._n_files or is_remembered_with(one, group[-1]))):
                yield self._task(group)
                group = []
            if isinstance(one, Found) and travels:
                self._check_path(one)
                group.append(one)
            else:
                yield Ready(self._look_here(one))
        if group:
            yield self._task(group)

    def _task(self, group: Sequence[Found]) -> LookTask:
        """Return the task of a group, with the stamps of what is known to lie there."""
        task = LookTask(self._run.setup, group, asks_later=self._asks)
        if self._journal is None or not self._asks:
            return task
        receive = self._run.places.receive_source
        named = {str(receive(found.source)): str(found.source) for found in group if found.error is None}
        lying = self._journal.recall_places(dict.fromkeys(named))
        known = {named[path]: one for path, one in lying.items() if one.stamp is not None and one.rows}
        number = next(self._numbers)
        self._lying[number] = known
        return replace(task, number=number, stamps={path: str(one.stamp) for path, one in known.items()})

    def _check_path(self, found: Found) -> None:
        """Let all workers look for the first file of a disk; an address is one everywhere."""
        if not self._is_path_checked and found.error is None and found.source.remote is None:
            self._is_path_checked = True
            check_path(self._run.client, found.source.on_disk)

    def _look_here(self, one: Input) -> Looked:
        if isinstance(one, Found) and one.source.member:
            self.unpacked.add(str(one.source.path))
        outcomes = self._examiner.examine_group([one])
        instances = [outcome for outcome in outcomes if isinstance(outcome, Instance)]
        others = [outcome for outcome in outcomes if not isinstance(outcome, Instance)]
        return Looked(pack_instances(instances), others)

    def _keep_scan(self, stamp: str, content: bytes) -> None:
        if self._journal is not None:
            self._journal.keep_scan(stamp, content)

    def _adapt(self, looked: Looked) -> None:
        """Give the next tasks as many files as these would have had to take `TASK_S`."""
        if looked.seconds:
            wanted = int(looked.n_files * TASK_S / looked.seconds)
            # No more than doubled: the next files may be others.
            self._n_files = max(1, min(wanted, 2 * self._n_files, MOST_FILES))

    def _follow(self, looked: Looked) -> LookTask | None:
        """Ask whoever keeps answers; return the task of those that it does not know."""
        unasked = [one for one in looked.others if isinstance(one, Unasked)]
        if not unasked or self._journal is None:
            return None
        lying = self._lying.get(looked.number, {})
        known = [_take_over_lying(one, lying) or _recall(one, self._journal) for one in unasked]
        self._known[id(looked)] = known
        unknown = [Found(one.source) for one, answer in zip(unasked, known, strict=True) if answer is None]
        return LookTask(self._run.setup, unknown) if unknown else None

    def _settle(self, results: Sequence[Looked]) -> tuple[list[Batch], list[Answer | Container]]:
        """Return the instances of a group, and of others what was known or answered then."""
        first, *later = results
        known = iter(self._known.pop(id(first), ()))
        answered = iter([one for looked in later for one in looked.others if not isinstance(one, Unasked)])
        others = [next(known) or next(answered) if isinstance(one, Unasked) else one for one in first.others]
        return [batch for looked in results for batch in looked.batches], others

    def _look_alone(self, task: LookTask, run: Callable[[LookTask], Looked]) -> Looked:
        """Look at each file of a group whose workers died, one after the other; fail the one they die of."""
        batches: list[Batch] = []
        others: list[Answer | Container | Unasked] = []
        for found in task.group:
            try:
                results = [run(replace(task, group=[found], is_suspect=True))]
                follows = self._follow(results[0])
                if follows is not None:
                    results.append(run(replace(follows, is_suspect=True)))
                settled = self._settle(results)
            except DiedError:
                base = empty_row(str(found.source), self._run.session, self._options.row_kind)
                settled = [], [Answer((failed_row(base),))]
            batches.extend(settled[0])
            others.extend(settled[1])
        return Looked(batches, others, number=task.number)


def failed_row(base: SeriesResult) -> SeriesResult:
    """Return the row of what kills its worker each time."""
    error = ReadError(
        "worker_died",
        "each process that read this ended while it did, also with nothing else under way; look at it alone, "
        "on one machine.",
    )
    return replace(base, status=error.status, reason=str(error))


def _take_over_lying(one: Unasked, lying: Mapping[str, Lying]) -> Answer | None:
    """Return the answer to what a worker did not read, for it is as it was."""
    there = None if one.digest else lying.get(str(one.source))
    return None if there is None else take_over(there.rows, str(one.source), there.digest, one.origin)


def _recall(one: Unasked, keeper: Keeper) -> Answer | None:
    """Return the answer that an earlier run gave to the same content, under this path."""
    rows = keeper.find(one.digest) if one.digest else None
    return None if rows is None else take_over(rows, str(one.source), one.digest, one.origin)
