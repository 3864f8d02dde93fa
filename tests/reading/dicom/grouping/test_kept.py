"""Headers that outlive a run come back as they were, or not at all."""

from pathlib import Path

import pytest

from gadoscope.labels import Phase
from gadoscope.reading.dicom.grouping.batches import pack, unpack
from gadoscope.reading.dicom.grouping.kept import decode_scan, encode_scan
from gadoscope.reading.discover import iter_inputs
from gadoscope.reading.scan import scan_group
from tests.support.dicom_files import classic_series, write_series


def test_batches_come_back_with_every_header_trait_and_place(tmp_path: Path) -> None:
    folder = tmp_path / "odd \udcff name"
    write_series(classic_series(Phase.PRE_CONTRAST), folder)
    (folder / "notes.txt").write_text("words")
    files = list(iter_inputs([folder]))
    scanned = scan_group(files)
    found = decode_scan(encode_scan(scanned.batches, scanned.left, len(files)), len(files))
    assert found is not None
    batches, left = found
    assert left == scanned.left == [len(files) - 1]
    (batch,), (before,) = batches, scanned.batches
    assert unpack([batch.packed]) == unpack([before.packed])
    assert [again.traits for again in pack(unpack([batch.packed]))] == [before.traits]
    assert {name: value for name, value in vars(batch).items() if name != "packed"} == {
        name: value for name, value in vars(before).items() if name != "packed"
    }


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00", encode_scan([], [0, 1, 7], 3), encode_scan([], [0, 1], 3), encode_scan([], [0, 1], 2)],
)
def test_what_is_damaged_or_speaks_of_other_files_or_of_some_alone_is_nothing(content: bytes) -> None:
    assert decode_scan(content, 3) is None
