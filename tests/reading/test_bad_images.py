"""Files that are no slice: each becomes one reason and one sentence, soon and without much memory."""

import gzip
import os
import re
import socket
import struct
import time
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.images import MAX_FILE_BYTES, MAX_PIXELS, decode_slice, read_slice
from tests.support.rights import as_nobody
from tests.support.slices import grey_values

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP")
ANIMATED = ("PNG", "GIF", "TIFF", "WEBP")


def encode(image_format: str, image: Image.Image | None = None, **options: Any) -> bytes:
    buffer = BytesIO()
    (image or Image.fromarray(grey_values(60, 50))).save(buffer, image_format, **options)
    return buffer.getvalue()


def reason_of(path: Path, kind: type[InputError]) -> str:
    """Read, expect an error, and check that its sentence is one line that ends as a sentence."""
    with pytest.raises(InputError) as caught:
        read_slice(path)
    assert type(caught.value) is kind
    assert re.fullmatch(r"[^\n]{20,240}\.", caught.value.sentence)
    return caught.value.reason


def written(tmp_path: Path, content: bytes, name: str = "slice.png") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_an_empty_file_fails(tmp_path: Path) -> None:
    assert reason_of(written(tmp_path, b""), ReadError) == "empty_file"


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_truncated_image_fails(tmp_path: Path, image_format: str) -> None:
    content = encode(image_format)
    assert reason_of(written(tmp_path, content[: len(content) // 2]), ReadError) == "truncated"


@pytest.mark.parametrize("image_format", FORMATS)
def test_an_image_cut_in_its_header_fails(tmp_path: Path, image_format: str) -> None:
    assert reason_of(written(tmp_path, encode(image_format)[:20]), ReadError) == "truncated"


@pytest.mark.parametrize(
    "content", [b"Patient notes, not a picture.\n" * 20, b"BMI 23, no contrast", b"\0" * 4000]
)
def test_a_text_named_png_fails(tmp_path: Path, content: bytes) -> None:
    assert reason_of(written(tmp_path, content), ReadError) == "not_an_image"


def nifti_header() -> bytes:
    header = bytearray(352)
    header[:4] = struct.pack("<i", 348)
    header[344:348] = b"n+1\0"
    return bytes(header)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\0" * 128 + b"DICM" + b"\2\0\0\0UL" + b"\0" * 64, "a DICOM file"),
        (nifti_header(), "a NIfTI volume"),
        (gzip.compress(nifti_header(), mtime=0), "a compressed NIfTI volume"),
        (gzip.compress(b"anything else", mtime=0), "a gzip archive"),
        (b"\x1f\x8b and then no gzip", "a gzip archive"),
        (struct.pack("<i", 540) + b"n+2\0\r\n\x1a\n" + b"\0" * 540, "a NIfTI volume"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"PK\3\4" + b"\0" * 40, "a ZIP archive"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 30, "a HEIF or AVIF image"),
    ],
)
def test_other_kinds_of_files_are_refused_by_their_kind(tmp_path: Path, content: bytes, words: str) -> None:
    path = written(tmp_path, content)
    assert reason_of(path, RefusedError) == "unsupported_format"
    with pytest.raises(RefusedError, match=f"this is {words}, not one slice as an image"):
        read_slice(path)


def test_real_dicom_and_nifti_files_are_refused_by_their_kind(shared: Path) -> None:
    dicom = next((shared / "data" / "dicom" / "brainix-t1").iterdir())
    with pytest.raises(RefusedError, match="a DICOM file"):
        read_slice(dicom)
    nifti = next((shared / "data" / "tcga-lgg" / "volume").rglob("*.nii*"))
    with pytest.raises(RefusedError, match="NIfTI volume"):
        read_slice(nifti)


@pytest.mark.parametrize("image_format", ANIMATED)
def test_an_animated_image_is_refused(tmp_path: Path, image_format: str) -> None:
    image = Image.fromarray(grey_values(60, 50))
    content = encode(image_format, image, save_all=True, append_images=[image.rotate(90)])
    assert reason_of(written(tmp_path, content), RefusedError) == "animated"


def huge_png(columns: int, rows: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    chunks = [header, b"IDAT" + zlib.compress(b"\0" * 1000), b"IEND"]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


def patched(content: bytes, offset: int, layout: str, *values: int) -> bytes:
    packed = struct.pack(layout, *values)
    return content[:offset] + packed + content[offset + len(packed) :]


def jpeg_size_offset(content: bytes) -> int:
    return content.index(b"\xff\xc0") + 5


HUGE = {
    "PNG": huge_png(20_000, 20_000),
    "PNG that Pillow only warns about": huge_png(10_000, 10_000),
    "BMP": patched(encode("BMP"), 18, "<ii", 20_000, 20_000),
    "GIF": patched(encode("GIF"), 6, "<HH", 20_000, 20_000),
    "JPEG": patched(encode("JPEG"), jpeg_size_offset(encode("JPEG")), ">HH", 20_000, 20_000),
    "TIFF": encode("TIFF", tiffinfo={}).replace(
        struct.pack("<HHII", 256, 4, 1, 50), struct.pack("<HHII", 256, 4, 1, 20_000)
    ).replace(struct.pack("<HHII", 257, 4, 1, 60), struct.pack("<HHII", 257, 4, 1, 20_000)),
    "WebP": b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (16_382).to_bytes(3, "little") * 2 + b"\0" * 8,
}  # fmt: skip


@pytest.mark.parametrize("kind", HUGE)
def test_an_image_of_20000_by_20000_is_refused_from_its_header(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, HUGE[kind])
    tracemalloc.start()
    begin = time.perf_counter()
    try:
        assert reason_of(path, RefusedError) == "too_large"
        seconds, peak_bytes = time.perf_counter() - begin, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seconds < 1
    assert peak_bytes < 5_000_000


def test_a_file_of_too_many_bytes_is_refused_unread(tmp_path: Path) -> None:
    path = written(tmp_path, encode("BMP"))
    os.truncate(path, MAX_FILE_BYTES + 1)  # a hole: takes no space
    assert reason_of(path, RefusedError) == "too_large"


def test_the_largest_image_that_is_allowed_is_read() -> None:
    pixels = np.zeros((2048, MAX_PIXELS // 2048), dtype=np.uint8)
    pixels[5] = 9
    read = decode_slice(BytesIO(encode("PNG", Image.fromarray(pixels), compress_level=1)))
    np.testing.assert_array_equal(read.pixels, pixels)


def test_a_tiny_image_is_refused(tmp_path: Path) -> None:
    content = encode("PNG", Image.fromarray(grey_values(100, 15)))
    assert reason_of(written(tmp_path, content), RefusedError) == "too_small"


@pytest.mark.parametrize("value", [0, 255])
def test_a_blank_image_is_refused(tmp_path: Path, value: int) -> None:
    assert (
        reason_of(written(tmp_path, encode("PNG", Image.new("L", (50, 50), value))), RefusedError) == "blank"
    )


def test_a_float_image_without_one_finite_value_is_refused_as_blank(tmp_path: Path) -> None:
    image = Image.fromarray(np.full((50, 50), np.nan, dtype=np.float32))
    assert reason_of(written(tmp_path, encode("TIFF", image)), RefusedError) == "blank"


def test_a_missing_file_fails(tmp_path: Path) -> None:
    assert reason_of(tmp_path / "gone.png", ReadError) == "missing"


def test_a_file_taken_for_a_folder_is_missing(tmp_path: Path) -> None:
    assert reason_of(written(tmp_path, encode("PNG")) / "x.png", ReadError) == "missing"


def test_a_name_with_a_nul_character_is_missing(tmp_path: Path) -> None:
    assert reason_of(tmp_path / "a\0b.png", ReadError) == "missing"


def test_a_link_without_target_fails(tmp_path: Path) -> None:
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "gone.png")
    assert reason_of(link, ReadError) == "missing"


def test_links_that_loop_fail(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "b.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    assert reason_of(tmp_path / "a.png", ReadError) == "link_loop"


def test_a_name_that_is_too_long_fails(tmp_path: Path) -> None:
    assert reason_of(tmp_path / ("n" * 400 + ".png"), ReadError) == "name_too_long"


def test_a_folder_named_like_an_image_fails(tmp_path: Path) -> None:
    (tmp_path / "slice.png").mkdir()
    assert reason_of(tmp_path / "slice.png", ReadError) == "not_a_file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "slice.png")
    assert reason_of(tmp_path / "slice.png", ReadError) == "not_a_file"


def test_a_socket_and_a_device_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.png")
        assert reason_of(tmp_path / "s.png", ReadError) == "not_a_file"
    assert reason_of(Path("/dev/null"), ReadError) == "not_a_file"


def test_a_file_without_read_permission_fails(tmp_path: Path) -> None:
    path = written(tmp_path, encode("PNG"))
    readable = written(tmp_path, encode("PNG"), "readable.png")
    path.chmod(0)
    with as_nobody(tmp_path):
        assert reason_of(path, ReadError) == "no_permission"
        assert read_slice(readable).warnings == ()


def test_an_error_of_the_disk_keeps_the_systems_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, encode("PNG"))

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("gadoscope.reading.images.find_format", fail)
    assert reason_of(path, ReadError) == "io_error"


def test_a_tiff_that_pillow_has_no_decoder_for_is_refused(tmp_path: Path) -> None:
    content = encode("TIFF").replace(struct.pack("<HHII", 262, 3, 1, 1), struct.pack("<HHII", 262, 3, 1, 99))
    assert reason_of(written(tmp_path, content), RefusedError) == "unsupported_format"


CONTENTS = [encode(image_format) for image_format in FORMATS]
CONTENTS += [
    encode("PNG", Image.fromarray(grey_values()).convert("P")),
    encode("TIFF", compression="tiff_lzw"),
]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    content=st.sampled_from(CONTENTS),
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8),
    keep=st.floats(0, 1),
)
def test_a_mutated_image_is_read_refused_or_failed(
    content: bytes, changes: list[tuple[int, int]], keep: float
) -> None:
    mutated = bytearray(content)
    for offset, value in changes:
        mutated[offset % len(mutated)] = value
    try:
        read = decode_slice(BytesIO(bytes(mutated[: max(1, round(len(mutated) * keep))])))
    except (ReadError, RefusedError):
        return
    assert read.pixels.ndim == 2
    assert read.pixels.dtype == np.uint8


@settings(max_examples=100, deadline=None, derandomize=True)
@given(prefix=st.sampled_from([b"", *(content[:16] for content in CONTENTS)]), rest=st.binary(max_size=300))
def test_random_bytes_are_refused_or_failed(prefix: bytes, rest: bytes) -> None:
    with pytest.raises(InputError):
        decode_slice(BytesIO(prefix + rest))
