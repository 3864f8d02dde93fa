"""What a run before found in a group of files, so that files which are as they were are not opened.

The nightly run over an archive: most files are as they were the night before. Their headers lie with the
keeper of the answers, under the stamps of the files (`gadoscope.reading.stamps`), in groups of a few
neighbours; a file that is new in a folder costs the groups behind it in that folder.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gadoscope.parallel import map_ahead
from gadoscope.reading.discover import FileGroup, Found
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
GROUPS_AHEAD = 64
"""A few hundred files: what a slow file system needs to be asked in parallel."""


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

    def look_up(group: "list[Input]") -> _Known:
        return _look_up(group, keeper, is_here=is_here)

    with ThreadPoolExecutor(THREADS, thread_name_prefix="stamps") as pool:
        groups = in_folders(inputs, FILES_PER_GROUP)
        for one in map_ahead(pool, look_up, groups, GROUPS_AHEAD):
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
    return one.source.folder if one.source.held is None and one.source.remote is None else None


def _group_of(one: "Input") -> FileGroup | None:
    return one.group if isinstance(one, Found) else None


def _look_up(group: "list[Input]", keeper: "Keeper", *, is_here: bool) -> _Known:
    files = [one for one in group if isinstance(one, Found) and _find_folder(one) is not None]
    files = [one for one in files if is_here or os.path.isabs(str(one.source))]  # noqa: PTH117 - a text as yet
    if len(files) < len(group):
        return _Known(group)
    stamp = stamp_files([one.source for one in files])
    if stamp is None:
        return _Known(group)
    content = keeper.recall_scan(stamp.digest)
    if content is not None:
        from gadoscope.reading.dicom.grouping.kept import decode_scan  # noqa: PLC0415 — as above

        scan = decode_scan(content, len(group))
        if scan is not None:
            return _Known(group, scan)
    known = FileGroup(stamp.digest, len(files))
    return _Known([replace(one, group=known) for one in files])
