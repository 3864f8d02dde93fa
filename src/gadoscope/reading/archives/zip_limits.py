"""What of a zip is read, and what is refused before a byte is unpacked: bombs, secrets, doubles.

References
----------
APPNOTE.TXT 6.3.10 (PKWARE): 4.3.16 end of central directory record, 4.3.14 its ZIP64 form
"""

import os
import struct
import zipfile
from collections.abc import Sequence
from typing import BinaryIO

from gadoscope.errors import InputError, ReadError, RefusedError

MAX_DEPTH = 3
"""An archive in an archive in an archive: more than any export makes; a bomb has five."""
MAX_MEMBERS = 200_000
"""A thousand studies in one file; its table of contents takes about 120 MB of memory in each process."""
MAX_SMALL_MEMBERS, MIN_MEMBER_BYTES = 20_000, 1024
"""Each member is an input and becomes a row, which takes a tenth of a millisecond, also where it is empty.
An archive of more than this many pays for each with a kilobyte of its own; the smallest slices take two."""
MAX_TABLE_BYTES = 1024 * MAX_MEMBERS
"""Of the table of contents: 46 bytes a member, its name, and twice as much again."""
MAX_MEMBER_BYTES = 4 * 2**30
"""The longest 4-D NIfTI volumes have 2 GiB."""
MAX_TOTAL_BYTES = 2**40
"""Of one archive, unpacked: 1 TiB, beyond any medium that an archive is sent on."""
MAX_RATIO = 100
"""Unpacked to packed. MR images shrink to a half, label maps to a thirtieth; bombs to a thousandth."""
MIN_BOMB_BYTES = 64 * 2**20
"""A blank image may shrink to a thousandth and does no harm; only what is longer has to keep `MAX_RATIO`."""
_ENCRYPTED_FLAG = 0x1
_END_RECORD, _WIDE_END_RECORD = b"PK\5\6", b"PK\6\6"
_END_BYTES, _MAX_COMMENT_BYTES = 22, 65_535
_COUNTS_AT, _WIDE_COUNTS_AT = 10, 24
# A number that stands in the ZIP64 record instead.
_WIDE, _WIDE_BYTES = 0xFFFF, 0xFFFFFFFF


def find_fault(info: zipfile.ZipInfo, *, is_last: bool) -> InputError | None:
    """Return why a member cannot be read, or ``None``; ``is_last``: of those with its name."""
    if not is_last:
        return duplicate_member()
    if info.flag_bits & _ENCRYPTED_FLAG:
        return ReadError("encrypted", "this member is encrypted; unpack the archive with its password first.")
    if info.file_size > MAX_MEMBER_BYTES:
        return RefusedError(
            "too_large",
            f"{info.file_size} bytes unpacked; a member may have {MAX_MEMBER_BYTES}: unpack it first.",
        )
    if info.file_size > MIN_BOMB_BYTES and info.file_size > MAX_RATIO * info.compress_size:
        return RefusedError(
            "zip_bomb", f"this member unpacks to more than {MAX_RATIO} times its size; no image does."
        )
    return None


def check_total(members: Sequence[zipfile.ZipInfo], packed: int) -> None:
    """Refuse an archive of ``packed`` bytes that unpacks to far more."""
    unpacked = sum(info.file_size for info in members)
    if unpacked > MAX_TOTAL_BYTES or (unpacked > MIN_BOMB_BYTES and unpacked > MAX_RATIO * packed):
        raise RefusedError(
            "zip_bomb", f"the archive unpacks to {unpacked} bytes from {packed}; unpack what you need of it."
        )


def check_count(n_members: int, n_bytes: int) -> None:
    """Refuse so many members in so few bytes of a file that they cannot be slices.

    Parameters
    ----------
    n_members
        Of the archive, or of all archives inside one file.
    n_bytes
        What they take on the disk, packed.

    Raises
    ------
    RefusedError
        ``too_many_members``.
    """
    if n_members > MAX_SMALL_MEMBERS and n_bytes < n_members * MIN_MEMBER_BYTES:
        raise RefusedError(
            "too_many_members",
            f"more than {MAX_SMALL_MEMBERS} members, of less than {MIN_MEMBER_BYTES} bytes on average; "
            "slices are longer: zip the images alone.",
        )


def check_contents(file: BinaryIO) -> int:
    """Return the archive's length; refuse a table of contents that would fill the memory, unread."""
    n_bytes = file.seek(0, os.SEEK_END)
    file.seek(max(0, n_bytes - _END_BYTES - _MAX_COMMENT_BYTES))
    end = file.read()
    at = end.rfind(_END_RECORD)
    if at < 0 or len(end) < at + _END_BYTES:
        raise damaged()
    n_members, n_table_bytes = struct.unpack_from("<HI", end, at + _COUNTS_AT)
    if n_table_bytes == _WIDE_BYTES or n_members == _WIDE:
        n_members, n_table_bytes = _read_wide_counts(end, at)
    if n_members > MAX_MEMBERS or n_table_bytes > MAX_TABLE_BYTES:
        raise RefusedError(
            "too_many_members",
            f"the archive says that it holds {n_members} members; at most {MAX_MEMBERS} are read: "
            "unpack it first.",
        )
    check_count(n_members, n_bytes)
    file.seek(0)
    return n_bytes


def _read_wide_counts(end: bytes, at: int) -> tuple[int, int]:
    """Return members and bytes of the table from the ZIP64 record, which lies just before the end record."""
    at = end.rfind(_WIDE_END_RECORD, 0, at)
    if at < 0:
        raise damaged()
    try:
        _, n_members, n_table_bytes = struct.unpack_from("<QQQ", end, at + _WIDE_COUNTS_AT)
    except struct.error as error:
        raise damaged() from error
    return n_members, n_table_bytes


def duplicate_member() -> RefusedError:
    """Return the error of a member that a later one of its name takes the place of."""
    return RefusedError(
        "duplicate_member",
        "the archive holds another member of this name after this one; only the last one is read.",
    )


def damaged() -> ReadError:
    """Return the error of an archive, or a member, that is damaged."""
    return ReadError(
        "damaged_archive", "the archive is damaged or ends too early; copy it again from its source."
    )
