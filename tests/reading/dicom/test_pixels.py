"""Every transfer syntax gives its source back, and only the frame that was asked for is read."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import jpeg_ls
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from openjpeg.utils import decode as decode_by_openjpeg
from PIL import Image
from pydicom import uid as uids
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_rescale

from gadoscope.reading.dicom.pixels import decode_frame, read_pixel_header
from tests.support.pixel_files import CountingFile, make_image, make_stored, to_file
from tests.support.transfer_syntaxes import ALL, ENCODERS, LOSSLESS, LOSSY, NEAR_LOSSLESS_ERROR, encode

COMPRESSED = tuple(ENCODERS)
DEPTHS = [(8, False), (8, True), (10, False), (12, False), (12, True), (16, False), (16, True)]
# Largest error against the source, of 12 bits (Baseline: 8), with the settings of `encode`: what the codec
# itself takes away from this image, a little rounded up. JPEG-LS states its loss.
LOSSES = {
    uids.JPEGBaseline8Bit: 6,
    uids.JPEGExtended12Bit: 12,
    uids.JPEGLSNearLossless: NEAR_LOSSLESS_ERROR,
    uids.JPEG2000: 90,
    uids.HTJ2K: 40,
}


def _name(syntax: object) -> str:
    named = uids.UID(syntax).keyword if isinstance(syntax, str) else getattr(syntax, "__name__", "")
    return named or repr(syntax)


def _bits_of(syntax: str) -> int:
    return 8 if syntax == uids.JPEGBaseline8Bit else 12


@pytest.mark.parametrize(("bits", "is_signed"), DEPTHS)
@pytest.mark.parametrize("syntax", LOSSLESS, ids=_name)
def test_a_lossless_syntax_gives_each_frame_back_exactly(syntax: str, bits: int, is_signed: bool) -> None:
    stored = make_stored(bits, is_signed=is_signed, n_frames=3)
    file = to_file(encode(make_image(stored, bits), syntax))
    for index in (1, 2, 0):
        frame = decode_frame(file, index)
        np.testing.assert_array_equal(frame.values, stored[index])
        assert frame.values.dtype == np.float32
        assert frame.warnings == ()


@pytest.mark.parametrize("syntax", LOSSY, ids=_name)
def test_a_lossy_syntax_loses_no_more_than_its_codec(syntax: str) -> None:
    stored = make_stored(_bits_of(syntax), n_frames=2)
    file = to_file(encode(make_image(stored, _bits_of(syntax)), syntax))
    error = np.abs(decode_frame(file, 1).values - stored[1]).max()
    assert 0 < error <= LOSSES[uids.UID(syntax)]


def _decode_by_gdcm(dataset: pydicom.Dataset) -> NDArray[Any]:
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    return np.asarray(decoder.as_array(dataset, index=0, decoding_plugin="gdcm")[0])


def _decode_by_pillow(stream: bytes) -> NDArray[Any]:
    return np.asarray(Image.open(BytesIO(stream)))


def _decode_by_pyjpegls(stream: bytes) -> NDArray[Any]:
    pixels, info = jpeg_ls.decode_buffer(stream)
    return np.frombuffer(pixels, "<u2").reshape(info["height"], info["width"])


@pytest.mark.parametrize(
    ("syntax", "decode_otherwise", "tolerance"),
    [
        (uids.JPEGBaseline8Bit, _decode_by_pillow, 1),  # an inverse cosine transform may round either way
        (uids.JPEGLSNearLossless, _decode_by_pyjpegls, 0),
        (uids.JPEG2000, decode_by_openjpeg, 0),
        (uids.HTJ2K, imagecodecs.htj2k_decode, 1),
    ],
    ids=_name,
)
def test_a_lossy_stream_decodes_as_by_another_library(
    syntax: str, decode_otherwise: Callable[[bytes], NDArray[Any]], tolerance: int
) -> None:
    dataset = encode(make_image(make_stored(_bits_of(syntax))[0], _bits_of(syntax)), syntax)
    stream = next(generate_frames(dataset.PixelData, number_of_frames=1))
    other = decode_otherwise(stream)
    ours = decode_frame(to_file(dataset)).values
    assert np.abs(ours - np.clip(other, 0, (1 << dataset.BitsStored) - 1)).max() <= tolerance


@pytest.mark.parametrize("syntax", [uids.JPEGLossless, uids.JPEGLosslessSV1], ids=_name)
def test_lossless_jpeg_decodes_as_by_gdcm(syntax: str) -> None:
    dataset = encode(make_image(make_stored(12)[0], 12), syntax)
    np.testing.assert_array_equal(decode_frame(to_file(dataset)).values, _decode_by_gdcm(dataset))


@pytest.mark.parametrize(
    ("syntax", "is_signed"), [(uids.JPEG2000, True), (uids.HTJ2K, True), (uids.HTJ2K, False)]
)
@pytest.mark.parametrize("bits", [10, 12])
def test_a_lossy_codec_that_overshoots_is_clipped_and_never_wraps(
    syntax: str, is_signed: bool, bits: int
) -> None:
    stored = make_stored(bits, is_signed=is_signed)
    values = decode_frame(to_file(encode(make_image(stored[0], bits), syntax))).values
    assert np.abs(values - stored[0]).max() < 1 << (bits - 4)


@pytest.mark.parametrize(
    ("n_fragments", "offset_table"), [(1, "basic"), (3, "basic"), (1, "none"), (3, "none"), (1, "extended")]
)
def test_frames_are_found_with_and_without_offset_tables(n_fragments: int, offset_table: str) -> None:
    stored = make_stored(12, n_frames=4)
    for syntax in (uids.JPEGLosslessSV1, uids.JPEG2000Lossless):
        dataset = encode(make_image(stored, 12), syntax, n_fragments=n_fragments, offset_table=offset_table)
        file = to_file(dataset)
        for index in (3, 0, 2, 1):
            np.testing.assert_array_equal(decode_frame(file, index).values, stored[index])


def test_one_frame_in_many_fragments_without_a_table_is_joined() -> None:
    stored = make_stored(12)
    dataset = encode(make_image(stored[0], 12), uids.JPEGLSLossless, n_fragments=5, offset_table="none")
    np.testing.assert_array_equal(decode_frame(to_file(dataset)).values, stored[0])


def test_an_offset_table_that_leads_astray_is_not_believed() -> None:
    stored = make_stored(12, n_frames=3)
    dataset = encode(make_image(stored, 12), uids.RLELossless)
    pixels = bytearray(dataset.PixelData)
    pixels[12:16] = (2).to_bytes(4, "little")  # of the second frame
    dataset.PixelData = bytes(pixels)
    np.testing.assert_array_equal(decode_frame(to_file(dataset), 1).values, stored[1])


@pytest.mark.parametrize("syntax", [uids.ExplicitVRLittleEndian, uids.JPEGLosslessSV1], ids=_name)
def test_only_the_frame_asked_for_is_read(syntax: str) -> None:
    stored = make_stored(12, n_frames=40, n_rows=128, n_columns=128)
    file = CountingFile(to_file(encode(make_image(stored, 12), syntax)).getvalue())
    header = read_pixel_header(file)
    file.n_read = 0
    np.testing.assert_array_equal(decode_frame(file, 23, header).values, stored[23])
    assert file.n_read <= stored[0].nbytes


def test_a_kept_header_gives_the_same_frame() -> None:
    file = to_file(encode(make_image(make_stored(12, n_frames=3), 12), uids.HTJ2KLossless))
    header = read_pixel_header(file)
    for index in range(3):
        np.testing.assert_array_equal(
            decode_frame(file, index, header).values, decode_frame(file, index).values
        )


def test_a_boxed_jpeg_2000_stream_is_unboxed() -> None:
    stored = make_stored(12)[0]
    dataset = encode(make_image(stored, 12), uids.JPEG2000Lossless)
    boxed = imagecodecs.jpeg2k_encode(stored, codecformat="jp2", bitspersample=12, reversible=True, level=0)
    dataset.PixelData = encapsulate([bytes(boxed) + b"\0" * (len(boxed) % 2)])
    np.testing.assert_array_equal(decode_frame(to_file(dataset)).values, stored)


SHIPPED = [
    *("MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_expb.dcm", "MR_small_implicit.dcm"),
    *("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "CT_small.dcm"),
    *("examples_overlay.dcm", "JPEG2000.dcm", "J2K_pixelrep_mismatch.dcm", "JPEGLSNearLossless_16.dcm"),
    *("image_dfl.dcm", "rtdose.dcm", "rtdose_rle.dcm", "JPEGLSNearLossless_08.dcm"),
]


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.filterwarnings("ignore::UserWarning")  # of pydicom, which is the reference here
def test_pydicoms_own_files_decode_as_pydicom_decodes_them(name: str) -> None:
    path = get_testdata_file(name, download=False)
    dataset = pydicom.dcmread(str(path))
    stored = dataset.pixel_array
    expected = apply_rescale(stored if stored.ndim == 2 else stored[0], dataset)
    with Path(str(path)).open("rb") as file:
        np.testing.assert_array_equal(decode_frame(file).values, expected.astype(np.float32))


@pytest.mark.parametrize("name", ["JPGExtended.dcm", "JPEG-lossy.dcm"])
def test_twelve_bit_jpeg_is_read_though_pydicom_has_no_decoder_for_it(name: str) -> None:
    with Path(str(get_testdata_file(name, download=False))).open("rb") as file:
        values = decode_frame(file).values
    assert values.std() > 10


@pytest.mark.parametrize("is_implicit", [False, True])
def test_a_file_without_preamble_and_meta_information_is_read(is_implicit: bool) -> None:
    stored = make_stored(12)[0]
    file = BytesIO()
    dataset = make_image(stored, 12)
    del dataset.file_meta
    pydicom.dcmwrite(file, dataset, implicit_vr=is_implicit, little_endian=True)
    np.testing.assert_array_equal(decode_frame(file).values, stored)


def test_threads_decode_all_syntaxes_at_once() -> None:
    files = {
        syntax: to_file(
            encode(make_image(make_stored(_bits_of(syntax))[0], _bits_of(syntax)), syntax)
        ).getvalue()
        for syntax in ALL
    }
    alone = {syntax: decode_frame(BytesIO(content)).values for syntax, content in files.items()}
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda syntax: (syntax, decode_frame(BytesIO(files[syntax]))), [*ALL] * 25)
        for syntax, frame in answers:
            np.testing.assert_array_equal(frame.values, alone[syntax])


def test_uncompressed_pixels_need_no_codec_and_no_pydicom(tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(to_file(make_image(make_stored(12)[0], 12)).getvalue())
    program = (
        "import sys; from gadoscope.reading.dicom.pixels import decode_frame; "
        f"decode_frame(open({str(path)!r}, 'rb')); "
        "print([name for name in ('imagecodecs', 'highdicom', 'pydicom', 'scipy') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
