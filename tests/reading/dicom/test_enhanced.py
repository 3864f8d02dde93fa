"""One acquisition in classic, enhanced and legacy-converted encoding is one and the same volume."""

import io
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import highdicom
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, JPEG2000Lossless

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.evidence.reconcile import read_evidence
from gadoscope.evidence.state import HeaderState
from gadoscope.imaging.slices import SlicePolicy, choose_slices
from gadoscope.labels import Phase, Plane
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom import series as series_module
from gadoscope.reading.dicom.enhanced import read_frames
from gadoscope.reading.dicom.series import open_dicom_series
from tests.support.dicom_files import (
    Clock,
    classic_series,
    dynamic_series,
    multi_echo_series,
    set_instance_uid,
    set_sop_class,
    write_instance,
)
from tests.support.dicom_multiframe import enhanced, legacy_converted
from tests.support.opened_series import (
    assert_same,
    open_datasets,
    open_files,
    read_volumes,
    scan,
    shuffle,
)

ENCODINGS = [enhanced, legacy_converted]
Encode = Callable[[list[Dataset]], Dataset]


@pytest.mark.parametrize("plane", [Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL])
@pytest.mark.parametrize("encode", ENCODINGS)
def test_multi_frame_and_classic_give_equal_geometry_voxels_and_chosen_slices(
    encode: Encode, plane: Plane, tmp_path: Path
) -> None:
    datasets = classic_series(plane=plane)
    classic = open_datasets(datasets, tmp_path / "classic")
    multi = open_datasets([encode(datasets)], tmp_path / "multi")
    assert (multi.warnings, multi.volumes[0].warnings) == ((), ())
    assert_same(read_volumes(multi)[0], read_volumes(classic)[0])
    policy = SlicePolicy(planes=(plane,), extent=0.8)
    chosen, expected = (choose_slices(one.volumes[0].open(), policy) for one in (multi, classic))
    assert chosen.plane is expected.plane is plane
    for pixels, others in zip(chosen.pixels, expected.pixels, strict=True):
        np.testing.assert_array_equal(pixels, others)


@pytest.mark.parametrize("encode", ENCODINGS)
def test_a_multi_frame_object_is_the_volume_that_highdicom_reads(encode: Encode, tmp_path: Path) -> None:
    path = write_instance(encode(classic_series(plane=Plane.CORONAL)), tmp_path / "one")
    expected = highdicom.imread(path).get_volume(apply_voi_transform=False)
    if np.dot(expected.affine[:3, 0], open_files([path]).volumes[0].open().geometry.affine[:3, 0]) < 0:
        expected = expected.flip_spatial(0)
    [read] = read_volumes(open_files([path]))
    np.testing.assert_allclose(read.affine, expected.affine, atol=1e-3)
    np.testing.assert_array_equal(read.voxels, expected.array)


@pytest.mark.parametrize("encode", ENCODINGS)
def test_shuffled_frames_give_the_same_volume(encode: Encode, tmp_path: Path) -> None:
    datasets = classic_series()
    [expected] = read_volumes(open_datasets([encode(datasets)], tmp_path / "sorted"))
    shuffled = [encode(shuffle(datasets, 4))]
    assert_same(read_volumes(open_datasets(shuffled, tmp_path / "shuffled"))[0], expected)


@pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, JPEG2000Lossless])
def test_compressed_multi_frame_objects_are_equal_too(syntax: UID, tmp_path: Path) -> None:
    made = enhanced(classic_series())
    paths = [
        write_instance(made, tmp_path / "plain"),
        write_instance(made, tmp_path / "packed", syntax=syntax),
    ]
    plain, packed = (read_volumes(open_files([path]))[0] for path in paths)
    assert_same(packed, plain)


@pytest.mark.parametrize("encode", ENCODINGS)
@pytest.mark.parametrize("build", [dynamic_series, multi_echo_series])
def test_several_volumes_are_the_same_from_both_encodings(
    build: Callable[[], list[Dataset]], encode: Encode, tmp_path: Path
) -> None:
    datasets = build()
    classic = open_datasets(datasets, tmp_path / "classic")
    multi = open_datasets([encode(datasets)], tmp_path / "multi")
    assert len(multi.volumes) == len(classic.volumes) > 2
    for keyword in ("EchoTime", "TemporalPositionIdentifier"):
        told = [[volume.facts.get(keyword) for volume in one.volumes] for one in (multi, classic)]
        assert told[0] == pytest.approx(told[1])
    for read, other in zip(read_volumes(multi), read_volumes(classic), strict=True):
        assert_same(read, other)


@pytest.mark.parametrize("clock", [Clock.ACQUISITION_NUMBER, Clock.ACQUISITION_TIME])
def test_one_multi_frame_object_for_each_time_point_makes_one_series(clock: Clock, tmp_path: Path) -> None:
    datasets = dynamic_series(4, 2, clock=clock)
    objects = []
    for number in range(4):
        made = enhanced(datasets[number * 3 : number * 3 + 3])
        made.InstanceNumber = number + 1
        set_instance_uid(made, f"2.25.{number + 1}")
        objects.append(made)
    expected = read_volumes(open_datasets(datasets, tmp_path / "classic"))
    found = read_volumes(open_datasets(shuffle(objects, 1), tmp_path / "multi"))
    for read, other in zip(found, expected, strict=True):
        assert_same(read, other)


def test_each_volume_knows_what_its_frames_say_of_contrast(tmp_path: Path) -> None:
    datasets = dynamic_series(4, 2)
    phases = ["PRE_CONTRAST"] * 6 + ["IMMEDIATE"] * 6
    series = open_datasets([enhanced(datasets, agent_phase=phases)], tmp_path)
    assert series.facts is not None
    states = [read_evidence({**series.facts, **volume.facts}).state for volume in series.volumes]
    assert states == [HeaderState.NOT_ADMINISTERED] * 2 + [HeaderState.ADMINISTERED] * 2
    assert read_evidence(series.facts).state is HeaderState.SILENT


def test_a_file_cut_off_inside_the_pixels_still_gives_its_first_frames(tmp_path: Path) -> None:
    datasets = classic_series()
    path = write_instance(enhanced(datasets), tmp_path / "one")
    [whole] = read_volumes(open_files([path]))
    path.write_bytes(path.read_bytes()[: -2 * 64 * 64 * 2 + 100])
    lazy = open_files([path]).volumes[0].open()
    assert lazy.geometry.shape == (6, 64, 64)
    np.testing.assert_array_equal(lazy.read_slices([0, 1, 2, 3]), whole.voxels[:4])
    with pytest.raises(InputError):
        lazy.read_slices([5])


def test_frames_that_are_not_described_are_damage(tmp_path: Path) -> None:
    made = enhanced(classic_series())
    made.NumberOfFrames = 2**31 - 1
    with pytest.raises(ReadError, match="2147483647, but 6 frames") as caught:
        open_datasets([made], tmp_path)
    assert caught.value.reason == "damaged_header"


@pytest.mark.parametrize(
    ("remove", "reason"),
    [
        ("PerFrameFunctionalGroupsSequence", "missing_orientation"),
        ("SharedFunctionalGroupsSequence", "bad_geometry"),
    ],
)
def test_without_functional_groups_it_is_refused(remove: str, reason: str, tmp_path: Path) -> None:
    made = enhanced(classic_series())
    del made[remove]
    with pytest.raises(RefusedError) as caught:
        open_datasets([made], tmp_path)
    assert caught.value.reason == reason


def test_frames_without_orientation_are_refused(tmp_path: Path) -> None:
    made = enhanced(classic_series())
    for group in made.PerFrameFunctionalGroupsSequence:
        group.PlaneOrientationSequence = Items([])
    with pytest.raises(RefusedError) as caught:
        open_datasets([made], tmp_path)
    assert caught.value.reason == "missing_orientation"


def test_several_frames_in_the_class_of_single_ones_are_refused(tmp_path: Path) -> None:
    made = enhanced(classic_series())
    set_sop_class(made, UID("1.2.840.10008.5.1.4.1.1.4"))
    del made.PerFrameFunctionalGroupsSequence, made.SharedFunctionalGroupsSequence
    with pytest.raises(RefusedError, match="no functional groups"):
        open_datasets([made], tmp_path)


def test_a_damaged_object_beside_a_whole_one_is_left_out(tmp_path: Path) -> None:
    whole, broken = enhanced(classic_series()), enhanced(classic_series(Phase.POST_CONTRAST))
    broken.NumberOfFrames = 7
    series = open_datasets([whole, broken], tmp_path)
    assert series.warnings == (series_module.DAMAGED,)
    assert len(series.volumes) == 1


def test_a_multi_frame_file_that_disappears_before_it_is_opened_is_missing(tmp_path: Path) -> None:
    path = write_instance(enhanced(classic_series()), tmp_path / "one")
    header = scan(path)
    path.unlink()
    with pytest.raises(ReadError) as caught:
        open_dicom_series([header], [Source(path)], {})
    assert caught.value.reason == "missing"


def test_wherever_a_byte_of_the_functional_groups_is_wrong_it_is_an_input_error_at_most() -> None:
    buffer = io.BytesIO()
    enhanced(classic_series(n_slices=2, matrix=32)).save_as(buffer, enforce_file_format=True)
    content = buffer.getvalue()
    begin = content.index(struct.pack("<HH", 0x5200, 0x9229))
    rng = np.random.default_rng(11)
    for _ in range(300):
        spoiled = bytearray(content)
        for at in rng.integers(begin, len(content) - 2 * 32 * 32 * 2, size=3):
            spoiled[at] = rng.integers(256)
        with suppress(InputError):
            assert len(read_frames(io.BytesIO(bytes(spoiled)), 0)) == 2
