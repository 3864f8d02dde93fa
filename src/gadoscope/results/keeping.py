"""Who keeps answers while a run gives them: a journal beside a table, or a store."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, Self

from gadoscope.labels import SeriesResult
from gadoscope.reading.stamps import Stamp


@dataclass(frozen=True)
class Origin:
    """By what a content is known again without reading it.

    Parameters
    ----------
    stamp
        Of its files, see `gadoscope.reading.stamps`; ``None`` where they have none.
    headers
        Digest of the headers of a DICOM series, and of what else its answer depends on but the pixels.
    """

    stamp: str | None = None
    headers: str | None = None

    @classmethod
    def of(cls, stamp: Stamp | None, headers: str | None = None) -> Self:
        """Return the origin of what has a stamp, or none."""
        return cls(None if stamp is None else stamp.digest, headers)


@dataclass(frozen=True)
class Lying:
    """What lies at a place.

    Parameters
    ----------
    digest
        Of the content.
    study
        Digest of the series that it was judged with; empty where it stands alone.
    rows
        What this model and version said of it there, without a path; none if it was not asked.
    stamp
        Of its files when they were read; ``None`` where they had none.
    """

    digest: str
    study: str
    rows: tuple[SeriesResult, ...] = ()
    stamp: str | None = None


NOWHERE = Origin()


class Keeper(Protocol):
    """Takes answers as they come, and knows those of earlier runs by their content.

    What finds, recalls and tells is called by several threads, all else by the one that reads rows.
    """

    remembers: bool
    """Whether it keeps what was found in groups of files."""

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

    def find(self, digest: str, study: str = "") -> tuple[SeriesResult, ...] | None:
        """Return the rows that an earlier run gave to this content, without a path; ``None`` if none did.

        By itself, or where it was judged with the series of a study.
        """

    def recall_places(self, stamps: Mapping[str, str | None]) -> dict[str, Lying]:
        """Return what lies at some paths, of those where a run was and whose files were not written since.

        Parameters
        ----------
        stamps
            Of the files, by path; ``None`` takes what was there, whether it was written since or not.
        """

    def find_moved(self, headers: str) -> str | None:
        """Return the digest of the one content of these headers that is no longer where it was."""

    def recall_scans(self, stamps: Sequence[str]) -> dict[str, bytes]:
        """Return what `keep_scan` was given for files of some stamps, by stamp."""

    def keep_scan(self, stamp: str, content: bytes) -> None:
        """Keep what was found in a group of files; where a keeper does not remember, do nothing."""

    def add(self, digest: str, rows: Sequence[SeriesResult]) -> None:
        """Keep the rows of one content, as they are before its study is judged.

        Where one failed none is kept, for it may be mended.

        Raises
        ------
        OutputError
            If the disk is full.
        """

    def settle(
        self,
        digest: str | None,
        rows: Sequence[SeriesResult],
        study: str,
        origin: Origin = NOWHERE,
        *,
        is_known: bool = False,
    ) -> None:
        """Keep where a content lies, and the rows that it has in the end.

        Parameters
        ----------
        digest
            Of the content; ``None`` where nobody knows it.
        rows
            Of the content, to which nothing is changed any more.
        study
            Digest of the series that it was judged with; empty where it stands alone.
        origin
            By what it is known again.
        is_known
            Whether it has these very rows already.

        Raises
        ------
        OutputError
            If the disk is full.
        """

    def is_suspect(self, digest: str) -> bool:
        """Return whether a run died while it decoded a file of this content, perhaps of that."""

    def decoding(self, digest: str) -> AbstractContextManager[None]:
        """Note that the block decodes a file of this content."""

    def finish(self, *, has_seen_all: bool = True) -> None:
        """Note that the run came to its end.

        Parameters
        ----------
        has_seen_all
            Whether everything below its roots was looked at: what was there before is gone then.
        """
