"""Read damaged headers by our own walk and by pydicom alone: both say the same, or refuse in the same words.

    python -m tests.fuzz.headers --cases 100000
    python -m tests.fuzz.headers --first 4711 --cases 1 --keep damaged/

A case is a number: the same number makes the same file. Seeds are those of the campaign, the files that
pydicom brings, instances that real scanners wrote where ``../shared`` has some, and a few of every encoding
with the sequences that programs put into classic instances.
"""

import argparse
import contextlib
import io
import os
import random
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from gadoscope.errors import InputError
from gadoscope.reading.dicom.facts import read_facts
from gadoscope.reading.dicom.header import describe, scan_header
from gadoscope.reading.dicom.parsed_facts import parse_facts
from gadoscope.reading.dicom.parsed_pixels import parse_pixel_header
from gadoscope.reading.dicom.pixel_header import read_pixel_header
from gadoscope.reading.dicom.raw_header import read_raw_header
from tests.fuzz.mutations import mutate
from tests.fuzz.seeds import Kind, load_seeds
from tests.support.dicom_bytes import file_bytes
from tests.support.dicom_files import POST, classic_series
from tests.support.dicom_multiframe import enhanced
from tests.support.dicom_others import plant_patient
from tests.support.paths import SHARED

BLOCK = 500
"""Cases that a process is handed at a time."""
MOST_FAULTS = 20
EDITS = (1, 1, 2, 3)
LARGEST_SEED = 2**20
"""Bytes of a file that real programs wrote."""
CAMPAIGN_PART = 0.25
"""Of the cases, damaged as the campaign does it."""
UNDEFINED = b"\xff\xff\xff\xff"
ITEM, ITEM_END, SEQUENCE_END = (
    struct.pack("<HHI", 0xFFFE, element, 0) for element in (0xE000, 0xE00D, 0xE0DD)
)
OPEN_ITEM = ITEM[:4] + UNDEFINED
FORMS = (
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OW PN SH SL SQ SS ST TM UC UI UL UN UR US UT ?? aB".split()
)
LENGTHS = (0, 1, 2, 3, 7, 8, 16, 255, 256, 16_384, 16_386, 65_535, 70_000, 2**31, 2**32 - 2, 2**32 - 1)
CHARACTER_SETS = (
    *(b"ISO_IR 100", b"ISO_IR 192", b"ISO-IR 100", b"ISO 2022 IR 6\\ISO 2022 IR 87", b"\\ISO 2022 IR 149 "),
    *(b"ISO_IR 192\\ISO_IR 100", b"latin_1", b"\0\0", b"ISO_IR 100\0x", b"utf8", b"nothing "),
)

Read = Callable[[BinaryIO], object]
"""Reads something of a header."""


def _scan_by_pydicom(file: BinaryIO) -> object:
    return describe(read_raw_header(file), "name")


READERS: dict[str, tuple[Read, Read]] = {
    "header": (partial(scan_header, name="name"), _scan_by_pydicom),
    "pixel header": (read_pixel_header, parse_pixel_header),
    "facts": (read_facts, parse_facts),
}
"""Our own and pydicom's way to read what a run reads of a file."""


@dataclass(frozen=True)
class Seed:
    """An intact file, and where each element of its header begins."""

    name: str
    data: bytes
    starts: tuple[int, ...]


@dataclass
class Found:
    """What became of some cases."""

    n_cases: int = 0
    faults: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)


def read(reader: Read, data: bytes) -> str:
    """Return what a reader says of a file, or with which words it refuses it."""
    try:
        return repr(reader(io.BytesIO(data)))
    except InputError as error:
        return f"{type(error).__name__} {error.reason}: {error}"


def find_differences(data: bytes, names: Sequence[str] = tuple(READERS)) -> list[str]:
    """Return what the two ways say of a file, where they differ."""
    both = [(name, *(read(reader, data) for reader in READERS[name])) for name in names]
    return [f"{name}: {ours} but by pydicom {theirs}" for name, ours, theirs in both if ours != theirs]


def nested_instance() -> Dataset:
    """Return a classic instance with the sequences and private elements that scanners and archives write."""
    dataset = plant_patient(classic_series(POST, n_slices=3, matrix=32), in_descriptions=False)[0]
    image, code = Dataset(), Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = dataset.SOPClassUID, "2.25.7"
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "121322", "DCM", "Source image"
    image.PurposeOfReferenceCodeSequence = Items([code])
    dataset.ReferencedImageSequence = Items([image, image])
    dataset.SourceImageSequence = Items([image])
    dataset.ProcedureCodeSequence = Items([])
    dataset.SpecificCharacterSet, dataset.StudyDescription = "ISO_IR 100", "Schädel nativ + KM"
    dataset.OtherPatientNames, dataset.ContrastFlowRate = ["A^B=C=", "Ü^D"], ["1.5", " 2 "]
    dataset.EffectiveEchoTime, dataset.InversionTimes = 2.5, [100.0, 200.0]
    dataset.FrameAcquisitionDuration, dataset.ScanOptions = 1500.0, ["PFP", "", "SFS"]
    dataset.EchoNumbers, dataset.TriggerTime, dataset.ComplexImageComponent = 1, "12.5", "MAGNITUDE"
    block = dataset.private_block(0x0019, "GADOSCOPE TESTS", create=True)
    block.add_new(0x08, "CS", "IMAGE")
    block.add_new(0x10, "SQ", Items([code]))
    block.add_new(0x11, "OB", bytes(range(256)) * 80)
    return dataset


def without_lengths(dataset: Dataset) -> Dataset:
    """Give every sequence and item of a dataset an undefined length."""
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                without_lengths(item)
    return dataset


@cache
def made_seeds() -> tuple[Seed, ...]:
    """Return a few files of every plain encoding, quickly made."""
    return tuple(
        make_seed(f"{name} {syntax.name}", file_bytes(dataset, syntax))
        for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless)
        for name, dataset in (
            ("nested", nested_instance()),
            ("nested without lengths", without_lengths(nested_instance())),
        )
    )


@cache
def all_seeds() -> tuple[Seed, ...]:
    """Return every seed."""
    known = [
        (f"fuzz {seed.name}", seed.data)
        for seed in load_seeds()
        if seed.kind in (Kind.DICOM, Kind.DEFLATED_DICOM)
    ]
    series = classic_series(POST, n_slices=3, matrix=32)
    known += [("enhanced, implicit", file_bytes(enhanced(series), ImplicitVRLittleEndian))]
    known += [(path.name, path.read_bytes()) for path in iter_real()]
    return (*made_seeds(), *(make_seed(name, data) for name, data in known))


def iter_real() -> Iterator[Path]:
    """Yield files that real programs wrote: pydicom's own, and of each folder of ``../shared`` one."""
    met: set[Path] = set()
    folders = [Path(pydicom.__file__).parent / "data"]
    folders += [folder for folder in (SHARED / "data" / "dicom", SHARED / "cases") if folder.is_dir()]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            is_first = folder is folders[0] or path.parent not in met
            if is_first and path.is_file() and path.stat().st_size < LARGEST_SEED and _is_dicom(path):
                met.add(path.parent)
                yield path


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM" or path.suffix == ".dcm"


def make_seed(name: str, data: bytes) -> Seed:
    """Return a seed; of what pydicom cannot read the elements are not known."""
    starts: list[int] = []
    with contextlib.suppress(Exception):  # whatever a damaged seed makes pydicom trip over
        dataset = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True, force=True)
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        stream = io.BytesIO(data)
        stream.seek(132)
        for is_implicit in (False, syntax == ImplicitVRLittleEndian):
            for element in data_element_generator(stream, is_implicit, True, _ends_group(bool(starts))):
                starts.append(_start(element, is_implicit))
    return Seed(name, data, tuple(starts))


def _ends_group(is_data_set: bool) -> Callable[[int, str | None, int], bool]:
    return lambda tag, _form, _length: tag >= 0x7FE00000 if is_data_set else tag >> 16 != 2


def _start(element: RawDataElement | DataElement, is_implicit: bool) -> int:
    value_at = element.value_tell if isinstance(element, RawDataElement) else element.file_tell or 0
    return value_at - (12 if not is_implicit and str(element.VR) in EXPLICIT_VR_LENGTH_32 else 8)


def damage(seed: Seed, number: int) -> bytes:
    """Return a damaged copy of a seed's file."""
    chance = random.Random(number)  # noqa: S311 - the same damage for the same number
    data = bytearray(seed.data)
    for _ in range(chance.choice(EDITS)):
        chance.choice(_EDITS)(data, seed.starts or (0, len(data) // 3), chance)
    return bytes(data)


def _flip(data: bytearray, starts: Sequence[int], chance: random.Random) -> None:
    at = chance.randrange(max(1, min(len(data), starts[-1] + 64)))  # an edit before may have cut it all
    data[at : at + 1] = bytes(value ^ 1 << chance.randrange(8) for value in data[at : at + 1])


def _set_head(data: bytearray, starts: Sequence[int], chance: random.Random) -> None:
    """Change tag, representation or length of one element."""
    at = chance.choice(starts)
    what = chance.randrange(4)
    if what == 0:
        data[at : at + 4] = data[(other := chance.choice(starts)) : other + 4]
    elif what == 1:
        data[at + 4 : at + 6] = chance.choice(FORMS)
    elif what == 2:
        data[at + 6 : at + 8] = struct.pack("<H", chance.choice(LENGTHS) & 0xFFFF)
    else:
        place = at + chance.choice((4, 8))
        data[place : place + 4] = struct.pack("<I", chance.choice(LENGTHS))


def _nudge_length(data: bytearray, starts: Sequence[int], chance: random.Random) -> None:
    place = chance.choice(starts) + chance.choice((4, 6, 8))
    data[place : place + 1] = bytes(
        [(data[place : place + 1] or b"\0")[0] + chance.choice((1, 2, 8, 255)) & 255]
    )


def _swap(data: bytearray, starts: Sequence[int], chance: random.Random) -> None:
    index = chance.randrange(max(1, len(starts) - 2))
    first, second, third = (*starts[index : index + 3], len(data), len(data), len(data))[:3]
    data[first:third] = data[second:third] + data[first:second]


def _repeat(data: bytearray, starts: Sequence[int], chance: random.Random) -> None:
    index = chance.randrange(len(starts))
    first, second = (*starts[index : index + 2], starts[-1])[:2]
    at = chance.choice(starts)
    data[at:at] = data[first:second]


def _drop(data: bytearray, starts: Sequence[int], chance: random.Random) -> None:
    index = chance.randrange(len(starts))
    del data[starts[index] : (*starts, starts[-1])[index + 1]]


def _cut(data: bytearray, starts: Sequence[int], chance: random.Random) -> None:
    del data[chance.choice((chance.choice(starts) + chance.randrange(12), chance.randrange(len(data) + 1))) :]


def _zero_rest(data: bytearray, starts: Sequence[int], chance: random.Random) -> None:
    at = chance.choice(starts) + chance.choice((0, 0, 4, 8))
    data[at:] = bytes([chance.choice((0, 255))]) * max(0, len(data) - at)


def _put_sequence(data: bytearray, starts: Sequence[int], chance: random.Random) -> None:
    """Put a sequence without a length before an element, well made or nearly."""
    element = struct.pack("<HH2sH", 8, chance.choice((0x1084, 0x1140, 0x2112)), b"LO", 2) + b"x "
    character_set = struct.pack("<HH2sH", 8, 5, b"CS", 10) + chance.choice(CHARACTER_SETS).ljust(10)[:10]
    inside = [chance.choice((OPEN_ITEM, ITEM)), chance.choice((element, b"", character_set)), ITEM_END]
    inside += [SEQUENCE_END[:4] + chance.choice((bytes(4), bytes(4), b"\1\0\0\0"))]
    if not chance.randrange(3):
        inside[chance.randrange(len(inside))] = chance.choice(
            (b"", UNDEFINED, bytes(8), ITEM_END, SEQUENCE_END)
        )
    head = struct.pack("<HH", 8, chance.choice((0x1032, 0x1111, 0x2218)))
    head += chance.choice((b"SQ\0\0", b"SQ\0\0", b"UN\0\0", b"OB\0\0", b"")) + UNDEFINED
    at = chance.choice(starts)
    data[at:at] = head + b"".join(inside) * chance.choice((1, 1, 2))


def _set_value(data: bytearray, starts: Sequence[int], chance: random.Random) -> None:
    """Overwrite the beginning of a value."""
    at = chance.choice(starts) + chance.choice((8, 8, 12))
    value = chance.choice(
        (ITEM, b"\\\\\\\\", b"1e400\\x ", b"\0\0\0\0", b"\xff\xfe\xfd\xfc", b"nan ", b"\x1b$B")
    )
    data[at : at + len(value)] = value[: max(0, len(data) - at)]


def _set_character_set(data: bytearray, _starts: Sequence[int], chance: random.Random) -> None:
    for head in (struct.pack("<HH2sH", 8, 5, b"CS", 10), struct.pack("<HHI", 8, 5, 10)):
        at = data.find(head)
        if at >= 0:
            value = chance.choice(CHARACTER_SETS)
            value += b" " * (len(value) % 2)
            data[at + 6 : at + 18] = (
                struct.pack("<H", len(value)) if head[4:6] == b"CS" else b"\0\0"
            ) + value


_EDITS = (
    *(_flip, _flip, _set_head, _set_head, _nudge_length, _nudge_length, _swap, _repeat, _drop, _cut),
    *(_zero_rest, _put_sequence, _put_sequence, _set_value, _set_value, _set_character_set),
)


def run_cases(first: int, count: int, seeds: Sequence[Seed], names: Sequence[str] = tuple(READERS)) -> Found:
    """Compare the two ways on so many cases."""
    found = Found()
    for number in range(first, first + count):
        data = make_case(number, seeds)
        found.n_cases += 1
        found.faults += [f"case {number}: {fault}" for fault in find_differences(data, names)]
        found.outcomes[read(READERS["header"][0], data).partition(":")[0].partition("(")[0]] += 1
    return found


def make_case(number: int, seeds: Sequence[Seed]) -> bytes:
    """Return the file of a case."""
    return damage(seeds[number % len(seeds)], number)


def _run_block(first: int, count: int) -> Found:
    found = run_cases(first, count, all_seeds())
    dicom = [seed for seed in load_seeds() if seed.kind in (Kind.DICOM, Kind.DEFLATED_DICOM)]
    for number in range(first, first + int(count * CAMPAIGN_PART)):
        data = mutate(dicom[number % len(dicom)], number)
        found.n_cases += 1
        found.faults += [f"campaign's damage {number}: {fault}" for fault in find_differences(data)]
    return found


def main() -> None:
    """Compare from the command line; exit code 0 where nothing differed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, help="write the files of the cases here")
    arguments = parser.parse_args()
    if arguments.keep is not None:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        for number in range(arguments.first, arguments.first + arguments.cases):
            (arguments.keep / f"{number}.dcm").write_bytes(make_case(number, all_seeds()))
    start = time.monotonic()
    found, end = Found(), arguments.first + arguments.cases
    with ProcessPoolExecutor(arguments.jobs) as pool:
        firsts = range(arguments.first, end, BLOCK)
        for part in pool.map(_run_block, firsts, [min(BLOCK, end - first) for first in firsts]):
            found.n_cases += part.n_cases
            found.faults += part.faults
            found.outcomes += part.outcomes
    print(
        f"{found.n_cases} headers in {time.monotonic() - start:.0f} s: {dict(found.outcomes.most_common())}"
    )
    for fault in found.faults[:MOST_FAULTS]:
        print(fault)
    print(f"{len(found.faults)} differences between our own walk and pydicom.")
    sys.exit(bool(found.faults))


if __name__ == "__main__":
    main()
