"""Instances of one series, packed to wait on disk, and what of them is asked before all are there.

Names of files and text of headers hold anything: bytes that are no UTF-8, control characters, megabytes.
None of it is asked as it stands: what is compared is a digest, what is read again is packed by `marshal`,
which holds any text and takes half the time of JSON.
"""

import hashlib
import json
import marshal
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gadoscope.reading.archives.held import Held, find_held
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.header import InstanceHeader, find_digest
from gadoscope.reading.dicom.kinds import is_placed_slice
from gadoscope.reading.remote.path import is_on_disk, read_location

COMPRESSION = 1
"""zlib's fastest level: headers of one series differ little, so it already saves nine tenths."""
KEY_BYTES = 16
"""Of a digest: two texts that share one are not to be feared."""
MOST_IN_A_PIECE = 3
"""Instances of a series that may be a piece of another one, whatever their numbers: more are a volume."""
NAMED, UNNAMED = b"n", b"u"
PLAIN = b"J"
"""Before instances that are packed as JSON; zlib's own first byte is another one."""
_ON_DISK = 0  # the number of what lies in no memory

Instance = tuple[InstanceHeader, Source]


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What the instances of a series share, as digests; empty where they share it not, or it tells nothing.

    Parameters
    ----------
    likeness
        All that the pieces of a series share: day, scanner, sequence, matrix, patient, description, agent.
    kin
        Without what is new in each file where names were rewritten: patient, description and agent.
    part
        What parts of a series share that was cut: all but the patient, and its number and hour.
    label
        What names one series only: patient, number, description, agent, hour, frame of reference.
    lowest, highest
        InstanceNumber; ``None`` where one is missing.
    """

    likeness: bytes = b""
    kin: bytes = b""
    part: bytes = b""
    label: bytes = b""
    lowest: int | None = None
    highest: int | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some instances of one series.

    Parameters
    ----------
    study, key
        Digests of StudyInstanceUID, empty where it is missing, and of what the instances of the series share.
    n_instances
        How many.
    first
        Sort key of the first of them by path.
    about_first
        JSON: path, member, number in memory, digest, StudyInstanceUID, SeriesInstanceUID and modality of
        that one.
    packed
        All of them, for `unpack`.
    traits
        What they share.
    folder
        Digest of the folder of the first instance.
    held
        What of them lies in memory.
    """

    study: bytes
    key: bytes
    n_instances: int
    first: bytes
    about_first: str
    packed: bytes
    traits: Traits
    folder: bytes = b""
    held: tuple[Held, ...] = ()


def pack(instances: Iterable[Instance]) -> list[Batch]:
    """Return the instances as one batch for each series among them."""
    by_series: dict[tuple[str, str], list[Instance]] = {}
    for header, source in instances:
        by_series.setdefault((header.study_instance_uid, header.series_key), []).append((header, source))
    return [pack_series(study, key, members) for (study, key), members in by_series.items()]


def pack_series(study: str, key: str, members: Sequence[Instance]) -> Batch:
    """Return instances as a batch of the series that a study and a key name."""
    header, first = min(members, key=lambda member: member[1].sort_key)
    lines = [[*_spell_place(source), header.to_values()] for header, source in members]
    return Batch(
        study=_digest_text(study),
        key=_digest_text(key),
        n_instances=len(members),
        first=first.sort_key,
        about_first=json.dumps(
            (
                *_spell_place(first),
                header.digest,
                header.study_instance_uid,
                header.series_instance_uid,
                header.modality,
            )
        ),
        packed=zlib.compress(marshal.dumps(lines), COMPRESSION),
        traits=_find_traits([header for header, _ in members]),
        folder=_digest_text(first.folder),
        held=tuple(source.held for _, source in members if source.held is not None),
    )


def unpack(batches: Iterable[bytes]) -> list[Instance]:
    """Return the instances of some batches, in the order of their paths."""
    instances = [
        (InstanceHeader.from_values(values), read_place(*place))
        for packed in batches
        for *place, values in _read_exactly(packed)
    ]
    instances.sort(key=lambda instance: instance[1].sort_key)
    return instances


def unpack_digests(batches: Iterable[bytes]) -> list[tuple[str, int, Source]]:
    """Return digest, bytes and place of the instances of some batches, in the order of their paths.

    Most series of a run that is repeated are asked for no more: at a fifth of what `unpack` takes.
    """
    found = [
        (*find_digest(values), read_place(*place))
        for packed in batches
        for *place, values in _read_lines(packed)
    ]
    found.sort(key=lambda one: one[2].sort_key)
    return found


def pack_plainly(packed: bytes) -> bytes:
    """Return packed instances as JSON, for whoever reads them in another run; `unpack` takes them too."""
    return PLAIN + zlib.compress(json.dumps(_read_lines(packed)).encode(), COMPRESSION)


def _read_lines(packed: bytes) -> list[Any]:
    if packed.startswith(PLAIN):
        return list(json.loads(zlib.decompress(packed[len(PLAIN) :])))
    return list(marshal.loads(zlib.decompress(packed)))  # noqa: S302 — what this run packed


def _read_exactly(packed: bytes) -> list[Any]:
    lines = _read_lines(packed)
    return [_to_tuples(line) for line in lines] if packed.startswith(PLAIN) else lines


def _to_tuples(value: Any) -> Any:
    """Return what JSON made lists of as the tuples that it was."""
    return tuple(map(_to_tuples, value)) if isinstance(value, list) else value


def _find_traits(headers: Sequence[InstanceHeader]) -> Traits:
    label = _share([_label(header) for header in headers])
    if not all(map(is_placed_slice, headers)):
        return Traits(label=label)
    # Not one with a UID and one without.
    named = NAMED if headers[0].series_instance_uid else UNNAMED
    is_piece = len(headers) <= MOST_IN_A_PIECE
    likeness = _share([_say_all(header) for header in headers]) if is_piece else b""
    kin = _share([(header.likeness,) for header in headers]) if is_piece else b""
    numbers = [header.frame.number for header in headers]
    counted = [number for number in numbers if number is not None]
    is_counted = len(counted) == len(numbers)
    return Traits(
        likeness=likeness and named + likeness,
        kin=kin and named + kin,
        part=_share([_say_part(header) for header in headers]) if is_counted else b"",
        label=label,
        lowest=min(counted) if is_counted else None,
        highest=max(counted) if is_counted else None,
    )


def _say_all(header: InstanceHeader) -> tuple[object, ...]:
    return header.likeness, header.whose, header.description, header.protocol, header.agent


def _say_part(header: InstanceHeader) -> tuple[object, ...]:
    return (
        *(header.likeness, header.description, header.protocol, header.agent),
        *(header.series_number, header.series_moment),
    )


def _label(header: InstanceHeader) -> tuple[object, ...]:
    frame, number = header.frame, header.series_number
    return (
        *(header.whose, number, header.description, header.agent, header.series_moment),
        header.frame_of_reference_uid,
        # Of a series with a number, hours of acquisition are those of its volumes.
        *((frame.acquisition_date, frame.acquisition_time) if number is None else ()),
    )


def _share(said: Sequence[tuple[object, ...]]) -> bytes:
    """Return a digest of what all say, or nothing."""
    return _digest_text(repr(said[0])) if len(set(said)) == 1 else b""


def _digest_text(text: str) -> bytes:
    """Return a digest of any text, file names that are no UTF-8 too; empty for an empty one."""
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=KEY_BYTES).digest() if data else b""


def _spell_place(source: Source) -> tuple[str, str, int]:
    text = source.remote.spell() if source.remote else source.text
    return text, source.member, source.held.number if source.held else _ON_DISK


def read_place(path: str, member: str, number: int) -> Source:
    """Return the source that a batch spelt."""
    place = path if is_on_disk(path) else read_location(path)
    return Source(place, member, None if number == _ON_DISK else find_held(number))
