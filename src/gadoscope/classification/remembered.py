"""What a run before found in a group of files, so that files which are as they were are not opened.

The nightly run over an archive: most files are as they were the night before. Their headers lie with the
keeper of the answers, under the stamps of the files (`gadoscope.reading.stamps`), in groups of a few
neighbours; a file that is new in a folder costs the groups behind it in that folder.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from gadoscope.parallel import in_groups, map_ahead
from gadoscope.reading.discover import FileGroup, Found
from gadoscope.reading.remote.path import may_be_kept
from gadoscope.reading.stamps import stamp_files

if TYPE_CHECKING:
    from gadoscope.classification.engine import Take
    from gadoscope.reading.dicom.grouping.batches import Batch
    from gadoscope.reading.given import Input
    from gadoscope.results.keeping import Keeper

FILES_PER_GROUP = 8
"""As many as a worker reads in one go; a new file costs no more than those behind it in its folder."""
THREADS = 8
"""That ask for stamps: of a network's file system each is a wait, and no work."""
GROUPS_AT_ONCE = 16
"""That a keeper is asked for in one question: of a database each is a way there and back."""
QUESTIONS_AHEAD = 12
"""A thousand files and more: what a slow file system needs to be asked in parallel."""


@dataclass(frozen=True)
class _Known:
    """A group, and what is remembered of it: the instances by series, and the places of everything else."""

    group: "Sequence[Input]"
    scan: "tuple[list[Batch], list[int]] | None" = None


def replay(
    inputs: "Iterable[Input]", keeper: "Keeper", take: "Take", *, is_here: bool = True
) -> "Iterator[Input]":
    """Hand over the DICOM instances that are remembered, and pass on all other inputs, in their order.

    Parameters
    ----------
    inputs
        Files, and others.
    keeper
        Remembers.
    take
        Takes the instances.
    is_here
        Whether files are opened in this folder; what is remembered names them as they were named then, and a
        relative path is of no use elsewhere.
    """

    def look_up(groups: "list[list[Input]]") -> list[_Known]:
        return _look_up(groups, keeper, is_here=is_here)

    with ThreadPoolExecutor(THREADS, thread_name_prefix="stamps") as pool:
        groups = in_groups(in_folders(inputs, FILES_PER_GROUP), GROUPS_AT_ONCE)
        for one in chain.from_iterable(map_ahead(pool, look_up, groups, QUESTIONS_AHEAD)):
            if one.scan is None:
                yield from one.group
                continue
            batches, left = one.scan
            take(batches, len(one.group) - len(left))
            yield from (one.group[place] for place in left)


def remember(
    keeper: "Keeper | None", group: "Sequence[Input]", batches: "Sequence[Batch]", left: Sequence[int]
) -> None:
    """Let a keeper remember what was found in a group of files, if it is one that can be remembered.

    Parameters
    ----------
    keeper
        ``None`` where there is none.
    group
        As `replay` passed them on, of one group; what is not all of it is not remembered.
    batches
        The instances among them, by series.
    left
        Places in the group of everything else.
    """
    known = _group_of(group[0])
    if keeper is None or known is None or known.n_files != len(group) or not batches:
        return  # without an instance a file is opened anyway, to be told by its content
    from gadoscope.reading.dicom.grouping.kept import encode_scan  # noqa: PLC0415 — few runs remember

    keeper.keep_scan(known.stamp, encode_scan(batches, left, len(group)))


def in_folders(inputs: "Iterable[Input]", size: int) -> "Iterator[list[Input]]":
    """Yield inputs in groups of ``size`` or fewer: files of one folder, or one that is no plain file."""
    group: list[Input] = []
    folder: str | None = None
    for one in inputs:
        own = _find_folder(one)
        if group and (own is None or own != folder or len(group) == size):
            yield group
            group = []
        group.append(one)
        folder = own
    if group:
        yield group


def in_groups_of(inputs: "Iterable[Input]", size: int) -> "Iterator[list[Input]]":
    """Yield inputs in groups of ``size`` or fewer, none of which has two that are remembered apart."""
    group: list[Input] = []
    for one in inputs:
        if group and (len(group) == size or _group_of(one) != _group_of(group[0])):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _find_folder(one: "Input") -> str | None:
    is_plain = isinstance(one, Found) and one.error is None and not one.stays and not one.source.member
    if not is_plain or not isinstance(one, Found):
        return None
    if one.source.held is not None or (one.source.remote is not None and not may_be_kept(one.source.remote)):
        return None
    return one.source.folder


def _group_of(one: "Input") -> FileGroup | None:
    return one.group if isinstance(one, Found) else None


def _look_up(groups: "Sequence[list[Input]]", keeper: "Keeper", *, is_here: bool) -> list[_Known]:
    stamps = [_stamp(group, is_here=is_here) for group in groups]
    contents = keeper.recall_scans([stamp for stamp in stamps if stamp is not None])
    return [
        _Known(group) if stamp is None else _read(group, stamp, contents.get(stamp))
        for group, stamp in zip(groups, stamps, strict=True)
    ]


def _stamp(group: "Sequence[Input]", *, is_here: bool) -> str | None:
    """Return the stamp of a group of `in_folders`; ``None`` if it is none of plain files."""
    files = [one.source for one in group if isinstance(one, Found)]
    # Of a group one is as the other: they lie in one folder.
    if _find_folder(group[0]) is None or not (is_here or files[0].remote or os.path.isabs(str(files[0]))):  # noqa: PTH117 - text as yet
        return None
    stamp = stamp_files(files)
    return None if stamp is None else stamp.digest


def _read(group: "Sequence[Input]", stamp: str, content: bytes | None) -> _Known:
    """Return a group with what is remembered of it; if that is nothing, as one that can be."""
    if content is not None:
        from gadoscope.reading.dicom.grouping.kept import decode_scan  # noqa: PLC0415 — few runs remember

        scan = decode_scan(content, len(group))
        if scan is not None:
            return _Known(group, scan)
    known = FileGroup(stamp, len(group))
    return _Known([replace(one, group=known) if isinstance(one, Found) else one for one in group])
