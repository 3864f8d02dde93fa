"""Instances find their series wherever they lie, and wait outside of memory."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gadoscope.errors import OutputError
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.grouping.batches import Instance, pack, unpack
from gadoscope.reading.dicom.grouping.index import SeriesIndex
from gadoscope.reading.dicom.header import FrameHeader, InstanceHeader

HEADER = InstanceHeader(
    name="",
    n_bytes=1,
    digest="",
    sop_class_uid="1.2",
    sop_instance_uid="1.3",
    study_instance_uid="",
    series_instance_uid="",
    modality="MR",
    photometric="MONOCHROME2",
    n_frames=1,
    bits_allocated=16,
    has_pixels=True,
    frame=FrameHeader(
        rows=2, columns=3, orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0), image_type=("ORIGINAL",)
    ),
)


def instance(path: str, study: str = "st", series: str = "se", member: str = "") -> Instance:
    source = Source(Path(path), member)
    header = replace(
        HEADER,
        name=str(source),
        digest=f"digest of {source}",
        study_instance_uid=study,
        series_instance_uid=series,
    )
    return header, source


def listed(groups: Sequence[Sequence[Instance]]) -> list[list[tuple[str, list[str]]]]:
    """Return the series of each study with their instances."""
    with SeriesIndex() as index:
        for group in groups:
            index.add(pack(group))
        assert index.n_instances == sum(map(len, groups))
        return [
            [
                (str(entry.first), [h.name for h, _ in unpack(index.read_batches(entry.number))])
                for entry in study
            ]
            for study in index.iter_studies()
        ]


def test_series_lie_in_many_folders_and_many_series_in_one() -> None:
    found = listed(
        [[instance("b/1", series="x"), instance("a/2", series="y")], [instance("a/1", series="x")]]
    )
    assert found == [[("a/1", ["a/1", "b/1"]), ("a/2", ["a/2"])]]


def test_studies_and_series_come_by_their_first_paths_whatever_the_order_they_were_met_in() -> None:
    everything = [
        instance(f"{folder}/{n}", study=f"study {folder}", series=f"series {folder} {n % 3}")
        for folder in "cab"
        for n in range(9)
    ]
    expected = listed([everything])
    assert [study[0][0] for study in expected] == ["a/0", "b/0", "c/0"]
    for seed in range(5):
        shuffled = [everything[i] for i in np.random.default_rng(seed).permutation(len(everything))]
        groups = [shuffled[start : start + 4] for start in range(0, len(shuffled), 4)]
        assert listed(groups) == expected


def test_paths_sort_folder_by_folder_as_a_walk_goes() -> None:
    paths = ["a/b", "a/b/c", "a-b", "a.zip", "a", "B"]
    found = listed([[instance(path, series=path) for path in paths]])
    assert [first for first, _ in found[0]] == ["B", "a", "a/b", "a/b/c", "a-b", "a.zip"]


def test_headers_come_back_as_they_were() -> None:
    one, other = instance("a/1"), instance("z.zip", member="in.zip!x")
    with SeriesIndex() as index:
        index.add(pack([other, one]))
        ((entry,),) = index.iter_studies()
        assert unpack(index.read_batches(entry.number)) == [one, other]
        assert (entry.n_instances, entry.modality, entry.first_digest) == (2, "MR", "digest of a/1")
        assert (entry.study_instance_uid, entry.series_instance_uid) == ("st", "se")


def test_names_of_any_bytes_come_back() -> None:
    odd = os.fsdecode(b"caf\xe9/\xff\n")
    assert listed([[instance(odd)]]) == [[(odd, [odd])]]


ODD_TEXTS = {
    "no UTF-8": os.fsdecode(b"sc\xe4n.dcm"),
    "half a pair": "\ud800",
    "NUL": "1.2\0003",
    "line ends": "1\r\n2\n",
    "1 MB": "9" * 1_000_000,
    "astral": "\U0001f9e0",
    "SQL": "'); DROP TABLE series; --",
}


@pytest.mark.parametrize("column", ["name", "sop", "study", "series", "modality", "digest", "syntax", "text"])
@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS.keys())
def test_any_text_in_any_place_can_be_kept_and_comes_back(text: str, column: str) -> None:
    header, source = instance("a/1")
    changes: dict[str, dict[str, Any]] = {
        "name": {"name": text, "series_instance_uid": ""},  # then the name is what tells it from others
        "sop": {"sop_instance_uid": text},
        "study": {"study_instance_uid": text},
        "series": {"series_instance_uid": text},
        "modality": {"modality": text},
        "digest": {"digest": text},
        "syntax": {"sop_class_uid": text, "photometric": text},
        "text": {"frame": replace(header.frame, image_type=(text,), component=text, acquisition_time=text)},
    }
    odd = (replace(header, **changes[column]), source)
    with SeriesIndex() as index:
        index.add(pack([odd, instance("b/1", series="other")]))
        index.add(pack([odd]))
        entries = [entry for study in index.iter_studies() for entry in study]
        assert [entry.n_instances for entry in entries] == [2, 1]
        assert unpack(index.read_batches(entries[0].number)) == [odd, odd]
        assert entries[0].study_instance_uid == odd[0].study_instance_uid
        assert entries[0].series_instance_uid == odd[0].series_instance_uid


def test_without_uids_each_file_stands_alone() -> None:
    found = listed([[instance("a/1", study="", series=""), instance("a/2", study="", series="")]])
    assert found == [[("a/1", ["a/1"])], [("a/2", ["a/2"])]]


def test_equal_series_uids_in_two_studies_are_two_series() -> None:
    assert len(listed([[instance("1", study="x"), instance("2", study="y")]])) == 2


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux lists open files there")
def test_nothing_of_the_index_has_a_name_on_disk() -> None:
    with SeriesIndex() as index:
        index.add(pack([instance(f"{n:06d}", series=str(n)) for n in range(3000)]))
        opened = [str(link.resolve()) for link in Path("/proc/self/fd").iterdir()]
    temporary = [path for path in opened if "etilqs" in path]  # SQLite, backwards
    assert all(path.endswith("(deleted)") for path in temporary)


def test_a_full_disk_for_temporary_files_is_one_sentence() -> None:
    with SeriesIndex() as index:
        index._database.execute("PRAGMA max_page_count = 12")
        with pytest.raises(OutputError, match=r"cannot keep the headers .* Name one with more space"):
            index.add(pack([instance(f"{n:06d}", series=str(n)) for n in range(3000)]))
