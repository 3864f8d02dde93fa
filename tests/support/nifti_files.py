"""NIfTI files for the tests: made by nibabel, damaged by hand."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from gadoscope.errors import InputError
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.nifti.series import open_nifti
from gadoscope.reading.series import ImageSeries

nib: Any = nibabel  # half of it has no types
NIBABEL_DATA = Path(nib.__file__).parent / "tests" / "data"
MAGIC_AT = 344


def oblique_affine() -> NDArray[np.float64]:
    """Return an RAS+ affine, a rotation away from the axes, with three different spacings."""
    turn, tilt = np.deg2rad(12), np.deg2rad(-7)
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x @ np.diag([0.9, 1.0, 4.0])
    affine[:3, 3] = [-20.0, 15.0, 30.0]
    return affine


def values(shape: tuple[int, ...] = (20, 24, 7), dtype: Any = np.int16) -> NDArray[Any]:
    """Return values that all differ, as far as ``dtype`` can hold so many; floats have fractions."""
    counted = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    if np.dtype(dtype).kind == "f":
        return (counted / 8 - 100.25).astype(dtype)
    return (counted % (np.iinfo(dtype).max + 1.0)).astype(dtype)


def save(path: Path, data: NDArray[Any], **header: Any) -> Path:
    """Write ``data`` as ``path``; ``header`` sets raw fields after all that nibabel does itself."""
    kind = header.pop("kind", nib.Nifti1Image)
    affine = header.pop("affine", oblique_affine())
    image = kind(data, affine, dtype=data.dtype)
    image.set_qform(affine, code=1)
    nib.save(image, path)
    return patch(path, lambda fields: fields.update(header)) if header else path


def patch(path: Path, change: Callable[[Any], None]) -> Path:
    """Change raw header fields of a single file in place: nibabel would refuse to write most of them."""
    opener: Any = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        content = file.read()
    is_second = content[4:8] == b"n+2\0"
    header_class = nib.Nifti2Header if is_second else nib.Nifti1Header
    size = header_class.sizeof_hdr
    fields = header_class(content[:size], check=False)
    changed: dict[str, Any] = {}
    change(changed)
    for name, value in changed.items():
        fields[name] = value
    with opener(path, "wb") as file:
        file.write(fields.binaryblock + content[size:])
    return path


def open_file(path: Path) -> ImageSeries:
    return open_nifti(Source(path))


def read_all(series: ImageSeries, index: int = 0) -> NDArray[np.float32]:
    """Return all voxels of a volume, (slice, row, column)."""
    volume = series.volumes[index].open()
    return volume.read_slices(range(volume.geometry.shape[0]))


def outcome_of(path: Path) -> str:
    """Return the reason why a file cannot be read, or "read"; any other exception is a fault."""
    try:
        series = open_file(path)
        for volume in series.volumes[:2]:
            opened = volume.open()
            opened.read_slices([opened.geometry.shape[0] // 2])
    except InputError as error:
        return error.reason
    return "read"


def sampled_at(
    voxels: NDArray[Any], affine: NDArray[np.float64], other: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[Any]:
    """Return ``voxels`` in the index order of another affine over the same grid of points.

    By coordinates alone, so it knows nothing of how a reader permutes axes.
    """
    indices = np.indices(shape).reshape(3, -1)
    points = other[:3, :3] @ indices + other[:3, 3:]
    own = np.linalg.solve(affine[:3, :3], points - affine[:3, 3:])
    rounded = np.rint(own)
    assert np.abs(own - rounded).max() < 1e-3
    i, j, k = rounded.astype(int)
    return np.asarray(voxels[i, j, k].reshape(shape))


def all_axis_orders() -> list[str]:
    """Return the 48 ways in which a file can order and flip its axes, as ``RAS``, ``PIR`` ..."""
    from itertools import permutations, product  # noqa: PLC0415 — used here only

    pairs = ("RL", "AP", "SI")
    return ["".join(sides) for axes in permutations(pairs) for sides in product(*axes)]


def reorder(data: NDArray[Any], affine: NDArray[np.float64], code: str) -> tuple[NDArray[Any], Any]:
    """Return the same volume with its axes in the order ``code``, by nibabel."""
    orientations = nib.orientations
    wanted = orientations.axcodes2ornt(tuple(code))
    change = orientations.ornt_transform(orientations.io_orientation(affine), wanted)
    turned = orientations.apply_orientation(data, change)
    return turned, affine @ orientations.inv_ornt_aff(change, data.shape)
