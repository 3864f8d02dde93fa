"""Paths as workers know them: absolute on the way there, and on the way back as the user named them."""

import os
from dataclasses import replace
from pathlib import Path

from gadoscope.classification.inputs import Container
from gadoscope.classification.rows import Answer
from gadoscope.errors import UsageError
from gadoscope.labels import SeriesResult
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.discover import Found


class Places:
    """The paths of one run. Either all of them are relative to the folder that it was started in, or none."""

    def __init__(self) -> None:
        self._folder = Path.cwd()
        self._start = os.path.join(self._folder, "")  # noqa: PTH118 — a Path has no separator at its end
        self._is_relative: bool | None = None

    def send(self, found: Found) -> Found:
        """Return an input as workers can open it.

        Raises
        ------
        UsageError
            If some paths are relative and others absolute: the rows could not be told apart.
        """
        if found.source.held is not None or found.source.remote is not None:
            return found
        path = found.source.on_disk
        is_relative = not path.is_absolute()
        if self._is_relative is None:
            self._is_relative = is_relative
        if is_relative is not self._is_relative:
            raise UsageError(
                f"{path} is {'relative' if is_relative else 'absolute'}, and other paths are not; with a "
                "cluster name all paths from the root, or all from the current folder."
            )
        # Joined and not resolved: taking the folder away again gives the very text.
        return replace(found, source=self._send(found.source)) if is_relative else found

    def _send(self, source: Source) -> Source:
        return Source(self._folder / source.on_disk, source.member)

    def receive(self, outcome: Answer | Container) -> Answer | Container:
        """Return what became of an input under the path that the user named."""
        if isinstance(outcome, Answer):
            return self.receive_answer(outcome)
        if not self._is_relative:
            return outcome
        return replace(outcome, found=replace(outcome.found, source=self._receive(outcome.found.source)))

    def receive_answer(self, answer: Answer) -> Answer:
        """Return an answer under the path that the user named."""
        if not self._is_relative:
            return answer
        judged = answer.judged and tuple(map(self._receive_row, answer.judged))
        return replace(answer, rows=tuple(map(self._receive_row, answer.rows)), judged=judged)

    def receive_source(self, source: Source) -> Source:
        """Return where something lies as the user named it."""
        return self._receive(source) if self._is_relative else source

    def _receive(self, source: Source) -> Source:
        if source.remote is not None:
            return source
        return Source(source.text.removeprefix(self._start), source.member, source.held)

    def _receive_row(self, row: SeriesResult) -> SeriesResult:
        return replace(row, path=row.path.removeprefix(self._start))
