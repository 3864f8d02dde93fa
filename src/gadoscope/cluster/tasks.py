"""What a worker of a cluster does: plain functions of plain values, which need no Dask.

A worker loads the bundle once and keeps it from task to task.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from gadoscope.classification.inputs import Container, Examiner, Instance, Unasked
from gadoscope.classification.local import pack_instances
from gadoscope.classification.options import RunOptions
from gadoscope.classification.rows import Answer
from gadoscope.classification.run import ANSWERS_VERSION
from gadoscope.classification.study.whole import StudyTask, answer_study
from gadoscope.errors import GadoscopeError
from gadoscope.inference.default import find_model
from gadoscope.inference.session import Session
from gadoscope.labels import QuoteMode, SeriesResult, without_picture
from gadoscope.reading.dicom.grouping.batches import Batch
from gadoscope.reading.dicom.grouping.kept import encode_scan
from gadoscope.reading.discover import Found
from gadoscope.reading.scan import scan_group, split_groups
from gadoscope.results.keeping import NOWHERE, Lying, Origin
from gadoscope.version import __version__


@dataclass(frozen=True)
class Setup:
    """What every task of a run is told.

    Parameters
    ----------
    model
        The bundle as the user named it: ``default``, or an absolute path.
    sha256
        Of the bundle.
    quote, series_alone, pictures, since
        As of `RunOptions`.
    keeps
        Whether answers are kept somewhere, and so need digests.
    version, answers_version
        Of the Gadoscope that asks.
    """

    model: str
    sha256: str
    quote: QuoteMode
    series_alone: bool
    pictures: bool
    since: float | None
    keeps: bool
    version: str = __version__
    answers_version: int = ANSWERS_VERSION


@dataclass(frozen=True)
class LookTask:
    """Some files to look at.

    Parameters
    ----------
    setup
        Of the run.
    group
        The files.
    asks_later
        Whether what has a digest is only told: see `Unasked`.
    stamps
        Of those of them whose answers are known, by path: a worker does not read what has the same now.
    number
        Under which the run finds these answers again.
    is_suspect
        Whether a worker died of one of them: then pictures are decoded in a process apart.
    """

    setup: Setup
    group: Sequence[Found]
    asks_later: bool = False
    is_suspect: bool = False
    stamps: Mapping[str, str] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True)
class Looked:
    """What was found in a group of files.

    Parameters
    ----------
    batches
        The DICOM instances among them, by series.
    others
        What became of the others, in their order.
    n_files, seconds
        How many a worker looked at, and how long it took; 0 where none did.
    scans
        What is to be remembered of groups of files, by their stamps.
    number
        Of the task.
    """

    batches: list[Batch]
    others: list[Answer | Container | Unasked]
    n_files: int = 0
    seconds: float = 0.0
    scans: Sequence[tuple[str, bytes]] = ()
    number: int = 0


@dataclass(frozen=True)
class AnswerTask:
    """A study to answer."""

    setup: Setup
    study: StudyTask


class _KeptElsewhere:
    """In the place of a journal, which the run has: nothing is known here, but digests are wanted."""

    def __init__(self, *, is_suspect: bool = False) -> None:
        self._is_suspect = is_suspect

    def begin(
        self,
        *,
        model: str,
        version: str,
        forget: str = "",
        name: str = "",
        metadata: str = "",
        roots: Sequence[str] = (),
    ) -> None:
        """Do nothing."""

    may_know = remembers = False
    """Nothing is known here."""

    def find(self, digest: str, study: str = "") -> None:
        """Know nothing."""

    def recall_places(self, stamps: Mapping[str, str | None]) -> dict[str, Lying]:
        """Know nothing."""
        return {}

    def find_moved(self, headers: str) -> None:
        """Know nothing."""

    def recall_scans(self, stamps: Sequence[str]) -> dict[str, bytes]:
        """Know nothing."""
        return {}

    def keep_scan(self, stamp: str, content: bytes) -> None:
        """Keep nothing."""

    def add(self, digest: str, rows: Sequence[SeriesResult]) -> None:
        """Keep nothing."""

    def settle(
        self,
        digest: str | None,
        rows: Sequence[SeriesResult],
        study: str,
        origin: Origin = NOWHERE,
        *,
        is_known: bool = False,
    ) -> None:
        """Keep nothing."""

    def finish(self, *, has_seen_all: bool = True) -> None:
        """Do nothing."""

    def is_suspect(self, digest: str) -> bool:
        """Return whether pictures are decoded apart."""
        return self._is_suspect

    def decoding(self, digest: str) -> AbstractContextManager[None]:
        """Note nothing: if this process dies, whoever waits for it knows."""
        return nullcontext()


def look_at(task: LookTask) -> Looked:
    """Look at a group of files: headers of DICOM instances are read, everything else is answered."""
    began = time.monotonic()
    session = load_session(task.setup)
    options = _options_of(task.setup, is_suspect=task.is_suspect)
    examiner = Examiner(session, options, asks_later=task.asks_later, stamps=task.stamps)
    batches: list[Batch] = []
    others: list[Answer | Container | Unasked] = []
    scans: list[tuple[str, bytes]] = []
    for group in split_groups(task.group):
        scanned = scan_group(group)
        outcomes = examiner.examine_group([group[place] for place in scanned.left])
        late = pack_instances(one for one in outcomes if isinstance(one, Instance))
        batches += [*scanned.batches, *late]
        others += [_as_asked(one, task.setup) for one in outcomes if not isinstance(one, Instance)]
        known = group[0].group
        if known is not None and known.n_files == len(group) and scanned.batches:
            scans.append((known.stamp, encode_scan(scanned.batches, scanned.left, len(group))))
    return Looked(batches, others, len(task.group), time.monotonic() - began, scans, task.number)


def _as_asked(one: Answer | Container | Unasked, setup: Setup) -> Answer | Container | Unasked:
    """Take away what an answer has for whoever keeps it, where nobody does: a suspect has it all the same."""
    if setup.keeps or setup.pictures or not isinstance(one, Answer):
        return one
    return replace(one, digest=None, rows=tuple(map(without_picture, one.rows)))


def answer(task: AnswerTask) -> list[Answer]:
    """Answer the series of a study."""
    return answer_study(task.study, load_session(task.setup), _options_of(task.setup))


def check_worker(setup: Setup) -> str:
    """Return why this worker cannot work for a run, or nothing; the bundle is loaded now."""
    try:
        load_session(setup)
    except GadoscopeError as error:
        return str(error)
    return ""


def find_size(path: str) -> tuple[int, str]:
    """Return the length of a file as this worker sees it, -1 if it does not, and the folder that it is in."""
    try:
        return Path(path).stat().st_size, str(Path.cwd())
    except (OSError, ValueError):
        return -1, str(Path.cwd())


def _options_of(setup: Setup, *, is_suspect: bool = False) -> RunOptions:
    # A suspect's digest is what tells that it is one.
    keeper = _KeptElsewhere(is_suspect=is_suspect) if setup.keeps or is_suspect else None
    return RunOptions(
        journal=keeper,
        series_alone=setup.series_alone,
        quote=setup.quote,
        pictures=setup.pictures,
        since=setup.since,
    )


_loaded: dict[str, Session] = {}
_lock = threading.Lock()


def load_session(setup: Setup) -> Session:
    """Return the bundle of a run, loaded once in this process.

    Raises
    ------
    GadoscopeError
        If this worker is no such Gadoscope, or has no such bundle.
    """
    if (setup.version, setup.answers_version) != (__version__, ANSWERS_VERSION):
        raise GadoscopeError(
            f"it has Gadoscope {__version__} (answers {ANSWERS_VERSION}), and this run needs "
            f"{setup.version} (answers {setup.answers_version})"
        )
    with _lock:
        session = _loaded.get(setup.sha256)
        if session is None:
            session = Session(find_model(setup.model))
            if session.bundle.sha256 != setup.sha256:
                raise GadoscopeError(
                    f"its bundle {setup.model} has the SHA-256 {session.bundle.sha256[:8]}..., and "
                    f"that of this run {setup.sha256[:8]}..."
                )
            _loaded.clear()  # a worker serves one run after another; a bundle takes a hundred megabytes
            _loaded[setup.sha256] = session
        return session
