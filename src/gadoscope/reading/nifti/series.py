"""A NIfTI file becomes a series of volumes, whose slices are read one by one.

NIfTI-1 and NIfTI-2, Analyze 7.5 and MGH, single files and pairs, compressed or not, from disk or from inside
an archive. The header is read when the series is opened, voxels when they are asked for, and only those are
kept.
"""

import os
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import ReadError, RefusedError
from gadoscope.imaging.volume import Geometry
from gadoscope.reading.archives.places import place_of, source_of
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.nifti.header import HEADER_BYTES, NiftiHeader, parse_header
from gadoscope.reading.nifti.inflate import MAGIC, GzipIndex, GzipReader
from gadoscope.reading.nifti.kin import is_analyze, is_mgh
from gadoscope.reading.nifti.names import find_pair_image
from gadoscope.reading.series import Facts, ImageSeries, SeriesVolume

MAX_INFLATION = 250
"""Voxels over compressed bytes. Real heads saved as float64, three quarters of them set to 0, reach 29
(measured); deflate's limit, which only one value repeated reaches, is 1,032."""
ALWAYS_INFLATED_BYTES = 2**26
"""Inflated without asking for that ratio: 64 MiB take a third of a second."""
_PER_VOLUME = ("EchoTime", "RepetitionTime", "InversionTime", "FlipAngle")
_BLOCK_BYTES = 2**20  # of stored values at a time: small beside the slices chosen from them
_THIRD_AXIS = 2
_LENGTH_BYTES = 4
_LENGTH_MODULUS = 2**32  # gzip ends with its inflated length, modulo this (RFC 1952)
_TRUNCATED = "truncated"
_DAMAGED = "this volume is damaged or ends too early; copy it again from its source."


def open_nifti(source: Source, *, facts: Facts | None = None, warnings: tuple[str, ...] = ()) -> ImageSeries:
    """Read the header of a NIfTI file; no voxel is decoded yet.

    Parameters
    ----------
    source
        The .nii, .nii.gz, .hdr, .mgh or .mgz file; what it is, is told by its content.
    facts
        What a sidecar and a BIDS name say; see `find_sidecar_facts`.
    warnings
        Of these; they become the series' own.

    Returns
    -------
    ImageSeries
        One volume, or for a 4-D file one for each point in time.

    Raises
    ------
    ReadError
        ``bad_header``, ``not_an_image``, ``truncated``, ``missing_pair``, or as `Source.open`.
    RefusedError
        As `parse_header`; ``too_large`` also for a compressed file that would inflate absurdly.
    """
    header = _parse(source, _read_start(source))
    voxels = _Voxels(_find_voxels(source) if header.is_pair else source, header)
    voxels.check_length()
    n_volumes = header.shape[3]
    if facts is not None and n_volumes > 1:
        facts = {"NumberOfTemporalPositions": n_volumes, **facts}
    return ImageSeries(
        path=str(source),
        volumes=tuple(
            SeriesVolume(
                open=partial(NiftiVolume, voxels, n),
                peek=partial(NiftiVolume, voxels, n, is_peek=True) if voxels.is_compressed else None,
                facts=_pick_facts(facts or {}, n, n_volumes),
            )
            for n in range(n_volumes)
        ),
        facts=facts,
        warnings=(*header.warnings, *warnings),
    )


class NiftiVolume:
    """One volume of a NIfTI file, as `LazyVolume`.

    Parameters
    ----------
    voxels
        Of the whole file.
    index
        Which of its volumes.
    is_peek
        Whether the file behind what is read stays unread, so that damage in it is not noticed.
    """

    def __init__(self, voxels: "_Voxels", index: int, *, is_peek: bool = False) -> None:
        self._voxels = voxels
        self._index = index
        self._is_peek = is_peek

    @property
    def geometry(self) -> Geometry:
        """Where the voxels lie."""
        return self._voxels.header.geometry

    @property
    def window(self) -> tuple[float, float] | None:
        """cal_min and cal_max, if they say something; (0, 255) for unscaled 8-bit values."""
        return self._voxels.header.window

    @property
    def warnings(self) -> tuple[str, ...]:
        """None: whatever is repaired of a NIfTI file is known from its header."""
        return ()

    def read_slices(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """Decode some slices: shape (len(indices), row, column), after scl_slope and scl_inter.

        Raises
        ------
        ReadError
            ``truncated``, if the file is damaged or too short; or as `Source.open`.
        """
        header = self._voxels.header
        out = np.empty((len(indices), *self.geometry.shape[1:]), dtype=np.float32)
        with self._voxels.open(is_peek=self._is_peek) as stream:
            for place, part in _iter_parts(stream, header, self._index, indices):
                out[place] = _scale(part, header)
        return out


class _Voxels:
    """The file with the voxels: opened, inflated where it is compressed, and then checked whole, once.

    A damaged gzip file gives wrong voxels behind the damage without a word; only its end tells, by a
    checksum. So the first reader goes on to the end, and a damaged file is so for all its volumes.
    """

    def __init__(self, source: Source, header: NiftiHeader) -> None:
        self.header = header
        self._source = source
        self._index: GzipIndex | None = None
        self._ends_with_voxels = False
        self._is_checked = False
        self._is_damaged = False
        self._lock = threading.Lock()

    @property
    def is_compressed(self) -> bool:
        """Return whether reading the last voxel costs as much as reading all."""
        return self._index is not None

    @contextmanager
    def open(self, *, is_peek: bool = False) -> Iterator[BinaryIO]:
        """Give the inflated bytes, seekable; what is not read of them stays unchecked for a peek.

        Raises
        ------
        ReadError
            ``truncated``, also after the block, if the file is damaged or ends before the last voxel.
        """
        if self._is_damaged:
            raise ReadError(_TRUNCATED, _DAMAGED)
        try:
            with self._source.open() as file, _explain_damage():
                if self._index is None:
                    yield file
                else:
                    stream = _inflated(file, self._index)
                    yield stream
                    if not is_peek:
                        self._check_rest(stream)
        except ReadError as error:
            self._is_damaged = error.reason == _TRUNCATED  # and not, say, a disk that is away for a moment
            raise

    def check_length(self) -> None:
        """Refuse, without inflating, what cannot hold the voxels that the header promises."""
        needed = self.header.n_bytes
        with self._source.open() as file:
            is_compressed = file.read(len(MAGIC)) == MAGIC
            n_bytes = file.seek(0, os.SEEK_END)
            if not is_compressed:
                if n_bytes < needed:
                    raise ReadError(
                        _TRUNCATED,
                        f"the file has {n_bytes} bytes, its header promises {needed}; "
                        "copy it again from its source.",
                    )
                return
            if needed > max(ALWAYS_INFLATED_BYTES, MAX_INFLATION * n_bytes):
                raise RefusedError(
                    "too_large",
                    f"{n_bytes} bytes that inflate to {needed} are no scan but a few values repeated; "
                    "give the scan itself.",
                )
            file.seek(-_LENGTH_BYTES, os.SEEK_END)
            said = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        self._index = GzipIndex(needed)
        self._ends_with_voxels = said == needed % _LENGTH_MODULUS

    def _check_rest(self, stream: BinaryIO) -> None:
        """Inflate what is left; zlib compares the checksum at the end.

        A file that says another length than that of the voxels is cut off, or holds several members, or
        more than voxels, perhaps endlessly more; then the last voxel is enough.
        """
        with self._lock:
            if self._is_checked:
                return
            stream.seek(self.header.n_bytes - 1)
            has_last_voxel = len(stream.read(1)) == 1
            if not has_last_voxel or (self._ends_with_voxels and stream.read(1)):
                raise EOFError
            self._is_checked = True


def _pick_facts(facts: Facts, index: int, n_volumes: int) -> Facts:
    """Return what a sidecar says of one volume by an array: BIDS has one value for each, as of EchoTime."""
    arrays = {key: facts[key] for key in _PER_VOLUME if key in facts}
    return {
        key: array[index]
        for key, array in arrays.items()
        if isinstance(array, list) and len(array) == n_volumes > 1
    }


def _read_start(source: Source) -> bytes:
    with source.open() as file, _explain_damage():
        is_compressed = file.read(len(MAGIC)) == MAGIC
        file.seek(0)
        return (_inflated(file, GzipIndex()) if is_compressed else file).read(HEADER_BYTES)


def _parse(source: Source, block: bytes) -> NiftiHeader:
    # The two kin are read by nibabel, whose import is most of what answering a volume takes.
    if is_mgh(block):
        from gadoscope.reading.nifti.mgh import check_label_name, parse_mgh  # noqa: PLC0415

        check_label_name(source.name)
        return parse_mgh(block)
    if is_analyze(block):
        from gadoscope.reading.nifti.analyze import parse_analyze  # noqa: PLC0415

        return parse_analyze(block, place_of(source))
    return parse_header(block)


def _find_voxels(source: Source) -> Source:
    image = find_pair_image(place_of(source))
    if image is None:
        raise ReadError(
            "missing_pair", "this .hdr describes voxels in a .img file beside it, which is not there."
        )
    return source_of(image)


def _inflated(file: BinaryIO, index: GzipIndex) -> BinaryIO:
    return GzipReader(file, index)  # type: ignore[return-value]  # RawIOBase is a BinaryIO, but typeshed differs


@contextmanager
def _explain_damage() -> Iterator[None]:
    """Turn what is raised about too few or wrong bytes into one error."""
    try:
        yield
    except (zlib.error, EOFError, ValueError) as error:
        raise ReadError(_TRUNCATED, _DAMAGED) from error
    except OSError as error:
        if error.errno is not None:  # of the disk, not of the file
            raise
        raise ReadError(_TRUNCATED, _DAMAGED) from error


def _iter_parts(
    stream: BinaryIO, header: NiftiHeader, volume: int, indices: Sequence[int]
) -> Iterator[tuple[tuple[Any, ...], NDArray[Any]]]:
    """Yield (place in the result, stored values), in the order in which they lie in the file.

    Where the third axis counts slices, each lies in one piece. Else every slice has a line in each plane of
    the third axis, so these are read a few at a time, once for all slices.
    """
    if header.slice_axis == _THIRD_AXIS:
        for at in np.argsort(indices):
            yield (at,), _read_planes(stream, header, volume, int(indices[at]), 1)[0]
        return
    row, column, n_planes = header.shape[:3]
    step = max(1, _BLOCK_BYTES // (row * column * header.dtype.itemsize))
    for first in range(0, n_planes, step):
        n = min(step, n_planes - first)
        block = _read_planes(stream, header, volume, first, n).transpose(2, 1, 0)
        chosen = np.take(block, indices, axis=header.slice_axis)
        # Axes become (slice, third, the other one), as `Geometry` has them.
        yield (slice(None), slice(first, first + step)), np.moveaxis(chosen, (header.slice_axis, 2), (0, 1))


def _read_planes(stream: BinaryIO, header: NiftiHeader, volume: int, first: int, n: int) -> NDArray[Any]:
    """Return ``n`` planes of the third axis: shape (n, second axis, first axis), as they lie in the file."""
    rows, columns, n_planes = header.shape[:3]
    planes = np.empty((n, columns, rows), header.dtype)
    n_bytes = planes[0].nbytes
    stream.seek(header.offset + (volume * n_planes + first) * n_bytes)
    # RawIOBase and BufferedIOBase fill the whole of it, or come to the end; typeshed gives it to neither.
    if stream.readinto(planes.reshape(-1).view(np.uint8)) != planes.nbytes:  # type: ignore[attr-defined]
        raise EOFError
    return planes


def _scale(stored: NDArray[Any], header: NiftiHeader) -> NDArray[np.float32]:
    """Values beyond float32 become infinite: told and repaired where NaN is."""
    with np.errstate(over="ignore", invalid="ignore"):
        if (header.slope, header.intercept) == (1.0, 0.0):
            return stored.astype(np.float32)
        return (stored.astype(np.float64) * header.slope + header.intercept).astype(np.float32)
