"""The scan behind a row of the store is opened again where it lies: what its pictures are made of.

A row says where its first file lies, and of DICOM which series it is. The files beside it are looked at
again, for nobody keeps a list of them; a folder that was looked at is remembered for a while.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import InputError, ReadError
from gadoscope.imaging.array_volume import ArrayVolume
from gadoscope.imaging.geometry import PLANES, VIEWS, find_closest_plane
from gadoscope.imaging.reformat import find_grid, reformat
from gadoscope.imaging.slices import SlicePolicy, find_planes
from gadoscope.imaging.stack import read_stack
from gadoscope.imaging.volume import Geometry, LazyVolume
from gadoscope.imaging.window import find_limits
from gadoscope.labels import Plane
from gadoscope.reading.archives.places import place_of
from gadoscope.reading.archives.sources import INSIDE, Source
from gadoscope.reading.discover import Found, iter_inputs
from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_kind
from gadoscope.reading.images import decode_slice
from gadoscope.reading.os_errors import explain_os_error
from gadoscope.reading.remote.naming import locate
from gadoscope.reading.remote.path import RemotePath
from gadoscope.reading.series import ImageSeries
from gadoscope.scans.beside import look_beside, open_beside
from gadoscope.scans.contents import Contents, look_below, look_through, read_alone

MAX_FOLDER_FILES = 50_000
"""Whose headers are read to find a series again: ten seconds. A folder of more holds an archive."""
HELD_BYTES = 2**28
"""Of a volume that is held decoded, 256 MB: 512 x 512 x 256 voxels. Larger ones are decoded as asked."""

MOVED = "its files are no longer where they were: they were moved or deleted since it was answered"
WRITTEN_SINCE = "its files were written again after it was answered: this may be another image"


@dataclass(frozen=True, kw_only=True)
class Where:
    """Which scan.

    Parameters
    ----------
    place
        Number of the place in the store.
    path
        As the row has it: the file, or the first file of a DICOM series; inside an archive ``a.zip!member``.
    series_instance_uid
        Of DICOM; ``None`` elsewhere.
    volume_index
        Of a series of several volumes, which is shown; the first for ``None``.
    answered_at
        When it was answered, UTC as the store has it; empty where nobody asks whether it was changed since.
    """

    place: int
    path: str
    series_instance_uid: str | None = None
    volume_index: int | None = None
    answered_at: str = ""


@dataclass(frozen=True)
class Stack:
    """The slices of a scan in one plane, in the order of DICOM's slice normal.

    Parameters
    ----------
    plane
        ``UNKNOWN`` of a lone slice whose plane nobody knows.
    n_slices
        How many.
    read
        Which of them the network read, from 0.
    first_mm, step_mm
        Where the first lies along the view's slice normal (`gadoscope.imaging.geometry.VIEWS`), and how far
        apart they are; ``None`` of a lone image, which lies nowhere.
    is_own
        Whether the scan was acquired in it; else they are computed.
    """

    plane: Plane
    n_slices: int
    read: tuple[int, ...]
    first_mm: float | None
    step_mm: float
    is_own: bool


@dataclass(eq=False)
class Scan:
    """One scan that is open, for several threads.

    Attributes
    ----------
    volume
        Its voxels; ``None`` of a lone image.
    stacks
        By plane, the own one first; of thick slices other planes are computed too, as coarse as they are.
    limits
        Values that are black and white where nobody asks for others.
    n_volumes
        Of the series.
    notes
        What is odd about it, one sentence each.
    """

    volume: LazyVolume | None
    stacks: dict[Plane, Stack]
    limits: tuple[float, float]
    n_volumes: int = 1
    notes: tuple[str, ...] = ()
    image: NDArray[np.uint8] | None = None
    _whole: LazyVolume | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def own(self) -> Stack:
        """The stack that was acquired."""
        return next(iter(self.stacks.values()))

    def read(self, plane: Plane, index: int) -> NDArray[np.float32]:
        """Return one slice, upright with square pixels, shape (row, column), float32 in the file's units.

        Raises
        ------
        ValueError
            If the scan has no such slice.
        InputError
            If it cannot be decoded.
        """
        stack = self.stacks.get(plane)
        if stack is None or not 0 <= index < stack.n_slices:
            raise ValueError(f"there is no {plane.value} slice {index} of this scan.")
        if self.image is not None or self.volume is None:
            assert self.image is not None  # noqa: S101 — a scan is one or the other
            return self.image.astype(np.float32)
        if stack.is_own:
            with self._lock:  # a volume reads for one at a time
                stored: NDArray[np.float32] = read_stack(self.volume, lambda _: [index]).voxels[0]
                return stored
        computed: NDArray[np.float32] = reformat(self.hold(), [plane], lambda _: [index])[0].voxels[0]
        return computed

    def hold(self) -> LazyVolume:
        """Return the volume, decoded once where it is not too large: other planes need all of it."""
        assert self.volume is not None  # noqa: S101 — asked of volumes alone
        n_bytes = 4 * int(np.prod(self.volume.geometry.shape))
        with self._lock:
            if self._whole is None and n_bytes <= HELD_BYTES:
                try:
                    voxels = self.volume.read_slices(range(self.volume.geometry.shape[0]))
                except InputError:  # neighbours stand in for what is damaged: `reformat` sees to that
                    return self.volume
                self._whole = ArrayVolume(voxels, self.volume.geometry)
            return self._whole or self.volume


class Scans:
    """Opens scans, and keeps those that were asked for last; for several threads.

    Parameters
    ----------
    n_kept
        Scans that stay open.
    """

    def __init__(self, n_kept: int = 12) -> None:
        self._n_kept = n_kept
        self._scans: OrderedDict[tuple[str, int | None], Scan] = OrderedDict()
        self._folders: OrderedDict[tuple[str, int], Contents] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, where: Where, policy: SlicePolicy | None = None) -> Scan:
        """Return a scan that is open; an error is found anew each time, for it may be mended.

        Parameters
        ----------
        where
            Which.
        policy
            Which slices the model of its row reads; ``None`` where that is unknown: none is marked.

        Raises
        ------
        InputError
            If its files are gone, or cannot be read.
        UsageError
            If it lies at an address that cannot be asked.
        """
        key = f"{where.path}\0{where.series_instance_uid}\0{policy}", where.volume_index
        with self._lock:
            if (known := self._scans.get(key)) is not None:
                self._scans.move_to_end(key)
                return known
        scan = self._open(where, policy)
        with self._lock:
            self._scans[key] = scan
            while len(self._scans) > self._n_kept:
                self._scans.popitem(last=False)
        return scan

    def _open(self, where: Where, policy: SlicePolicy | None) -> Scan:
        try:
            opened = self._find(where)
        except OSError as error:
            raise explain_os_error(error) from error
        notes = (WRITTEN_SINCE,) if _is_written_since(where) else ()
        if isinstance(opened, ImageSeries):
            return open_volume(opened, where.volume_index, policy, notes)
        stack = Stack(Plane.UNKNOWN, 1, (0,) if policy else (), None, 1.0, is_own=True)
        return Scan(None, {Plane.UNKNOWN: stack}, (0.0, 255.0), notes=notes, image=opened)

    def _find(self, where: Where) -> ImageSeries | NDArray[np.uint8]:
        source = find_source(where.path)
        if not isinstance(source.path, RemotePath) and not source.path.exists():
            raise ReadError("missing", f"{MOVED}. Classify their new folder into this store.")
        with source.open() as file:
            kind = find_kind(file.read(PREFIX_BYTES))
            if kind is Kind.IMAGE:
                file.seek(0)
                return decode_slice(file).pixels
        if kind is Kind.NIFTI:
            return open_beside(source, look_beside(place_of(source)))
        return self._find_dicom(where, source)

    def _find_dicom(self, where: Where, source: Source) -> ImageSeries:
        found = self._look_beside(source).dicom
        named = [one for one in found if str(one.first) == str(source)]
        series = named or [one for one in found if one.uid and one.uid == where.series_instance_uid]
        if not series:
            raise ReadError("missing", f"{MOVED}. Classify their new folder into this store.")
        return series[0].open()

    def _look_beside(self, source: Source) -> Contents:
        """Return what lies in the folder, or the archive, of a file; looked at again where it was written."""
        if isinstance(source.path, RemotePath):
            return look_through(iter_inputs([source.path.parent]))
        top = source.path if source.member else source.path.parent
        key = str(top), top.stat().st_mtime_ns
        with self._lock:
            if (known := self._folders.get(key)) is not None:
                return known
        if source.member:
            contents = look_below(top)
        else:
            files = list(_list_files(top))
            # Beyond that only what is named: a multi-frame object is whole by itself.
            contents = (
                look_through(files) if len(files) <= MAX_FOLDER_FILES else Contents([read_alone(source)])
            )
        with self._lock:
            self._folders[key] = contents
            while len(self._folders) > self._n_kept:
                self._folders.popitem(last=False)
        return contents


def find_source(path: str) -> Source:
    """Return where the file of a row lies: an archive's member where the part before a ``!`` is a file."""
    archive, inside, member = path.partition(INSIDE)
    if inside and (not os.path.exists(path)):  # noqa: PTH110 — of text
        return Source(locate(archive), member)
    return Source(locate(path))


def _list_files(folder: Path) -> Iterator[Found]:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_file() and not entry.name.startswith("."))
    return (Found(Source(folder / name)) for name in names)


def _is_written_since(where: Where) -> bool:
    if not where.answered_at:
        return False
    try:
        written = os.stat(where.path.partition(INSIDE)[0]).st_mtime  # noqa: PTH116 — of text
    except OSError:
        return False
    return written > datetime.fromisoformat(where.answered_at).timestamp() + 1  # the store has whole seconds


def open_volume(
    series: ImageSeries, volume_index: int | None, policy: SlicePolicy | None, notes: tuple[str, ...] = ()
) -> Scan:
    """Return a volume of a series as a scan, with the window that its answer was made with.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    number = min(volume_index or 0, len(series.volumes) - 1)
    volume = series.volumes[number].open()
    geometry = volume.geometry
    own, _ = find_closest_plane(geometry.normal)
    choose = (policy or SlicePolicy()).choose_indices
    stacks = {own: _own_stack(geometry, own)}
    for plane in PLANES if geometry.shape[0] > 1 else ():
        if plane is not own and (stack := _computed_stack(geometry, plane)) is not None:
            stacks[plane] = stack
    shown = read_stack(volume, choose)
    limits = find_limits(shown.voxels, volume.window)
    read = _list_read(geometry, policy, own) if policy else ()
    marked = {
        plane: Stack(plane, one.n_slices, tuple(choose(one.n_slices)), one.first_mm, one.step_mm, one.is_own)
        if plane in read
        else one
        for plane, one in stacks.items()
    }
    return Scan(volume, marked, limits, len(series.volumes), notes)


def _list_read(geometry: Geometry, policy: SlicePolicy, own: Plane) -> tuple[Plane, ...]:
    """Return the planes that a model reads; none where it refuses the scan."""
    try:
        return tuple(own if plane is None else plane for plane in find_planes(geometry, policy))
    except InputError:
        return ()


def _own_stack(geometry: Geometry, own: Plane) -> Stack:
    through = VIEWS[own].through
    n_slices, rows, columns = geometry.shape
    middle = np.array([0.0, (rows - 1) / 2, (columns - 1) / 2, 1.0])
    first = float(through @ (geometry.affine @ middle)[:3])
    step = float(through @ geometry.affine[:3, 0])
    if step < 0:  # shown from the other end
        first, step = first + step * (n_slices - 1), -step
    return Stack(own, n_slices, (), first, step, is_own=True)


def _computed_stack(geometry: Geometry, plane: Plane) -> Stack | None:
    """Return the slices that can be computed of another plane; ``None`` where they would be too large."""
    counted: list[int] = []

    def choose(n_slices: int) -> list[int]:
        counted.append(n_slices)
        return sorted({0, n_slices - 1})

    try:
        grid = find_grid(geometry, plane, choose)
    except InputError:
        return None
    through, (n_slices,) = VIEWS[plane].through, counted
    ends = [
        float(through @ (geometry.affine @ np.array([*origin, 1.0]))[:3])
        for origin in (grid.origins[0], grid.origins[-1])
    ]
    step = (ends[1] - ends[0]) / (n_slices - 1) if n_slices > 1 else 1.0
    return Stack(plane, n_slices, (), ends[0], step, is_own=False)
