"""Elements that followed each other in the last file are believed of the next one where they stand there."""

import dataclasses
import random
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from gadoscope.reading.archives.sources import Start
from gadoscope.reading.dicom import header, plain_runs, tags
from gadoscope.reading.dicom.plain_header import Asked, PlainHeader, parse_plain_header
from tests.fuzz import headers
from tests.support.dicom_bytes import file_bytes
from tests.support.dicom_files import classic_series

N_DAMAGED = 120
N_WRITTEN = 8


def _asked() -> Asked:
    """Return what a header asks, with nothing remembered."""
    return dataclasses.replace(header._ASKED)


def _say(data: bytes, asked: Asked) -> tuple[object, ...] | None:
    found: PlainHeader | None = parse_plain_header(Start(data, len(data)), asked)
    if found is None:
        return None
    said = [getattr(found, field.name) for field in dataclasses.fields(found) if field.name != "pattern"]
    return tuple(vars(one) if hasattr(one, "__dict__") else one for one in said)


@cache
def _written() -> tuple[bytes, ...]:
    """Return files of one series whose values are longer and shorter from file to file, in both encodings."""
    draw, files = random.Random(1), []  # noqa: S311 - no secrets
    for dataset in classic_series(n_slices=N_WRITTEN, matrix=16):
        dataset.SliceLocation = str(draw.choice((1, 12.5, -0.25, 1234.125)))
        dataset.SeriesDescription = "x" * draw.randrange(40)
        if draw.random() < 0.5:
            dataset.ImageComments = "y" * draw.randrange(300)
        files += [file_bytes(dataset, syntax) for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian)]
    return tuple(files)


def test_a_header_says_the_same_whatever_was_read_before_it() -> None:
    files = list(_written() * 2)
    random.Random(2).shuffle(files)  # noqa: S311 - as above
    shared = _asked()
    for data in files:
        assert _say(data, shared) == _say(data, _asked()) is not None


def test_so_does_a_damaged_one() -> None:
    seeds, shared = headers.made_seeds(), _asked()
    cases = [headers.make_case(number, seeds) for number in range(N_DAMAGED)]
    said = [(_say(data, shared), _say(data, _asked())) for data in cases]
    assert all(one == other for one, other in said)
    assert N_DAMAGED // 4 < sum(one is None for one, _ in said) < N_DAMAGED


def test_threads_may_read_at_once() -> None:
    files, shared = _written() * 4, _asked()
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda data: _say(data, shared), files))
    assert said == [_say(data, _asked()) for data in files]


def test_headers_that_are_all_different_are_forgotten_in_time() -> None:
    shared = _asked()
    (dataset,) = classic_series(n_slices=1, matrix=16)
    block = dataset.private_block(0x0019, "GADOSCOPE TESTS", create=True)
    for number in range(0xE0):
        block.add_new(number, "UN", bytes(number))
    plain = file_bytes(dataset, ExplicitVRLittleEndian)
    at = plain.index(b"\x19\x00\x10\x00LO")
    for group in range(0x0019, 0x0019 + 2 * 400, 2):
        changed = plain[:at] + plain[at:].replace(b"\x19\x00", group.to_bytes(2, "little"))
        parse_plain_header(Start(changed, len(changed)), shared)
    assert 0 < len(shared.explicit_runs._by_head) <= plain_runs.MOST_RUNS


def test_an_element_that_is_in_a_run_is_found_where_it_is_asked() -> None:
    data, asked = _written()[0], Asked(frozenset((tags.ROWS, tags.PIXEL_SPACING)))
    first, second = (_say(data, asked) for _ in range(2))
    assert first == second is not None
