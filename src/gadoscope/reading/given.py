"""What a caller of the Python functions may hand over, and the inputs that it becomes.

A path, an array, an image of nibabel, datasets of pydicom, an open file, a series that was opened, and
several of these. Where a file would have been read, its bytes are made in memory and read as that file is:
the answers are the same. Neither pydicom nor nibabel is imported: who hands over an object of theirs has.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import UnsupportedOperation
from itertools import count
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import InputError, ReadError, UsageError
from gadoscope.imaging.array_volume import ArrayVolume, build_geometry, is_orientation
from gadoscope.labels import Plane
from gadoscope.reading.archives.held import Held
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.discover import Found, iter_inputs
from gadoscope.reading.remote.addresses import hide_secrets
from gadoscope.reading.remote.naming import locate
from gadoscope.reading.remote.path import Location, RemotePath
from gadoscope.reading.series import ImageSeries, SeriesVolume

if TYPE_CHECKING:
    from typing import BinaryIO

    from nibabel.spatialimages import SpatialImage
    from pydicom.dataset import Dataset

    One: TypeAlias = (
        "str | os.PathLike[str] | RemotePath | PathStream | NDArray[Any] | SpatialImage | Dataset | BinaryIO"
        " | ImageSeries"
    )
    What: TypeAlias = "One | Iterable[Any]"

EXPECTED = (
    "a path, an array, an image of nibabel, a dataset of pydicom, a file opened with 'rb', "
    "an ImageSeries, or several of these"
)
SLICE_AXES, VOLUME_AXES = 2, 3
COLOURS = (3, 4)
"""Values of a pixel in RGB, and in RGB with its opacity. No plane of a head has so few columns."""


@dataclass(frozen=True)
class PathStream:
    """Paths that are named one by one while earlier ones are read, so that their number costs no memory.

    Parameters
    ----------
    names
        Paths and addresses, taken once.
    by
        What names them, in a sentence.
    """

    names: Iterator[str]
    by: str


@dataclass(frozen=True)
class GivenSlice:
    """A slice that is an array; ``pixels`` (row, column), real numbers, larger is brighter."""

    name: str
    pixels: NDArray[Any]
    plane: Plane | None
    stays = True


@dataclass(frozen=True)
class GivenSeries:
    """A series that was opened before."""

    series: ImageSeries
    stays = True


Input = Found | GivenSlice | GivenSeries


@dataclass(frozen=True, kw_only=True)
class ArrayAxes:
    """What is said of the axes of the arrays among what is handed over.

    Parameters
    ----------
    spacing_mm
        Of a volume, between neighbours along (slice, row, column).
    orientation
        Of a volume: see `build_geometry`.
    plane
        Of a single slice, which is upright; ``None`` where it is unknown.
    """

    spacing_mm: Sequence[float] | None = None
    orientation: str | None = None
    plane: Plane | str | None = None


def list_inputs(what: "What", axes: ArrayAxes) -> Iterator[Input]:
    """Return the inputs that ``what`` becomes, in its order; folders are walked as they are read.

    Raises
    ------
    UsageError
        If something in ``what`` is of another kind, or an array cannot be read with what is said of it.
    """
    listing = _Listing(axes)
    parts: list[Location | PathStream | Input] = list(listing.flatten(what))
    if listing.n_arrays == 0 and axes != ArrayAxes():
        raise UsageError(
            "spacing_mm, orientation and plane are of arrays, but no array was given; leave them."
        )
    return _walk(parts)


def _walk(parts: Iterable[Location | PathStream | Input]) -> Iterator[Input]:
    for part in parts:
        if isinstance(part, (Path, RemotePath)):
            yield from iter_inputs([part])
        elif isinstance(part, PathStream):
            yield from iter_inputs(map(_locate_named, part.names))
        else:
            yield part


def _locate(what: Any) -> Location | PathStream:
    if isinstance(what, (RemotePath, PathStream)):
        return what
    if what == "":
        raise UsageError("an empty text names no path; '.' is the folder that you are in.")
    return locate(what) if isinstance(what, str) else Path(what)


def _locate_named(text: str) -> Location | Found:
    """Return the place of one name among many: what is wrong with it becomes its row."""
    try:
        return locate(text)
    except UsageError as error:
        shown = Source(Path(hide_secrets(text)))
        return Found(shown, ReadError("unknown_address", str(error)), is_named=True)


class _Listing:
    """Takes apart what was handed over, and counts it: what has no name is called by its number."""

    def __init__(self, axes: ArrayAxes) -> None:
        self._axes = axes
        self._numbers = count(1)
        self._names: set[str] = set()
        self.n_arrays = 0

    def flatten(self, what: Any) -> Iterator[Location | PathStream | Input]:
        """Yield paths and inputs."""
        if isinstance(what, (str, os.PathLike, RemotePath, PathStream)):
            yield _locate(what)
        elif isinstance(what, np.ndarray):
            yield self._take_array(what)
        elif isinstance(what, ImageSeries):
            yield GivenSeries(what)
        elif is_dataset(what):
            yield self._hold(_dataset_bytes, what, self._name("dataset"))
        elif _is_nibabel(what):
            yield self._hold(_nifti_bytes, what, self._name("image", what.get_filename()))
        elif hasattr(what, "read"):
            yield self._hold(read_file, what, self._name("file", getattr(what, "name", None)))
        elif isinstance(what, Iterable) and not isinstance(what, (bytes, bytearray, memoryview, Mapping)):
            for one in what:
                yield from self.flatten(one)
        else:
            remedy = " Wrap bytes in io.BytesIO." if isinstance(what, (bytes, bytearray, memoryview)) else ""
            raise UsageError(
                f"cannot classify a value of the type {type(what).__name__}; give {EXPECTED}.{remedy}"
            )

    def _name(self, kind: str, own: object = None) -> str:
        """Return what stands for a thing in its row: its own name, or its kind and number."""
        number = next(self._numbers)
        name = own if isinstance(own, str) and own else f"{kind} {number}"
        if name in self._names:
            name = f"{name} ({number})"
        self._names.add(name)
        return name

    def _hold(self, make: Any, what: Any, name: str) -> Found:
        """Take a thing as the file that it would be; what cannot be one becomes a row."""
        try:
            return Found(Source(Path(name), held=Held(make(what))), is_named=True, stays=True)
        except InputError as error:
            return Found(Source(Path(name)), error, is_named=True, stays=True)

    def _take_array(self, array: NDArray[Any]) -> Input:
        self.n_arrays += 1
        name = self._name("array")
        if array.dtype.kind not in "biuf":
            raise UsageError(f"{name} holds {array.dtype}; give real numbers, larger ones being brighter.")
        if array.ndim == SLICE_AXES:
            if self._axes.spacing_mm is not None or self._axes.orientation is not None:
                raise UsageError(
                    f"{name} is one slice (row, column), upright and with square pixels: it has a plane, and "
                    "no spacing_mm or orientation. Give a volume of one slice to name these."
                )
            return GivenSlice(name, array, _check_plane(self._axes.plane))
        if array.ndim != VOLUME_AXES:
            raise UsageError(
                f"{name} has the shape {array.shape}; give a volume (slice, row, column), one at a time, or "
                "a slice (row, column)."
            )
        if array.shape[-1] in COLOURS:
            raise UsageError(
                f"{name} has the shape {array.shape}, as colours have; give one grey value a pixel: a slice "
                "(row, column), or a volume (slice, row, column)."
            )
        return GivenSeries(open_array(array, self._axes, name))


def open_array(array: NDArray[Any], axes: ArrayAxes, name: str = "array") -> ImageSeries:
    """Return a series of one volume, shape (slice, row, column); errors as `list_inputs`."""
    if axes.plane is not None:
        raise UsageError(
            f"{name} is a volume: the plane of its slices follows from its orientation; leave plane."
        )
    spacing_mm, orientation = _check_spacing(axes.spacing_mm, name), axes.orientation
    if not isinstance(orientation, str) or not is_orientation(orientation):
        said = "no orientation" if orientation is None else f"orientation = {orientation!r}"
        raise UsageError(
            f"{name} is a volume with {said}; name where its slices, rows and columns go, by three letters: "
            "L or R, P or A, S or I: 'SPL' is from feet to head, from front to back, from right to left."
        )
    shape = (array.shape[0], array.shape[1], array.shape[2])

    def open_volume() -> ArrayVolume:
        return ArrayVolume(array, build_geometry(shape, spacing_mm, orientation))

    return ImageSeries(path=name, volumes=(SeriesVolume(open=open_volume),))


def _check_spacing(spacing_mm: object, name: str) -> tuple[float, float, float]:
    values = tuple(spacing_mm) if isinstance(spacing_mm, Iterable) else ()
    if len(values) == VOLUME_AXES and all(_is_length(value) for value in values):
        return float(values[0]), float(values[1]), float(values[2])
    said = "no spacing_mm" if spacing_mm is None else f"spacing_mm = {spacing_mm!r}"
    raise UsageError(
        f"{name} is a volume with {said}; give three lengths above 0 in mm: between slices, rows, columns."
    )


def _is_length(value: object) -> bool:
    return isinstance(value, (Real, np.number)) and bool(np.isfinite(float(value))) and float(value) > 0


def _check_plane(plane: Plane | str | None) -> Plane | None:
    try:
        return None if plane is None else Plane(plane)
    except ValueError:
        expected = ", ".join(Plane)
        raise UsageError(
            f"plane = {plane!r}; expected one of {expected}, or none where it is unknown."
        ) from None


def is_dataset(what: object) -> "TypeGuard[Dataset]":
    """Tell whether it is a dataset of pydicom, without importing that."""
    module = sys.modules.get("pydicom.dataset")
    return module is not None and isinstance(what, module.Dataset)


def _is_nibabel(what: object) -> "TypeGuard[SpatialImage]":
    module = sys.modules.get("nibabel.spatialimages")
    return module is not None and isinstance(what, module.SpatialImage)


def read_file(file: "BinaryIO") -> bytes:
    """Return what an open file holds, from where it stands on.

    Raises
    ------
    UsageError
        If it gives text, is closed, or was opened to write alone.
    ReadError
        ``empty_file``, if it stands at its end; a file of no bytes is for the reader to refuse.
    """
    if getattr(file, "closed", False):
        raise UsageError("this file is closed; classify it while it is open, or give its path.")
    try:
        content = file.read()
    except UnsupportedOperation:
        raise UsageError("this file was opened to write alone; open it with 'rb'.") from None
    if not isinstance(content, bytes):
        raise UsageError("this file was opened as text; open it with 'rb'.")
    if not content and _is_past_start(file):
        raise ReadError(
            "empty_file", "nothing is left to read of it, for it stands at its end; seek(0) in it first."
        )
    return content


def _is_past_start(file: "BinaryIO") -> bool:
    try:
        return file.tell() > 0
    except (AttributeError, OSError):  # a pipe has no place to stand
        return False


def _nifti_bytes(image: "SpatialImage") -> bytes:
    from gadoscope.reading.nifti.written import write_nifti  # noqa: PLC0415 — needs nibabel

    return write_nifti(image)


def _dataset_bytes(dataset: "Dataset") -> bytes:
    from gadoscope.reading.dicom.written import write_dataset  # noqa: PLC0415 — needs pydicom

    return write_dataset(dataset)
