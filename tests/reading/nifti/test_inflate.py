"""A gzip stream read at any place gives the bytes that Python's gzip gives, and reads little for them."""

import gzip
import io
import os
import random
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gadoscope.reading.nifti import inflate
from gadoscope.reading.nifti.inflate import GzipIndex, GzipReader

rng = random.Random(5)  # noqa: S311 — test data, no secret
CONTENT = b"".join(
    [bytes(300_000), rng.randbytes(300_000), *(rng.randbytes(40) * 500 for _ in range(20)), b"the end"]
)


def in_members(content: bytes, n_members: int) -> bytes:
    """Compress as several members, as bgzip and `cat a.gz b.gz` do; an empty one among them."""
    step = len(content) // n_members + 1
    parts = [gzip.compress(content[at : at + step], 1) for at in range(0, len(content), step)]
    return gzip.compress(b"").join(parts)


class CountingFile(io.BytesIO):
    """Counts the bytes that are read."""

    n_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.n_read += len(data)
        return data


@pytest.fixture(autouse=True)
def _dense_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "_POINT_SPACING_BYTES", 50_000)


@pytest.mark.parametrize("n_members", [1, 7])
@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, len(CONTENT) + 10), st.integers(0, 100_000)), max_size=12))
def test_any_reads_in_any_order_give_the_bytes_that_are_there(
    n_members: int, reads: list[tuple[int, int]]
) -> None:
    index = GzipIndex()
    compressed = in_members(CONTENT, n_members)
    reader = GzipReader(io.BytesIO(compressed), index)
    for at, size in reads:
        reader.seek(at)
        assert reader.read(size) == CONTENT[at : at + size]
        assert reader.tell() == at + len(CONTENT[at : at + size])
    assert GzipReader(io.BytesIO(compressed), index).read() == CONTENT


def test_a_second_read_starts_close_to_where_it_is_wanted() -> None:
    compressed = gzip.compress(CONTENT)
    index = GzipIndex()
    GzipReader(io.BytesIO(compressed), index).read()
    file = CountingFile(compressed)
    reader = GzipReader(file, index)
    reader.seek(len(CONTENT) - 5)
    assert reader.read() == CONTENT[-5:]
    assert file.n_read < len(compressed) / 4


def test_the_beginning_is_read_without_the_rest() -> None:
    file = CountingFile(gzip.compress(os.urandom(2_000_000)))
    assert len(GzipReader(file, GzipIndex()).read(540)) == 540
    assert file.n_read <= 2**16


def test_points_are_further_apart_in_a_large_file_so_that_memory_stays_small() -> None:
    index = GzipIndex(n_inflated=256 * 10**6)
    assert not index.wants(900_000)
    assert index.wants(1_100_000)


def test_several_threads_read_one_index_at_once() -> None:
    compressed = gzip.compress(CONTENT)
    index = GzipIndex()

    def read(at: int) -> bytes:
        reader = GzipReader(io.BytesIO(compressed), index)
        reader.seek(at)
        return reader.read(1000)

    places = [rng.randrange(len(CONTENT)) for _ in range(60)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, places)) == [CONTENT[at : at + 1000] for at in places]


@pytest.mark.parametrize("rest", [b"", bytes(511), b"garbage", b"\x1f"])
def test_what_follows_the_last_member_is_ignored(rest: bytes) -> None:
    assert GzipReader(io.BytesIO(gzip.compress(CONTENT) + rest), GzipIndex()).read() == CONTENT


@pytest.mark.parametrize("lost", [1, 8, 9, 1000])
def test_a_file_that_ends_too_early_says_so(lost: int) -> None:
    reader = GzipReader(io.BytesIO(gzip.compress(CONTENT)[:-lost]), GzipIndex())
    with pytest.raises(EOFError, match="ends inside a member"):
        reader.read()


def test_a_damaged_file_says_so() -> None:
    compressed = bytearray(gzip.compress(CONTENT))
    compressed[len(compressed) // 2] ^= 0xFF
    with pytest.raises(zlib.error):
        GzipReader(io.BytesIO(bytes(compressed)), GzipIndex()).read()


def test_the_end_cannot_be_sought_for_nobody_knows_it() -> None:
    with pytest.raises(io.UnsupportedOperation):
        GzipReader(io.BytesIO(gzip.compress(CONTENT)), GzipIndex()).seek(0, os.SEEK_END)
