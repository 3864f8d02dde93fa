"""A DICOMDIR names files: below its folder, in any case, each once; it invents none."""

import shutil
import struct
import time
import warnings
import zipfile
from pathlib import Path

import pytest
from pydicom import DataElement, dcmread
from pydicom.config import IGNORE
from pydicom.data import get_testdata_file

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.archives.containers import list_directory
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.archives.zips import close_archives
from gadoscope.reading.dicom import element_walk
from gadoscope.reading.dicom.dicomdir import find_reference, list_instances
from gadoscope.reading.discover import Found

SHIPPED = "DICOMDIR"
N_INSTANCES = 31
"""Of the medium that pydicom ships: MR, CT and CR."""


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    """Return a copy of the medium that pydicom ships."""
    directory = Path(str(get_testdata_file(SHIPPED, download=False)))
    shutil.copytree(directory.parent, tmp_path / "medium", ignore=shutil.ignore_patterns("TINY_ALPHA"))
    return tmp_path / "medium"


def referenced(directory: Path) -> list[str]:
    found = [find_reference(Source(directory), parts) for parts in list_instances(Source(directory))]
    return [str(source) if error is None else f"{source}: {error.reason}" for source, error in found]


def change_ids(directory: Path, ids: list[str] | str) -> None:
    """Give every record that names a file this file ID."""
    dataset = dcmread(directory)
    for record in dataset.DirectoryRecordSequence:
        if "ReferencedFileID" in record:
            record["ReferencedFileID"] = DataElement("ReferencedFileID", "CS", ids, validation_mode=IGNORE)
    dataset.save_as(directory)


def test_every_file_of_a_medium_is_named_and_there(medium: Path) -> None:
    named = referenced(medium / SHIPPED)
    assert len(named) == len(set(named)) == N_INSTANCES
    assert all(Path(name).is_file() for name in named)


@pytest.mark.parametrize("kind", ["", "-bigEnd", "-implicit", "-nooffset", "-nopatient", "-reordered"])
def test_the_same_files_are_named_as_by_pydicom_however_the_directory_is_written(
    medium: Path, kind: str
) -> None:
    with warnings.catch_warnings(action="ignore"):
        records = dcmread(medium / f"{SHIPPED}{kind}").DirectoryRecordSequence
        files = [tuple(record.ReferencedFileID) for record in records if "ReferencedFileID" in record]
    assert list(list_instances(Source(medium / f"{SHIPPED}{kind}"))) == files


def test_a_file_that_is_not_there_is_told(medium: Path) -> None:
    n_gone = sum(path.is_file() for path in (medium / "98892003").rglob("*"))
    shutil.rmtree(medium / "98892003")
    named = referenced(medium / SHIPPED)
    assert len(named) == N_INSTANCES
    assert sum(name.endswith(": missing") for name in named) == n_gone > 0


def test_in_a_walk_only_what_is_missing_is_an_input(medium: Path) -> None:
    (medium / "98892003" / "MR1" / "15820").unlink()
    walked = list(list_directory(Found(Source(medium / SHIPPED))))
    assert [found.source.path.name for found in walked] == ["15820"]
    assert len(list(list_directory(Found(Source(medium / SHIPPED), is_named=True)))) == N_INSTANCES


def test_names_that_differ_in_case_only_are_found(medium: Path) -> None:
    (medium / "98892003" / "MR1").rename(medium / "98892003" / "mr1")
    assert not any(name.endswith("missing") for name in referenced(medium / SHIPPED))


@pytest.mark.parametrize("ids", [["..", "x"], ["/etc", "passwd"], ["a/../../x"], ["..\\x"], ["."]])
def test_a_name_that_leads_out_of_the_folder_is_refused(medium: Path, ids: list[str]) -> None:
    change_ids(medium / SHIPPED, ids)
    assert referenced(medium / SHIPPED) == [f"{medium}: outside_directory"]


def test_a_file_named_twice_is_one(medium: Path) -> None:
    change_ids(medium / SHIPPED, ["98892003", "MR1", "15820"])
    assert referenced(medium / SHIPPED) == [str(medium / "98892003" / "MR1" / "15820")]


@pytest.mark.parametrize("part", [0.3, 0.5, 0.9])
def test_a_damaged_directory_is_told(medium: Path, part: float) -> None:
    content = (medium / SHIPPED).read_bytes()
    (medium / SHIPPED).write_bytes(content[: int(part * len(content))])
    with pytest.raises(ReadError, match="this DICOMDIR is damaged"):
        referenced(medium / SHIPPED)


def test_a_directory_in_a_zip_names_members(medium: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(medium / SHIPPED, "cd/DICOMDIR")
    directory = Source(tmp_path / "a.zip", "cd/DICOMDIR")
    sources = [find_reference(directory, parts)[0] for parts in list_instances(directory)]
    close_archives()
    assert len(sources) == N_INSTANCES
    assert all(source.member.startswith("cd/") for source in sources)


def test_a_directory_that_is_gone_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        list_instances(Source(tmp_path / "DICOMDIR"))


def _write_directory_of(n_records: int, path: Path) -> None:
    record = struct.pack("<HHI", 0xFFFE, 0xE000, 16)
    record += struct.pack("<HH2sH8s", 4, 0x1500, b"CS", 8, b"A\\B     ")
    body = record * n_records
    sequence = struct.pack("<HH2sHI", 4, 0x1220, b"SQ", 0, len(body)) + body
    meta = struct.pack("<HH2sH20s", 2, 2, b"UI", 20, b"1.2.840.10008.1.3.10")
    path.write_bytes(bytes(128) + b"DICM" + meta + sequence)


def test_a_directory_of_more_elements_than_are_walked_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(element_walk, "MAX_STEPS", 1000)
    _write_directory_of(900, tmp_path / "DICOMDIR")
    with pytest.raises(RefusedError, match="more elements"):
        list_instances(Source(tmp_path / "DICOMDIR"))


@pytest.mark.slow
def test_a_directory_of_a_million_records_is_refused_soon(tmp_path: Path) -> None:
    """That it is refused is said in small above."""
    _write_directory_of(1_000_000, tmp_path / "DICOMDIR")
    start = time.process_time()
    with pytest.raises(RefusedError, match="more elements"):
        list_instances(Source(tmp_path / "DICOMDIR"))
    assert time.process_time() - start < 5


def test_files_that_are_missing_by_the_thousand_are_told_soon(tmp_path: Path) -> None:
    n_files = 4000
    for index in range(n_files):
        (tmp_path / f"IM{index:05d}.txt").touch()
    start = time.process_time()
    directory = Source(tmp_path / SHIPPED)
    found = [find_reference(directory, (f"XX{index:05d}",)) for index in range(n_files)]
    assert {error.reason for _, error in found if error is not None} == {"missing"}
    assert len(found) == n_files
    # A list of the folder for each of them took a quarter of a minute.
    assert time.process_time() - start < 5


def test_a_file_that_came_after_the_folder_was_listed_is_found(tmp_path: Path) -> None:
    directory = Source(tmp_path / SHIPPED)
    assert find_reference(directory, ("IM1",))[1] is not None
    (tmp_path / "im1.dcm").touch()
    assert find_reference(directory, ("IM1",))[1] is None


def test_a_directory_that_was_named_is_not_taken_for_a_file_that_it_misses(medium: Path) -> None:
    references = list_instances(Source(medium / SHIPPED))
    for parts in references:
        medium.joinpath(*parts).unlink()
    found = list(list_directory(Found(Source(medium / SHIPPED), is_named=True)))
    assert len(found) == len(references)
    assert all(one.error is not None and one.error.reason == "missing" for one in found)
