"""A store that takes the answers of a run, and knows those of all runs before."""

import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa

from gadoscope.labels import SeriesResult
from gadoscope.results.journal import Journal
from gadoscope.results.keeping import NOWHERE, Lying, Origin
from gadoscope.results.store.batch import Batch
from gadoscope.results.store.codec import ROW_COLUMNS, count_statuses, from_values, now
from gadoscope.results.store.kept import take_in
from gadoscope.results.store.opening import WRITES, explained, open_engine, use_wal
from gadoscope.results.store.outage import (
    GoneError,
    Patience,
    Say,
    iter_kept,
    name_kept,
    say_on_stderr,
    state_folder,
)
from gadoscope.results.store.places import (
    LEAVE_ALL,
    STILL_THERE,
    find_moved,
    find_places,
    find_scans,
    list_folders,
)
from gadoscope.results.store.reader import StoreReader
from gadoscope.results.store.schema import ALONE, WHOLE
from gadoscope.results.store.writer import begin_run, end_run, forget_scans, note_suspects, write_batch
from gadoscope.results.under_way import UnderWay
from gadoscope.text import escaped

COMMIT_SECONDS = 1.0
"""A kill loses no more work than this."""
MOST_WAITING = 5000
"""Rows that wait to be written, however fast they come: some 5 MB."""
UNDER_WAY_SUFFIX = ".decoding"
FORGOTTEN_SECONDS = 24 * 3600.0
"""What a run notes of files under way is touched with each of them; what nobody touched for so long is of a
run that died."""

_FIND = (
    f"SELECT {', '.join(ROW_COLUMNS)} FROM answers WHERE digest = :digest AND study = :study "  # noqa: S608 — ours
    f"AND model_id = :model AND version = :version ORDER BY volume_index = {WHOLE}, volume_index"
)
_MAY_KNOW = "SELECT 1 FROM answers WHERE model_id = :model AND version = :version LIMIT 1"


class Store(StoreReader):
    """Answers in a database: rows to ask for, and a `Keeper` of those of a run. A run at a time.

    `begin` makes it where there is none. Answers of this model and version are always taken over. Where the
    database goes away it is waited for; then the rest is kept in a journal on this machine (`kept_in`), which
    the next run with this store takes in.
    """

    remembers = True

    def __init__(self, url: str, *, say: Say = say_on_stderr) -> None:
        super().__init__(url, say=say)
        self._engine: sa.Engine | None = None
        self._journal: Journal | None = None
        self._suspects: frozenset[str] = frozenset()
        own = state_folder() / f"{self.address.key}-{os.getpid()}{UNDER_WAY_SUFFIX}"
        self._under_way = UnderWay(own)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def kept_in(self) -> Path | None:
        """Return the journal on this machine that has the answers since the database went away."""
        return None if self._journal is None else self._journal.path

    def begin(
        self,
        *,
        model: str,
        version: str,
        forget: str = "",
        name: str = "",
        metadata: str = "{}",
        roots: Sequence[str] = (),
    ) -> None:
        """Open it for the answers of one bundle; parameters and errors of a `Keeper`.

        Nothing is forgotten: who asked for full quotes has them in the store.
        """
        self._engine = engine = open_engine(self.address, writes=True)
        self._patience = Patience(self.address.shown, self.say)
        self._batch, self._written, self._is_finished = Batch(), time.monotonic(), False
        self._journal = None
        self._unlisted: list[str] = []
        self._has_seen_all = False
        self._told = {"model": model, "version": version, "name": name, "metadata": metadata}
        self._roots, self._token = tuple(map(str, roots)), uuid.uuid4().hex
        with explained(self.address):
            if self.address.path is not None:
                use_wal(engine)
            for path in iter_kept(self.address):
                n_rows = take_in(engine, path)
                if n_rows is not None:
                    self.say(
                        f"{self.address.shown} took in {n_rows} rows that {path} kept while it was away."
                    )
            self._suspects = note_suspects(engine, self._list_under_way())
            whose = (model, escaped(name), escaped(metadata))
            self._ids = begin_run(engine, whose, version, token=self._token, roots=self._roots)

    @property
    def may_know(self) -> bool:
        """Return whether `find` may find anything."""
        if self._journal is not None:
            return self._journal.may_know
        return bool(self._ask(_MAY_KNOW, self._whose))

    def find(self, digest: str, study: str = ALONE) -> tuple[SeriesResult, ...] | None:
        """Return the rows that an earlier run gave to this content; as a `Keeper`."""
        waiting = self._batch.find(digest) if study == ALONE else None
        if waiting is not None:
            return waiting
        if self._journal is not None:
            return self._journal.find(digest, study)
        found = self._ask(_FIND, {"digest": digest, "study": study, **self._whose})
        return tuple(from_values(tuple(one), "", self._told["name"]) for one in found) or None

    def recall_places(self, stamps: Mapping[str, str | None]) -> dict[str, Lying]:
        """Return what lies at some paths; as a `Keeper`."""
        return find_places(self._ask, stamps, self._ids, self._told["name"])

    def find_moved(self, headers: str) -> str | None:
        """Return the digest of what was moved; as a `Keeper`."""
        return find_moved(self._ask, headers)

    def recall_scans(self, stamps: Sequence[str]) -> dict[str, bytes]:
        """Return what was found in groups of files; as a `Keeper`."""
        found = find_scans(self._ask, stamps)
        for stamp, (_, noted) in found.items():
            self._batch.see_scan(stamp, noted)
        return {stamp: content for stamp, (content, _) in found.items()}

    def keep_scan(self, stamp: str, content: bytes) -> None:
        """Keep what was found in a group of files."""
        self._batch.keep_scan(stamp, content)
        self._write_in_time()

    def add(self, digest: str, rows: Sequence[SeriesResult]) -> None:
        """Keep the rows of one content; errors of a `Keeper`."""
        self._batch.add(digest, rows)
        self._write_in_time()

    def settle(
        self,
        digest: str | None,
        rows: Sequence[SeriesResult],
        study: str,
        origin: Origin = NOWHERE,
        *,
        is_known: bool = False,
    ) -> None:
        """Keep where a content lies, and the rows that it has in the end; errors of a `Keeper`."""
        self._batch.settle(digest, rows, study, origin, is_known=is_known)
        path = rows[-1].path
        if digest is None and os.path.isdir(path):  # noqa: PTH112 - Path's own raises where one may not look
            self._unlisted.append(path)
        self._write_in_time()

    def is_suspect(self, digest: str) -> bool:
        """Return whether a run died while it decoded a file of this content, perhaps of that."""
        return digest in self._suspects

    def decoding(self, digest: str) -> AbstractContextManager[None]:
        """Note that the block decodes a file of this content."""
        return self._under_way.note(digest)

    def finish(self, *, has_seen_all: bool = True) -> None:
        """Note that the run came to its end; as a `Keeper`."""
        self._is_finished, self._has_seen_all = True, has_seen_all

    def close(self) -> None:
        """Write what is not written yet, and how the run ended."""
        if self._engine is None:
            return
        try:
            self.write()
            if self._journal is None:
                self._ask_or_keep(self._end)
            if self._journal is not None:
                if self._is_finished:
                    self._journal.finish()
                self._journal.close()
        finally:
            self._engine.dispose()
            self._engine = None
            self._under_way.close()

    def _write_in_time(self) -> None:
        if time.monotonic() - self._written > COMMIT_SECONDS or len(self._batch) > MOST_WAITING:
            self.write()

    def write(self) -> None:
        """Write what is not written yet; errors of a `Keeper`."""
        if self._journal is None and len(self._batch):
            self._ask_or_keep(lambda engine: write_batch(engine, self._batch, self._ids))
        if self._journal is not None:
            self._journal.write()
        self._batch.clear()
        self._written = time.monotonic()

    def _ask_or_keep(self, step: Callable[[sa.Engine], None]) -> None:
        """Run a transaction; where the database does not come back, begin a journal on this machine."""
        engine = self._engine
        if engine is None:
            raise ValueError(f"{self.address.shown} is not open; call begin first.")
        with explained(self.address):
            try:
                self._patience.ask(partial(step, engine))
            except GoneError:
                self._journal = self._begin_journal()

    def _begin_journal(self) -> Journal:
        journal = Journal(name_kept(self.address), is_resuming=True, batch=self._batch, token=self._token)
        journal.begin(**self._told, roots=self._roots)
        self.say(
            f"{self.address.shown} did not come back; answers are kept in {journal.path}, and the next run "
            "with this store on this machine takes them in."
        )
        return journal

    def _end(self, engine: sa.Engine) -> None:
        state = "finished" if self._is_finished else "interrupted"
        counts, at = count_statuses(self._batch.counts), now()
        with engine.execution_options(**{WRITES: True}).begin() as connection:
            for statement, paths in ((LEAVE_ALL, self._roots), (STILL_THERE, self._unlisted)):
                folders = list_folders(paths, self._ids.run, at)
                if self._has_seen_all and folders:
                    connection.execute(sa.text(statement), folders)
            if self._has_seen_all:
                forget_scans(connection)
            end_run(connection, self._ids, state=state, counts=counts, ended=now())

    def _ask(self, statement: str, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Return the rows of an answer; none where the database is gone, which who writes finds out, too."""

        def read() -> list[sa.Row[Any]]:
            assert self._engine is not None  # noqa: S101 — `begin` was called
            with self._engine.connect() as connection:
                return list(connection.execute(sa.text(statement), values))

        if self._journal is not None:
            return ()
        with explained(self.address):
            try:
                return self._patience.ask(read)
            except GoneError:
                return ()

    @property
    def _whose(self) -> dict[str, int | str]:
        return {"model": self._ids.model, "version": self._ids.version}

    def _list_under_way(self) -> list[str]:
        """Return the digests of files that runs of this machine noted before they died, or note now."""
        digests: set[str] = set()
        for path in state_folder().glob(f"{self.address.key}-*{UNDER_WAY_SUFFIX}"):
            digests |= UnderWay(path).read()
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > FORGOTTEN_SECONDS:
                    path.unlink()
        return sorted(digests)
