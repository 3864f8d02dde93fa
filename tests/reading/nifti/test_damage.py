"""Damaged, malicious and very large NIfTI files: an error or an answer, soon, and in little memory."""

import gzip
import io
import struct
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gadoscope.errors import ReadError, RefusedError
from gadoscope.imaging.slices import SlicePolicy, choose_slices
from gadoscope.labels import Plane
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.archives.zips import close_archives
from gadoscope.reading.nifti.series import ALWAYS_INFLATED_BYTES, open_nifti
from tests.support.nifti_files import (
    NIBABEL_DATA,
    nib,
    open_file,
    outcome_of,
    read_all,
    reorder,
    save,
    values,
)

MB = 10**6
ZEROS = bytes(2**20)
GZIP_HEADER = gzip.compress(b"", mtime=0)[:10]


class RecordingFile(io.FileIO):
    """Remembers which bytes were read."""

    reads: list[tuple[int, int]]

    def readinto(self, buffer: Any, /) -> int | None:
        start = self.tell()
        self.reads.append((start, start + len(buffer)))
        return super().readinto(buffer)

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        data = super().read(size)
        self.reads.append((start, start + len(data or b"")))
        return data or b""


class RecordingSource(Source):
    """Gives recording files."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.reads: list[tuple[int, int]] = []

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        with RecordingFile(self.on_disk) as file:
            file.reads = self.reads
            yield file


def test_of_a_4d_file_only_the_volume_asked_for_is_read(tmp_path: Path) -> None:
    data = values((20, 24, 7, 5))
    source = RecordingSource(save(tmp_path / "a.nii", data))
    series = open_nifti(source)
    source.reads.clear()
    volume = series.volumes[3].open()
    np.testing.assert_array_equal(volume.read_slices([2]), data[:, :, [2], 3].T)
    first = 352 + (3 * 7 + 2) * 20 * 24 * 2
    assert source.reads == [(first, first + 20 * 24 * 2)]


def test_all_volumes_of_a_compressed_4d_file_cost_one_pass(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    data = rng.integers(0, 4000, (128, 128, 24, 24)).astype(np.int16)  # 19 MB, hardly compressible
    source = RecordingSource(save(tmp_path / "a.nii.gz", data))
    series = open_nifti(source)
    for index, volume in enumerate(series.volumes):
        np.testing.assert_array_equal(volume.open().read_slices([5, 12]), data[:, :, [5, 12], index].T)
    assert sum(end - start for start, end in source.reads) < 4 * source.path.stat().st_size


def test_opening_reads_the_header_and_nothing_else(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    data = rng.integers(0, 4000, (128, 128, 40)).astype(np.int16)
    for name in ("a.nii", "a.nii.gz"):
        source = RecordingSource(save(tmp_path / name, data))
        for volume in open_nifti(source).volumes:
            volume.open()
        assert sum(end - start for start, end in source.reads) < 2**17


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("kept", [0.999, 0.5, 0.02])
def test_a_file_that_lost_its_end_is_truncated_even_if_the_slices_wanted_are_there(
    tmp_path: Path, name: str, kept: float
) -> None:
    path = save(tmp_path / name, np.random.default_rng(1).integers(0, 999, (32, 32, 30, 2)).astype(np.int16))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(ReadError, match="truncated"):
        open_file(path).volumes[0].open().read_slices([1])


@pytest.mark.parametrize("length", [1, 20, 200, 347])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_file_that_ends_inside_its_header_is_an_error(tmp_path: Path, name: str, length: int) -> None:
    content = nib.Nifti1Image(values(), np.eye(4)).to_bytes()[:length]
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with pytest.raises(ReadError, match=r"truncated|not_an_image"):
        open_file(tmp_path / name)


def test_a_gzip_file_that_ends_inside_the_header_is_truncated(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz", values())
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ReadError, match="truncated: this volume is damaged or ends too early"):
        open_file(path)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("filler", [0x00, 0xFF])
def test_damage_anywhere_in_compressed_voxels_is_an_error_of_all_slices(
    tmp_path: Path, part: float, filler: int
) -> None:
    """Behind the damage voxels may be wrong without zlib noticing before the end: a silent wrong answer."""
    path = save(
        tmp_path / "a.nii.gz", np.random.default_rng(1).integers(0, 9, (64, 64, 40, 2)).astype(np.int16)
    )
    content = bytearray(path.read_bytes())
    at = int(part * len(content))
    content[at : at + 20] = bytes([filler]) * 20
    path.write_bytes(content)
    series = open_file(path)
    for volume in series.volumes:
        for index in (1, 38):
            with pytest.raises(ReadError, match="truncated"):
                volume.open().read_slices([index])


def test_a_damaged_volume_is_not_inflated_again_for_each_of_its_slices(tmp_path: Path) -> None:
    data = np.random.default_rng(1).integers(0, 4000, (60, 128, 128)).astype(np.int16)
    source = RecordingSource(save(tmp_path / "a.nii.gz", data, affine=np.diag([4.0, 1.0, 1.0, 1.0])))
    content = bytearray(source.on_disk.read_bytes())
    content[-8:] = bytes(8)  # checksum and length
    source.on_disk.write_bytes(content)
    with pytest.raises(ReadError):
        choose_slices(open_nifti(source).volumes[0].open(), SlicePolicy(n_slices=20))
    assert sum(end - start for start, end in source.reads) < 3 * len(content)


def test_several_gzip_members_and_bytes_behind_the_voxels_are_no_damage(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", values())
    content = path.read_bytes() + b"a note of another program"
    half = len(content) // 2
    (tmp_path / "b.nii.gz").write_bytes(
        gzip.compress(content[:half]) + gzip.compress(content[half:]) + bytes(9)
    )
    (tmp_path / "c.nii").write_bytes(content)
    for name in ("b.nii.gz", "c.nii"):
        np.testing.assert_array_equal(read_all(open_file(tmp_path / name)), values().T)


def test_a_pair_without_its_voxels_says_what_is_missing(tmp_path: Path) -> None:
    save(tmp_path / "a.img", values(), kind=nib.Nifti1Pair)
    (tmp_path / "a.img").unlink()
    with pytest.raises(ReadError, match=r"missing_pair: this \.hdr describes voxels in a \.img file"):
        open_file(tmp_path / "a.hdr")


def test_a_pair_whose_voxels_are_cut_off_is_truncated(tmp_path: Path) -> None:
    save(tmp_path / "a.img", values(), kind=nib.Nifti1Pair)
    (tmp_path / "a.img").write_bytes(b"few")
    with pytest.raises(ReadError, match="truncated: the file has 3 bytes, its header promises 6720"):
        open_file(tmp_path / "a.hdr")


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_pair_inside_an_archive_is_read_as_outside(tmp_path: Path, ending: str) -> None:
    save(tmp_path / f"a.img{ending}", values(), kind=nib.Nifti1Pair)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in (f"a.hdr{ending}", f"a.img{ending}"):
            archive.write(tmp_path / name, f"in/{name}")
        archive.write(tmp_path / f"a.hdr{ending}", "alone.hdr")
    inside = read_all(open_nifti(Source(tmp_path / "a.zip", f"in/a.hdr{ending}")))
    np.testing.assert_array_equal(inside, read_all(open_file(tmp_path / f"a.hdr{ending}")))
    with pytest.raises(ReadError, match=r"missing_pair: this \.hdr describes voxels in a \.img file"):
        open_nifti(Source(tmp_path / "a.zip", "alone.hdr"))
    close_archives()


def test_constant_and_all_nan_volumes_are_refused_as_blank(tmp_path: Path) -> None:
    for value in (0.0, 7.0, np.nan):
        path = save(tmp_path / "a.nii.gz", np.full((64, 64, 20), value, dtype=np.float32))
        with pytest.raises(RefusedError, match="blank"):
            choose_slices(open_file(path).volumes[0].open(), SlicePolicy())


# --- Memory and time


def bomb(path: Path, shape: tuple[int, ...], promised: tuple[int, ...] | None = None) -> Path:
    """Write a header that promises ``shape`` 16-bit zeros, and the zeros, compressed a thousandfold.

    The header may promise fewer than there are. Zeros are compressed once a megabyte: after a full flush the
    same bytes mean the same again.
    """
    header = nib.Nifti1Header()
    header.set_data_dtype(np.int16)
    header.set_data_shape(promised or shape)
    header["vox_offset"] = 352
    n_blocks, n_left = divmod(2 * int(np.prod(shape)), len(ZEROS))
    begin, left = header.binaryblock + bytes(4), ZEROS[:n_left]
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first, block = (deflate.compress(part) + deflate.flush(zlib.Z_FULL_FLUSH) for part in (begin, ZEROS))
    last = deflate.compress(left) + deflate.flush()
    checksum = zlib.crc32(begin)
    for part in (*[ZEROS] * n_blocks, left):
        checksum = zlib.crc32(part, checksum)
    length = len(begin) + n_blocks * len(ZEROS) + n_left
    path.write_bytes(
        GZIP_HEADER + first + block * n_blocks + last + struct.pack("<II", checksum, length % 2**32)
    )
    return path


def test_what_the_bombs_are_made_of_is_a_gzip_file_as_any(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.nii.gz", (128, 128, 70))
    assert gzip.decompress(path.read_bytes())[352:] == bytes(2 * 128 * 128 * 70)


def costs(work: Callable[[], Any]) -> tuple[float, float]:
    """Return processor seconds, and the highest memory in bytes."""
    tracemalloc.start()
    began = time.process_time()
    try:
        work()
    finally:
        seconds = time.process_time() - began
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return seconds, float(peak)


def test_a_file_of_kilobytes_that_inflates_to_half_a_gigabyte_is_refused_at_once(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.nii.gz", (512, 512, 512, 2))
    assert path.stat().st_size < 600_000

    def refuse() -> None:
        with pytest.raises(RefusedError, match=r"too_large: \d+ bytes that inflate to 536871264 are no scan"):
            open_file(path)

    seconds, peak = costs(refuse)
    assert seconds < 0.5
    assert peak < 1 * MB


def test_a_small_bomb_whose_header_promises_less_is_read_as_far_as_promised(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.nii.gz", (256, 256, 400), promised=(16, 16, 4))
    seconds, peak = costs(lambda: read_all(open_file(path)))
    assert seconds < 0.5
    assert peak < 4 * MB


def test_the_largest_blank_volume_that_is_inflated_takes_little_memory(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.nii.gz", (256, 256, ALWAYS_INFLATED_BYTES // 2**17 - 1))
    volume = open_file(path).volumes[0].open()
    seconds, peak = costs(lambda: volume.read_slices([400, 500]))
    assert seconds < 2
    assert peak < 10 * MB


@pytest.mark.parametrize("code", ["RAS", "PRS", "ASR"])
def test_five_slices_of_a_whole_head_cost_less_than_a_second_and_not_the_volume_in_memory(
    tmp_path: Path, code: str
) -> None:
    slab = np.random.default_rng(1).integers(0, 1500, (16, 192, 192)).astype(np.int16)
    data, affine = reorder(np.concatenate([slab] * 11), np.diag([1.2, 1.0, 1.0, 1.0]), code)
    assert sorted(data.shape) == [176, 192, 192]
    path = save(tmp_path / "a.nii.gz", data, affine=affine)

    def choose() -> None:
        volume = open_file(path).volumes[0].open()
        chosen = choose_slices(volume, SlicePolicy(planes=(Plane.SAGITTAL,), n_slices=5, extent=0.2))
        assert len(chosen.pixels) == 5

    seconds, peak = costs(choose)
    assert seconds < 1.5  # with the tracing of memory; 0.3 s without
    assert peak < 17 * MB  # the volume is 13 MB as stored, 52 MB as float64


# --- Whatever the bytes are


@settings(max_examples=75, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 360), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_header_with_any_bytes_changed_is_read_or_named_an_error(
    tmp_path: Path, changes: list[tuple[int, int]]
) -> None:
    content = bytearray((NIBABEL_DATA / "anatomical.nii").read_bytes())
    for at, value in changes:
        content[at] = value
    (tmp_path / "a.nii").write_bytes(content)
    assert outcome_of(tmp_path / "a.nii")


@settings(max_examples=50, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=6), st.floats(0, 1))
def test_a_compressed_file_with_any_bytes_changed_or_lost_is_read_or_named_an_error(
    tmp_path: Path, changes: list[tuple[float, int]], kept: float
) -> None:
    content = bytearray((NIBABEL_DATA / "example_nifti2.nii.gz").read_bytes())
    for part, value in changes:
        content[int(part * len(content))] = value
    (tmp_path / "a.nii.gz").write_bytes(content[: int(len(content) * max(kept, 0.1))])
    assert outcome_of(tmp_path / "a.nii.gz")
