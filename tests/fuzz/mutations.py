"""Damage done to files: the same number gives the same damage, everywhere and always."""

import gzip
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from tests.fuzz.seeds import Kind, Seed, pack

Random = np.random.Generator
STREAM = 20_2
"""Keeps these random numbers apart from those of other tests."""

# Where programs count wrong: nothing, one, signs' ends, and what a file cannot hold.
INTEGERS = (0, 1, 2, 7, 8, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)
NUMBERS = (0.0, -1.0, 1.0, -0.0, 1e-38, 1e30, -1e30, 65536.0, float("inf"), float("-inf"), float("nan"))
TEXTS = (
    b"", b"0", b"-1", b"1e309", b"nan", b"inf", b"99999999999999", b"1\\2\\3\\4\\5\\6\\7", b"\\\\\\\\",
    b"\0\0\0\0\0\0\0\0", b"\xff\xff\xff\xff\xff\xff\xff\xff", b"1.2.840.10008.1.2.4.999", b"%s%n{0}", b"..",
    b"MONOCHROME1", b"RGB", b"PALETTE COLOR", b"=cmd|' /C'!A0",
    b"=1+1", b"@SUM(1)", b"+1", b"-1+1", b"\x1b[2J\x1b]0;x\x07", b"a\rb", b"a\r\nb", b"a\nb", b"\xff\xfe\x80",
    b"Zwolsterveldt^Quirijnabel", b"T1 POST ZWOLSTERVELDT", b"Gd Quirijnabel 19130217", b"Quirijnabel+C",
    b"ZWOLSTERVELDT_T1_KM", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\x1b$B", b"\0" * 8,
)  # fmt: skip
REPRESENTATIONS = (b"SQ", b"UN", b"OB", b"OW", b"DS", b"IS", b"UI", b"US", b"FD", b"AT", b"??", b"\0\0")
# An empty item; the ends of an item and of a sequence; empty elements; sequences that only begin.
STORMS = (
    b"\xfe\xff\x00\xe0\0\0\0\0",
    b"\xfe\xff\x0d\xe0\0\0\0\0",
    b"\xfe\xff\xdd\xe0\0\0\0\0",
    b"\x11\x40\x10\x10LO\0\0",
    b"\x18\x00\x41\x93SQ\0\0\xff\xff\xff\xff",
    b"\xff",
    b"\0\0\0\0prVt\xd5\x2a\x7f\x5b",
)
STORM_COUNTS = (3, 1000, 20_000, 200_000)
TAILS = (0, 100_000, 4_000_000)
MOST_EDITS = 4
# Damage to a header is met before damage to pixels, so it is done more often.
HEADER_PART, CHANCE_OF_HEADER = 0.4, 0.7
LONGEST_RUN = 64
# Value of (0002,0000): preamble, "DICM", tag, representation and length come first.
META_LENGTH_AT = 140
SHORT_LENGTH, LONG_LENGTH = 2, 4


def mutate(seed: Seed, number: int) -> bytes:
    """Return a damaged copy of a seed."""
    return _mutate(seed, np.random.default_rng([STREAM, number]))


def _mutate(seed: Seed, random: Random) -> bytes:
    if seed.members and random.random() < CHANCE_OF_HEADER:
        members = list(seed.members)
        at = int(random.integers(len(members)))
        members[at] = replace(members[at], data=_mutate(members[at], random))
        return pack(seed.kind, seed.name, members).data
    if seed.kind is Kind.COMPRESSED_NIFTI and random.random() < CHANCE_OF_HEADER:
        inner = Seed(seed.name, Kind.NIFTI, gzip.decompress(seed.data))
        return gzip.compress(_damage(inner, random), 1, mtime=0)
    if seed.kind is Kind.DEFLATED_DICOM and random.random() < CHANCE_OF_HEADER:
        return _damage_inflated(seed, random)
    return _damage(seed, random)


def _damage_inflated(seed: Seed, random: Random) -> bytes:
    """Damage what a DICOM file holds deflated, behind its file meta information (PS3.5 A.5)."""
    (length,) = struct.unpack_from("<I", seed.data, META_LENGTH_AT)
    start = META_LENGTH_AT + struct.calcsize("<I") + length
    inner = Seed(seed.name, Kind.DICOM, zlib.decompress(seed.data[start:], -zlib.MAX_WBITS))
    deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return seed.data[:start] + deflate.compress(_damage(inner, random)) + deflate.flush()


def _damage(seed: Seed, random: Random) -> bytes:
    data = bytearray(seed.data)
    edits: list[Callable[[bytearray, Random], None]] = list(_ANYWHERE)
    for _ in range(int(random.integers(1, MOST_EDITS + 1))):
        if seed.kind is Kind.NIFTI and random.random() < CHANCE_OF_HEADER:
            _change_nifti_field(data, random)
        elif seed.values and random.random() < CHANCE_OF_HEADER:
            _change_element(data, random, seed.values)
        else:
            edits[int(random.integers(len(edits)))](data, random)
    return bytes(data)


def _place(data: bytearray, random: Random) -> int:
    """Return a byte's index, mostly near the front."""
    if not data:
        return 0
    part = HEADER_PART if random.random() < CHANCE_OF_HEADER else 1.0
    return int(random.integers(max(1, int(len(data) * part))))


def _flip_bit(data: bytearray, random: Random) -> None:
    at = _place(data, random)
    data[at : at + 1] = bytes(value ^ (1 << int(random.integers(8))) for value in data[at : at + 1])


def _overwrite(data: bytearray, random: Random) -> None:
    at, length = _place(data, random), int(random.integers(1, LONGEST_RUN))
    filling = (random.bytes(length), b"\0" * length, b"\xff" * length)[int(random.integers(3))]
    data[at : at + length] = filling[: len(data) - at]


def _write_integer(data: bytearray, random: Random) -> None:
    at, code = _place(data, random), ("<H", ">H", "<I", ">I")[int(random.integers(4))]
    value = INTEGERS[int(random.integers(len(INTEGERS)))]
    packed = struct.pack(code, value % (1 << 8 * struct.calcsize(code)))
    data[at : at + len(packed)] = packed


def _truncate(data: bytearray, random: Random) -> None:
    del data[int(random.integers(len(data) + 1)) :]


def _delete(data: bytearray, random: Random) -> None:
    at = _place(data, random)
    del data[at : at + int(random.integers(1, LONGEST_RUN))]


def _insert(data: bytearray, random: Random) -> None:
    at = _place(data, random)
    data[at:at] = random.bytes(int(random.integers(1, LONGEST_RUN)))


def _repeat(data: bytearray, random: Random) -> None:
    at, source = _place(data, random), _place(data, random)
    data[at:at] = data[source : source + int(random.integers(1, LONGEST_RUN))]


def _zero_tail(data: bytearray, random: Random) -> None:
    """Fill the rest with zeros, and perhaps much more: a copy that broke off."""
    at = _place(data, random)
    data[at:] = bytes(max(len(data) - at, int(random.choice(TAILS))))


def _storm(data: bytearray, random: Random) -> None:
    """Put one element or item in thousands of times."""
    at = _place(data, random)
    data[at:at] = STORMS[int(random.integers(len(STORMS)))] * int(random.choice(STORM_COUNTS))


_ANYWHERE = (_zero_tail, _storm, _flip_bit, _overwrite, _write_integer, _truncate, _delete, _insert, _repeat)


def _change_element(data: bytearray, random: Random, values: tuple[tuple[int, int], ...]) -> None:
    """Change the value, the length, the representation or the tag of one element of a DICOM file."""
    start, length = values[int(random.integers(len(values)))]
    what = random.random()
    if what < 0.6:
        text = TEXTS[int(random.integers(len(TEXTS)))]
        data[start : start + length] = text[:length].ljust(length, b" ")
    elif what < 0.8:
        size = (SHORT_LENGTH, LONG_LENGTH)[int(random.integers(2))]
        new = INTEGERS[int(random.integers(len(INTEGERS)))] % (1 << 8 * size)
        data[start - size : start] = new.to_bytes(size, "little")
    elif what < 0.9:
        at = start - (4, 8)[int(random.integers(2))]
        data[at : at + 2] = REPRESENTATIONS[int(random.integers(len(REPRESENTATIONS)))]
    else:
        data[start - 8 : start - 4] = random.bytes(4)


def _change_nifti_field(data: bytearray, random: Random) -> None:
    """Set one number of a NIfTI header to one that programs stumble over."""
    header = Nifti2Header if data[4:6] == b"n+" else Nifti1Header
    fields: Any = header.template_dtype.fields
    kind, offset = list(fields.values())[int(random.integers(len(fields)))][:2]
    base = kind.base
    at = offset + base.itemsize * int(random.integers(max(1, kind.itemsize // base.itemsize)))
    if base.kind == "f":
        value = np.array(NUMBERS[int(random.integers(len(NUMBERS)))], base)
    elif base.kind in "iu":
        number = INTEGERS[int(random.integers(len(INTEGERS)))] % (1 << 8 * base.itemsize)
        value = np.frombuffer(number.to_bytes(base.itemsize, "little"), base)
    else:
        value = np.array(TEXTS[int(random.integers(len(TEXTS)))], base)
    raw = value.tobytes()
    data[at : at + len(raw)] = raw
