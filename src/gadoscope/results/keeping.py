"""Who keeps answers while a run gives them: a journal beside a table, or a store."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from gadoscope.labels import SeriesResult


class Keeper(Protocol):
    """Takes answers as they come, and knows those of earlier runs by their content.

    `find`, `is_suspect` and `decoding` are called by several threads, all else by the one that reads rows.
    """

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
        """Open it for the answers of one bundle.

        Parameters
        ----------
        model
            SHA-256 of the bundle.
        version
            Of the program, as far as it decides about answers, and how headers are quoted.
        forget
            Ending of the versions that this run must not keep beside its table.
        name
            What rows call the bundle.
        metadata
            What the bundle says of itself, as JSON.
        roots
            The paths that were named.

        Raises
        ------
        UsageError
            If what lies there is of another program or a newer Gadoscope.
        OutputError
            If it cannot be written.
        """

    @property
    def may_know(self) -> bool:
        """Return whether `find` may find anything."""

    def find(self, digest: str) -> tuple[SeriesResult, ...] | None:
        """Return the rows that an earlier run gave to this content, without a path; ``None`` if none did."""

    def add(self, digest: str, rows: Sequence[SeriesResult]) -> None:
        """Keep the rows of one content, as they are before its study is judged.

        Where one failed none is kept, for it may be mended.

        Raises
        ------
        OutputError
            If the disk is full.
        """

    def settle(self, digest: str | None, rows: Sequence[SeriesResult], study: str) -> None:
        """Keep where a content lies, and the rows that it has in the end.

        Parameters
        ----------
        digest
            Of the content; ``None`` where nobody knows it.
        rows
            Of the content, to which nothing is changed any more.
        study
            Digest of the series that it was judged with; empty where it stands alone.

        Raises
        ------
        OutputError
            If the disk is full.
        """

    def is_suspect(self, digest: str) -> bool:
        """Return whether a run died while it decoded a file of this content, perhaps of that."""

    def decoding(self, digest: str) -> AbstractContextManager[None]:
        """Note that the block decodes a file of this content."""

    def finish(self) -> None:
        """Note that the run came to its end."""
