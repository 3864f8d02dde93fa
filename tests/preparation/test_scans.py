"""A labelled scan is opened, or refused in a sentence that says what to do."""

from pathlib import Path

import pytest

from gadoscope.errors import RefusedError
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.labels import Label
from gadoscope.preparation.items import Item
from gadoscope.preparation.slices import FileDigests, digest_item, read_item
from gadoscope.reading.archives.sources import Source
from gadoscope.scans.contents import look_below, read_alone
from tests.support.dicom_files import classic_series, write_series
from tests.support.nifti_files import save, values


def test_a_label_of_several_volumes_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = save(tmp_path / "scan.nii", values((20, 24, 7, 3)))
    with pytest.raises(
        RefusedError, match=r"3 volumes.* one label cannot be of all; write each volume as .*four_to_three"
    ) as refused:
        read_item(Item(path=path, label=Label.PRE), SlicePolicy())
    assert refused.value.reason == "several_volumes"


def test_one_file_is_the_series_that_its_folder_is(tmp_path: Path) -> None:
    (path,) = write_series(classic_series(n_slices=1), tmp_path)
    (found,) = look_below(tmp_path).dicom
    alone = read_alone(Source(path))
    assert (alone.uid, alone.n_instances, alone.first) == (found.uid, 1, found.first)
    assert alone.open().facts == found.open().facts


def test_a_file_is_read_for_its_digest_once(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"one")
    item, digests = Item(path=path, label=Label.PRE), FileDigests()
    first = digests.of([item, item])
    path.write_bytes(b"another")
    assert digests.of([item]) * 2 == first
    assert FileDigests(2).of([item]) == [digest_item(item)] != first[:1]
