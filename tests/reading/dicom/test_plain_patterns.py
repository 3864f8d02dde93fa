"""What two headers of a series share is believed of the next one where it stands there, to the last byte."""

import dataclasses
import random
from functools import cache

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, generate_uid

from gadoscope.reading.archives.sources import Start
from gadoscope.reading.dicom import header
from gadoscope.reading.dicom.plain_header import Asked, PlainHeader, parse_plain_header
from tests.support.dicom_bytes import file_bytes
from tests.support.dicom_files import classic_series

SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless)
N_SLICES = 12
N_CHANGES = 600


def _asked(*, is_of_many: bool) -> Asked:
    """Return what a header asks, with nothing remembered."""
    return dataclasses.replace(header._ASKED, is_of_many=is_of_many)


def _read(data: bytes, asked: Asked) -> PlainHeader | None:
    return parse_plain_header(Start(data, len(data)), asked)


def _say(found: PlainHeader | None) -> tuple[object, ...] | None:
    if found is None:
        return None
    fields = (field.name for field in dataclasses.fields(found) if field.name != "pattern")
    said = (getattr(found, name) for name in fields)
    return tuple(vars(one) if hasattr(one, "__dict__") else one for one in said)


@cache
def _series(syntax: UID, seed: int = 0) -> tuple[bytes, ...]:
    """Return a series whose files differ in values of several lengths, some of them asked for."""
    draw, uid = random.Random(seed), generate_uid(entropy_srcs=[str(seed)])  # noqa: S311 - no secrets
    files = []
    for number, dataset in enumerate(classic_series(n_slices=N_SLICES, matrix=32)):
        dataset.SeriesInstanceUID = uid
        dataset.SOPInstanceUID = f"{uid[:30]}.1{seed}{number**3}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.SliceLocation = str(draw.choice((1, 12.5, -0.25, 1234.125)))
        dataset.ContentTime = f"1{number:05d}"
        dataset.ImageComments = "y" * draw.randrange(30)
        reference = Dataset()
        reference.ReferencedSOPInstanceUID = f"1.2.{number}"
        dataset.ReferencedImageSequence = Items([reference] if seed % 2 else [])
        dataset.WindowCenter, dataset.WindowWidth = number, 10**number
        files.append(file_bytes(dataset, syntax))
    return tuple(files)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_third_header_of_a_series_and_those_behind_it_are_told_by_what_the_first_ones_share(
    syntax: UID,
) -> None:
    files, asked = _series(syntax), _asked(is_of_many=True)
    found = [_read(data, asked) for data in files]
    assert [_say(one) for one in found] == [_say(_read(data, _asked(is_of_many=False))) for data in files]
    known = [one is not None and one.pattern is not None for one in found]
    assert not any(known[:2])
    assert sum(known) >= N_SLICES - 5


def test_series_among_each_other_are_told_apart() -> None:
    files = [data for syntax in SYNTAXES for seed in (0, 2, 4) for data in _series(syntax, seed)] * 2
    random.Random(3).shuffle(files)  # noqa: S311 - as above
    asked = _asked(is_of_many=True)
    for data in files:
        assert _say(_read(data, asked)) == _say(_read(data, _asked(is_of_many=False))) is not None


def test_a_sequence_that_differs_is_walked_in_each_file() -> None:
    asked = _asked(is_of_many=True)
    found = [_read(data, asked) for data in _series(ExplicitVRLittleEndian, 1)]
    assert all(one is not None and one.pattern is None for one in found)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_byte_that_changed_anywhere_in_a_header_says_what_a_walk_says(syntax: UID) -> None:
    files, asked, draw = _series(syntax), _asked(is_of_many=True), random.Random(7)  # noqa: S311 - as above
    for data in files:
        _read(data, asked)
    patterns = vars(asked)["patterns"]
    data = files[-1]
    known = _read(data, asked)
    assert known is not None
    end = len(known.head) + 12
    kept = patterns._patterns
    for _ in range(N_CHANGES):
        changed = bytearray(data)
        at = draw.randrange(128, end)
        changed[at] = draw.randrange(256)
        if draw.random() < 0.3:
            del changed[at : at + draw.choice((1, 2, 8))]
        patterns._patterns = kept
        found = _read(bytes(changed), asked)
        assert _say(found) == _say(_read(bytes(changed), _asked(is_of_many=False))), at
