"""Which instances are there twice: a copy is one by its content, whatever its SOPInstanceUID says.

One SOPInstanceUID stands for one image (PS3.3 C.12.1), but some who remove names write one UID into all
files, or count wrongly. So instances of one UID are copies only where they show the same pixels at one place.
Pixels are read for that only where a UID, or all that a header says, is there more than once.
"""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gadoscope.errors import InputError
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.header import FrameHeader, InstanceHeader
from gadoscope.reading.dicom.pixels import decode_frame, read_pixel_header
from gadoscope.reading.dicom.syntaxes import LOSSY_SYNTAXES

COPIES = "instances that are there twice, under one SOPInstanceUID, were used once"
SHARED_UIDS = "the SOPInstanceUIDs repeat: instances that share one and differ in content were all used"
PLACE_DIGITS, COSINE_DIGITS = 2, 3
"""To which positions (mm) and directions are rounded: copies state them alike, to the last digit."""
DIGEST_BYTES = 16
READ_BYTES = 2**20


@dataclass(frozen=True)
class Content:
    """What the pixels of an image, or of some frames, are.

    Parameters
    ----------
    digest
        Of the values after the rescale; ``None`` where they cannot be decoded.
    syntax
        TransferSyntaxUID.
    is_blank
        Whether all values are one: such an image is like others that it is no copy of.
    """

    digest: bytes | None
    syntax: str
    is_blank: bool = False

    @property
    def doubt(self) -> int:
        """Return 0 where every value is known, 1 where compression changed some, 2 where none can be read."""
        return 2 if self.digest is None else int(self.syntax in LOSSY_SYNTAXES)


def read_content(source: Source, frames: Iterable[int]) -> Content:
    """Decode some frames of an instance, counted from 0; never raises for what a file holds."""
    syntax, digest = "", hashlib.blake2b(digest_size=DIGEST_BYTES)
    values: set[float] = set()
    try:
        with source.open() as file:
            header = read_pixel_header(file)
            syntax = header.syntax
            for index in frames:
                pixels = decode_frame(file, index, header).values
                digest.update(f"{pixels.shape}".encode() + pixels.tobytes())
                values.update((float(pixels.min()), float(pixels.max())))
    except (InputError, OSError):
        return Content(None, syntax)
    return Content(digest.digest(), syntax, len(values) == 1 or bool(np.isnan(list(values)).any()))


Said = tuple[object, ...]


def say_of(frame: FrameHeader) -> Said:
    """Return all that tells a frame from others at its place: its number first."""
    return (
        frame.number,
        frame.temporal_position,
        frame.acquisition_number,
        frame.acquisition_date,
        frame.acquisition_time,
        frame.trigger_time_ms,
        frame.echo_number,
        frame.echo_time_ms,
        frame.inversion_time_ms,
        frame.image_type,
        frame.component,
    )


def find_different(contents: Sequence[Content], said: Sequence[Said]) -> list[int]:
    """Return which of some images of one place are no copies of another one among them.

    Parameters
    ----------
    contents
        Their pixels.
    said
        What `say_of` gives for each. Images of the same pixels are two only if both say something and not
        the same, but for their number, which is often rewritten. Where pixels cannot tell, because an image
        is blank, is damaged, or is compressed with loss while another one is not, all of it decides.
    """
    kept: list[int] = []
    alike: defaultdict[Hashable, list[int]] = defaultdict(list)  # a place may have thousands of images
    for index in sorted(range(len(contents)), key=lambda index: (contents[index].doubt, index)):
        one = contents[index]
        met = (*alike[one.digest], *(alike[said[index]] if one.doubt else ()))
        if any(_is_copy(one, contents[other], said[index], said[other]) for other in met):
            continue
        kept.append(index)
        alike[one.digest].append(index)
        alike[said[index]].append(index)
    return sorted(kept)


def _is_copy(one: Content, other: Content, said: Said, other_said: Said) -> bool:
    if one.digest is None or (one.doubt and one.syntax != other.syntax):
        return said == other_said
    if one.digest != other.digest:
        return False
    if one.is_blank:
        return said == other_said
    missing = (None, "", ())
    pairs = zip(said[1:], other_said[1:], strict=True)
    return all(mine == its or mine in missing or its in missing for mine, its in pairs)


def drop_copies(
    instances: Sequence[InstanceHeader], source_of: Mapping[str, Source]
) -> tuple[list[InstanceHeader], tuple[str, ...]]:
    """Return each different instance once, in an order that is not that of the files, and the warnings.

    Parameters
    ----------
    instances
        Of one series.
    source_of
        Where each lies, by its name.
    """
    by_uid: defaultdict[str, list[InstanceHeader]] = defaultdict(list)
    named = {header.name: header for header in instances}  # a file may be named twice
    for header in sorted(named.values(), key=lambda one: (one.sop_instance_uid, one.digest, one.name)):
        by_uid[header.sop_instance_uid or header.name].append(header)
    different = [_drop_copies_of_one(members, source_of) for members in by_uid.values()]
    unique = [header for members in different for header in members]
    warnings = (
        *((COPIES,) if len(unique) < len(instances) else ()),
        *((SHARED_UIDS,) if any(len(members) > 1 for members in different) else ()),
    )
    return sorted(unique, key=_rank), warnings


def _rank(header: InstanceHeader) -> tuple[int, str, str, str]:
    return header.frame.number or 0, header.sop_instance_uid, header.digest, header.name


def _drop_copies_of_one(
    instances: Sequence[InstanceHeader], source_of: Mapping[str, Source]
) -> list[InstanceHeader]:
    """Return the different ones among instances of one SOPInstanceUID."""
    by_place: defaultdict[Hashable, list[InstanceHeader]] = defaultdict(list)
    for header in instances:
        by_place[_find_place(header)].append(header)
    kept: list[InstanceHeader] = []
    for members in by_place.values():
        if len(members) > 1 and not _are_one_file(members, source_of):
            contents = [read_content(source_of[one.name], _choose_frames(one)) for one in members]
            kept.extend(
                members[index] for index in find_different(contents, [say_of(one.frame) for one in members])
            )
        else:
            kept.append(members[0])
    return kept


def _find_place(header: InstanceHeader) -> Hashable:
    frame = header.frame
    orientation = tuple(round(cosine, COSINE_DIGITS) for cosine in frame.orientation or ())
    position = tuple(round(place, PLACE_DIGITS) for place in frame.position_mm or ())
    return header.n_frames, frame.rows, frame.columns, orientation, position


def _are_one_file(instances: Sequence[InstanceHeader], source_of: Mapping[str, Source]) -> bool:
    """Return whether all are the same to the last byte, which needs no decoding."""
    if len({(header.digest, header.n_bytes) for header in instances}) > 1:
        return False
    return len({digest_file(source_of[header.name]) for header in instances}) == 1


def digest_file(source: Source) -> bytes | None:
    """Return a digest of a whole file, 16 bytes, or ``None`` where it cannot be read."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    try:
        with source.open() as file:
            while block := file.read(READ_BYTES):
                digest.update(block)
    except (InputError, OSError):
        return None
    return digest.digest()


def _choose_frames(header: InstanceHeader) -> list[int]:
    """Return the first, the middle and the last frame: two objects that agree in these are one."""
    return sorted({0, header.n_frames // 2, header.n_frames - 1})
