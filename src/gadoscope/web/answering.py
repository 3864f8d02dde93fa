"""Uploads and paths answered by the bundle that stays loaded, within limits, and with an eye on a stop."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from gadoscope.classification.options import Progress, RunOptions
from gadoscope.classification.run import answer_inputs
from gadoscope.inference.session import Session
from gadoscope.labels import SeriesResult
from gadoscope.parallel import count_jobs
from gadoscope.reading.discover import iter_inputs
from gadoscope.reading.formats import Kind
from gadoscope.reading.given import Input
from gadoscope.web.metrics import Metrics
from gadoscope.web.problems import Problem, too_many
from gadoscope.web.settings import Limits
from gadoscope.web.unpacked import check_unpacked
from gadoscope.web.uploads import Upload, iter_uploaded

FEW_FILES = 4
"""Are answered by one thread: many such requests come at once."""

Note = Callable[[Progress], None]
"""Hears how far it is; may raise to stop."""


class Answering:
    """Answers what was sent. For several threads.

    Parameters
    ----------
    session
        The bundle.
    limits
        Of requests.
    metrics
        Count the answers.
    """

    def __init__(self, session: Session, limits: Limits, metrics: Metrics) -> None:
        self._session, self._limits, self._metrics = session, limits, metrics

    def uploads(self, uploads: list[Upload], note: Note) -> Iterator[SeriesResult]:
        """Yield the rows of uploads, under the names that their sender gave them.

        Raises
        ------
        Problem
            If they hold more than a request may.
        """
        check_unpacked(uploads, self._limits)
        self._metrics.uploaded.inc(sum(one.n_bytes for one in uploads))
        hide = {str(one.path): one.name for one in uploads if one.kind is Kind.ZIP}
        is_small = len(uploads) <= FEW_FILES and all(one.kind is not Kind.ZIP for one in uploads)
        for row in self._answer(iter_uploaded(uploads), note, 1 if is_small else 0):
            yield _renamed(row, hide)

    def path(self, path: Path, note: Note) -> Iterator[SeriesResult]:
        """Yield the rows of what lies at a path."""
        return self._answer(iter_inputs([path]), note, 0)

    def _answer(self, inputs: Iterator[Input], note: Note, jobs: int) -> Iterator[SeriesResult]:
        until = time.monotonic() + self._limits.job_seconds

        def watch(progress: Progress) -> None:
            note(progress)
            if time.monotonic() > until:
                raise Problem(
                    413,
                    "too-long",
                    f"this takes longer than {self._limits.job_seconds:.0f} s; send less at once.",
                )

        rows = answer_inputs(inputs, self._session, jobs=count_jobs(jobs), options=RunOptions(watch=watch))
        with closing(rows):
            for n_before, row in enumerate(rows):
                if n_before >= self._limits.files:
                    raise too_many(self._limits.files, "inputs")
                self._metrics.count_answer(row)
                yield row


def find_below(asked: str, roots: Sequence[Path]) -> Path:
    """Return the path that was named, if it lies below an allowed root; links are followed first.

    Raises
    ------
    Problem
        403, in the same words whether it is there or not: nobody learns what lies elsewhere.
    """
    if not roots:
        raise Problem(
            403, "paths-off", "this server takes uploads alone; `gadoscope serve --root` allows paths."
        )
    try:
        path = Path(asked).resolve(strict=True)
        if any(path.is_relative_to(root.resolve()) for root in roots):
            return path
    except (OSError, ValueError, RuntimeError):
        pass
    raise Problem(403, "outside-roots", "this path is not below an allowed root, or is not there.")


def _renamed(row: SeriesResult, names: dict[str, str]) -> SeriesResult:
    """Return a row with the sender's names in the place of ours."""

    def rename(text: str) -> str:
        for ours, theirs in names.items():
            text = text.replace(ours, theirs)
        return text

    if not any(ours in text for ours in names for text in (row.path, row.reason, *row.warnings)):
        return row
    warnings = tuple(rename(text) for text in row.warnings)
    return replace(row, path=rename(row.path), reason=rename(row.reason), warnings=warnings)
