"""A dataset in any transfer syntax, for tests, made by encoders of permissive licence.

``encode(dataset, uid)`` takes a monochrome dataset with uncompressed little-endian PixelData of 8 or 16 bits,
one or several frames, or none, and returns a copy whose PixelData and TransferSyntaxUID are those of ``uid``;
``save_as`` then writes it. What lies above BitsStored is cut off before a JPEG encoder sees it.
"""

import pickle
from collections.abc import Callable

import imagecodecs
import jpeg_ls
import numpy as np
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from pydicom import uid as uids
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.pixels.encoders.base import RLELosslessEncoder

NEAR_LOSSLESS_ERROR = 2
"""The largest error of one value that `JPEGLSNearLossless` is encoded with."""
JPEG_QUALITY = 95
JPEG2000_RATIO = 8.0
HTJ2K_STEP = 1 / 4096
"""Quantisation step of `HTJ2K`, relative to the range of the values."""
SELECTION_VALUE_1, SELECTION_VALUE_OTHER = 1, 6
"""Predictors of lossless JPEG: SV1 as its syntax demands; another for Process 14 in general."""

Frame = NDArray[np.generic]

NATIVE = (
    uids.ImplicitVRLittleEndian,
    uids.ExplicitVRLittleEndian,
    uids.ExplicitVRBigEndian,
    uids.DeflatedExplicitVRLittleEndian,
)
LOSSLESS = (
    *NATIVE,
    uids.RLELossless,
    uids.JPEGLossless,
    uids.JPEGLosslessSV1,
    uids.JPEGLSLossless,
    uids.JPEG2000Lossless,
    uids.HTJ2KLossless,
    uids.HTJ2KLosslessRPCL,
)
"""Syntaxes from which every value comes back as it was."""
LOSSY = (
    uids.JPEGBaseline8Bit,
    uids.JPEGExtended12Bit,
    uids.JPEGLSNearLossless,
    uids.JPEG2000,
    uids.HTJ2K,
)
"""Syntaxes that lose a little; Baseline holds 8 bits, Extended up to 12, both unsigned only."""
ALL = LOSSLESS + LOSSY


def encode(dataset: Dataset, uid: str, *, n_fragments: int = 1, offset_table: str = "basic") -> Dataset:
    """Return a copy of ``dataset`` in the transfer syntax ``uid``.

    Parameters
    ----------
    dataset
        With Rows, Columns, BitsAllocated (8 or 16), BitsStored, PixelRepresentation, PixelData.
    uid
        One of `ALL`.
    n_fragments
        Fragments of each compressed frame.
    offset_table
        ``basic``, ``extended`` or ``none``.
    """
    if "PixelData" not in dataset:
        made = copied(dataset)
        made.file_meta.TransferSyntaxUID = uids.UID(uid)
        return made
    encoded = Dataset()  # afresh: pydicom does not write what it read in another byte order
    whole = copied(dataset)
    for element in whole:
        encoded.add(element)
    list(encoded.iterall())  # decodes what pydicom keeps as bytes inside sequences
    encoded.file_meta = getattr(whole, "file_meta", FileMetaDataset())
    encoded.file_meta.TransferSyntaxUID = uids.UID(uid)
    if uid in NATIVE:
        if uid == uids.ExplicitVRBigEndian and encoded.BitsAllocated > 8:
            encoded.PixelData = np.frombuffer(encoded.PixelData, "<u2").astype(">u2").tobytes()
        encoded["PixelData"].VR = "OB" if encoded.BitsAllocated == 8 else "OW"
        return encoded
    frames = [ENCODERS[uids.UID(uid)](frame, dataset) for frame in stored_frames(dataset)]
    frames = [frame + b"\0" * (len(frame) % 2) for frame in frames]
    if offset_table == "extended":
        encoded.PixelData, offsets, lengths = encapsulate_extended(frames)
        encoded.ExtendedOffsetTable, encoded.ExtendedOffsetTableLengths = offsets, lengths
    else:
        encoded.PixelData = encapsulate(frames, n_fragments, has_bot=offset_table == "basic")
    encoded["PixelData"].VR = "OB"
    encoded["PixelData"].is_undefined_length = True
    return encoded


def copied(dataset: Dataset) -> Dataset:
    """Return a copy that shares nothing, five times as fast as `copy.deepcopy`."""
    made: Dataset = pickle.loads(pickle.dumps(dataset))  # noqa: S301 - our own
    return made


def stored_frames(dataset: Dataset) -> Frame:
    """Return the stored values, shape (frame, row, column), of BitsAllocated, signed as the header says."""
    kind = "i" if dataset.PixelRepresentation else "u"
    shape = (int(dataset.get("NumberOfFrames", 1)), dataset.Rows, dataset.Columns)
    n_values = int(np.prod(shape))
    return np.frombuffer(dataset.PixelData, f"<{kind}{dataset.BitsAllocated // 8}")[:n_values].reshape(shape)


def _cut(frame: Frame, dataset: Dataset) -> Frame:
    """Return the values as unsigned, those below zero as two's complement of BitsStored."""
    unsigned = frame.view(frame.dtype.str.replace("i", "u"))
    cut: Frame = np.ascontiguousarray(unsigned & np.array((1 << dataset.BitsStored) - 1, unsigned.dtype))
    return cut


def _encode_rle(frame: Frame, dataset: Dataset) -> bytes:
    return RLELosslessEncoder.encode(
        frame.tobytes(),
        rows=dataset.Rows,
        columns=dataset.Columns,
        samples_per_pixel=1,
        number_of_frames=1,
        bits_allocated=dataset.BitsAllocated,
        bits_stored=dataset.BitsStored,
        pixel_representation=dataset.PixelRepresentation,
        photometric_interpretation="MONOCHROME2",
        encoding_plugin="pydicom",
    )


def _encode_dct(frame: Frame, dataset: Dataset) -> bytes:
    bits = 8 if dataset.BitsStored <= 8 else 12
    return bytes(imagecodecs.jpeg8_encode(_cut(frame, dataset), JPEG_QUALITY, bitspersample=bits))


def _encode_lossless_jpeg(predictor: int) -> Callable[[Frame, Dataset], bytes]:
    def encode_frame(frame: Frame, dataset: Dataset) -> bytes:
        return bytes(
            imagecodecs.jpeg8_encode(
                _cut(frame, dataset), lossless=True, predictor=predictor, bitspersample=dataset.BitsStored
            )
        )

    return encode_frame


def _encode_jpeg_ls(error: int) -> Callable[[Frame, Dataset], bytes]:
    def encode_frame(frame: Frame, dataset: Dataset) -> bytes:
        values = _cut(frame, dataset).tobytes()
        return bytes(
            jpeg_ls.encode_buffer(values, dataset.Rows, dataset.Columns, 1, dataset.BitsStored, error, 0)
        )

    return encode_frame


def _encode_jpeg2000(ratios: list[float] | None) -> Callable[[Frame, Dataset], bytes]:
    def encode_frame(frame: Frame, dataset: Dataset) -> bytes:
        return encode_array(np.array(frame), bits_stored=dataset.BitsStored, compression_ratios=ratios)

    return encode_frame


def _encode_htj2k(step: float | None) -> Callable[[Frame, Dataset], bytes]:
    # OpenJPH writes its packets by resolution, position, component, layer: RPCL, as .202 demands.
    def encode_frame(frame: Frame, dataset: Dataset) -> bytes:
        return bytes(imagecodecs.htj2k_encode(np.array(frame), level=step, reversible=step is None))

    return encode_frame


ENCODERS: dict[str, Callable[[Frame, Dataset], bytes]] = {
    uids.RLELossless: _encode_rle,
    uids.JPEGBaseline8Bit: _encode_dct,
    uids.JPEGExtended12Bit: _encode_dct,
    uids.JPEGLossless: _encode_lossless_jpeg(SELECTION_VALUE_OTHER),
    uids.JPEGLosslessSV1: _encode_lossless_jpeg(SELECTION_VALUE_1),
    uids.JPEGLSLossless: _encode_jpeg_ls(0),
    uids.JPEGLSNearLossless: _encode_jpeg_ls(NEAR_LOSSLESS_ERROR),
    uids.JPEG2000Lossless: _encode_jpeg2000(None),
    uids.JPEG2000: _encode_jpeg2000([JPEG2000_RATIO]),
    uids.HTJ2KLossless: _encode_htj2k(None),
    uids.HTJ2KLosslessRPCL: _encode_htj2k(None),
    uids.HTJ2K: _encode_htj2k(HTJ2K_STEP),
}
