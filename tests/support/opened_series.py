"""Writes series into a folder and opens them as a run does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from gadoscope.imaging.volume import LazyVolume
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.facts import read_facts
from gadoscope.reading.dicom.header import InstanceHeader, scan_header
from gadoscope.reading.dicom.series import open_dicom_series
from gadoscope.reading.series import ImageSeries
from tests.support.dicom_files import write_instance

Item = TypeVar("Item")


def shuffle(items: Sequence[Item], seed: int) -> list[Item]:
    return [items[index] for index in np.random.default_rng(seed).permutation(len(items))]


def write(datasets: Sequence[Dataset], folder: Path) -> list[Path]:
    """Write each instance as it stands, in the order given."""
    folder.mkdir(parents=True, exist_ok=True)
    return [write_instance(dataset, folder / f"{n:05d}") for n, dataset in enumerate(datasets)]


def scan(path: Path) -> InstanceHeader:
    with Source(path).open() as file:
        return scan_header(file, str(path))


def open_files(paths: Sequence[Path]) -> ImageSeries:
    """Open the files of one series, in the order given."""
    with Source(paths[0]).open() as file:
        facts = read_facts(file)
    return open_dicom_series([scan(path) for path in paths], [Source(path) for path in paths], facts)


def open_datasets(datasets: Sequence[Dataset], folder: Path) -> ImageSeries:
    return open_files(write(datasets, folder))


@dataclass(frozen=True, eq=False)
class Read:
    """A volume, decoded in full."""

    affine: NDArray[np.float64]
    voxels: NDArray[np.float32]
    window: tuple[float, float] | None


def read_volume(volume: LazyVolume) -> Read:
    voxels = volume.read_slices(range(volume.geometry.shape[0]))
    assert voxels.shape == volume.geometry.shape
    return Read(volume.geometry.affine, voxels, volume.window)


def read_volumes(series: ImageSeries) -> list[Read]:
    return [read_volume(volume.open()) for volume in series.volumes]


def assert_same(one: Read, other: Read) -> None:
    np.testing.assert_allclose(one.affine, other.affine, atol=1e-6)
    np.testing.assert_array_equal(one.voxels, other.voxels)
    assert one.window == other.window
