"""One file: an image or a NIfTI volume becomes rows, an instance waits for its series, an archive is opened.

The content decides, never the name. pydicom, nibabel and the evidence are imported when the first file
needs them: a folder of PNG slices is answered without.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gadoscope.classification.options import RunOptions
from gadoscope.classification.rows import Answer, empty_row, judged_row, keep_going, take_over, with_picture
from gadoscope.errors import RefusedError
from gadoscope.evidence.name_hint import may_speak
from gadoscope.inference.session import Session
from gadoscope.labels import Plane, SeriesResult
from gadoscope.reading.ahead import read_starts_ahead
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.at_once import scan_at_once
from gadoscope.reading.discover import Found
from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_kind, find_other_kind, is_rare
from gadoscope.reading.given import GivenSeries, GivenSlice, Input
from gadoscope.reading.images import MAX_FILE_BYTES, SliceImage, decode_slice, take_slice
from gadoscope.reading.no_image import explain_no_image
from gadoscope.reading.other_kinds import TABLES
from gadoscope.reading.stamps import Stamp, is_older, stamp_files
from gadoscope.results.keeping import NOWHERE, Origin

if TYPE_CHECKING:
    from gadoscope.reading.archives.places import Place
    from gadoscope.reading.dicom.header import InstanceHeader
    from gadoscope.reading.series import ImageSeries

DIGEST_BYTES = 2**18
"""Read at a time; hashing them lets go of Python's lock."""


class ContainerKind(Enum):
    """What holds other inputs."""

    ARCHIVE = auto()
    DICOMDIR = auto()
    BIDS_INDEX = auto()
    """Perhaps: only its tables tell."""


@dataclass(frozen=True)
class Container:
    """An input that is no image, but holds or names some."""

    found: Found
    kind: ContainerKind


@dataclass(frozen=True)
class Instance:
    """An instance of a DICOM series, which is answered when the series is complete."""

    header: "InstanceHeader"
    source: Source


@dataclass(frozen=True)
class Unasked:
    """An input whose content is known now, and of which whoever keeps answers was not asked.

    Parameters
    ----------
    source
        Where it lies.
    digest
        Of its content, as that of an `Answer`; empty where it is as it was, and was not read.
    origin
        By what that is known again.
    """

    source: Source
    digest: str
    origin: Origin = NOWHERE


Outcome = Answer | Instance | Container | Unasked


@dataclass(frozen=True)
class _Slice:
    """An image that was read; ``pixels`` has the network's size, (size, size), uint8."""

    base: SeriesResult
    pixels: NDArray[np.uint8]
    digest: str | None
    origin: Origin = NOWHERE


class Examiner:
    """Looks at inputs and answers what can be answered at once. For several threads.

    Parameters
    ----------
    session
        The bundle.
    options
        Of the run. Answers that its journal knows are taken over where the content is the same.
    asks_later
        Whether what has a digest becomes `Unasked` and no more: the journal is elsewhere.
    stamps
        Of what the journal elsewhere knows, by path: what has still the same becomes `Unasked`, unread.
    """

    def __init__(
        self,
        session: Session,
        options: RunOptions,
        *,
        asks_later: bool = False,
        stamps: Mapping[str, str] | None = None,
    ) -> None:
        self._session, self._options, self._journal = session, options, options.journal
        self._asks_later, self._stamps = asks_later, stamps or {}
        self._may_know = self._journal is not None and self._journal.may_know

    def examine_group(self, group: Sequence[Input]) -> list[Outcome]:
        """Return what became of a few inputs, in their order.

        First all are read, then the network runs on the images among them: by turns for each image
        costs a tenth more, for decoding and the network want the processor's caches for themselves.
        """
        read_starts_ahead(one.source for one in group if isinstance(one, Found) and one.error is None)
        examined = [self._examine(one) for one in group]
        return [self._answer_slice(one) if isinstance(one, _Slice) else one for one in examined]

    def _examine(self, one: Input) -> Outcome | _Slice:
        if isinstance(one, GivenSeries):
            return Answer(self._answer_given(one.series))
        if isinstance(one, Found) and one.error is None:
            header = scan_at_once(one.source)
            if header is not None:
                return Instance(header, one.source)
        path = one.name if isinstance(one, GivenSlice) else str(one.source)
        base = empty_row(path, self._session, self._options.row_kind)
        outcome = keep_going(
            lambda: self._take_slice(one, base) if isinstance(one, GivenSlice) else self._look(one, base),
            base,
        )
        return Answer((outcome,)) if isinstance(outcome, SeriesResult) else outcome

    def _look(self, found: Found, base: SeriesResult) -> Outcome | _Slice:
        if found.error is not None:
            raise found.error
        with found.source.open() as file:
            prefix = file.read(PREFIX_BYTES)
            kind = find_kind(prefix)
            if kind is Kind.IMAGE:
                return self._read_slice(file, self._with_name(base, found.source), found.source)
            if kind is Kind.DICOM:
                return _read_header(file, found.source)
        if kind is not Kind.NIFTI:
            return _sort_out(kind, prefix, found)
        return self._answer_nifti(found.source, base)

    def _take_slice(self, given: GivenSlice, base: SeriesResult) -> _Slice:
        planes = self._session.bundle.metadata.slice_policy.planes
        if given.plane is not None and planes and given.plane not in planes:
            raise RefusedError(
                "plane_not_supported",
                f"this slice is {given.plane}; this model reads {' and '.join(planes)} slices.",
            )
        base = replace(base, plane=given.plane or Plane.UNKNOWN)
        return self._resize(take_slice(given.pixels), base, None)

    def _answer_given(self, series: "ImageSeries") -> tuple[SeriesResult, ...]:
        from gadoscope.classification.series import answer_opened  # noqa: PLC0415 — PNG slices do without

        return answer_opened(series, self._session, quote=self._options.quote, kind=self._options.row_kind)

    def _resize(self, image: SliceImage, base: SeriesResult, digest: str | None) -> _Slice:
        resized = self._session.bundle.metadata.image_path.resize_slice(image.pixels)
        return _Slice(replace(base, warnings=image.warnings), resized, digest)

    def _find_digest(self, file: BinaryIO) -> str | None:
        if self._journal is None:
            return None
        digest = hashlib.sha256()
        file.seek(0)
        while chunk := file.read(DIGEST_BYTES):
            digest.update(chunk)
        return digest.hexdigest()

    def _recall(self, digest: str | None, base: SeriesResult, source: Source) -> Answer | Unasked | None:
        """Return the answer that an earlier run gave to the same content, under this path."""
        if self._asks_later and digest is not None:
            return Unasked(source, digest)
        rows = self._journal.find(digest) if self._journal is not None and digest is not None else None
        return None if rows is None or digest is None else take_over(rows, base.path, digest)

    def _recall_place(self, source: Source, stamp: Stamp | None) -> Answer | Unasked | None:
        """Return the answer to what lies at a path, if it is as it was; none of rows if that is too old."""
        path = str(source)
        if self._options.since is not None and is_older([stamp], self._options.since):
            return Answer(())
        if stamp is not None and self._stamps.get(path) == stamp.digest:
            return Unasked(source, "", Origin.of(stamp))
        if self._journal is None or not self._may_know or stamp is None:
            return None
        lying = self._journal.recall_places({path: stamp.digest}).get(path)
        if lying is None or not lying.rows:
            return None
        return take_over(lying.rows, path, lying.digest, Origin.of(stamp))

    def _stamp(self, sources: Sequence[Source], said: Sequence[str] = ()) -> Stamp | None:
        is_asked = self._journal is not None or self._options.since is not None
        return stamp_files(sources, said) if is_asked else None

    def _read_slice(self, file: BinaryIO, base: SeriesResult, source: Source) -> Answer | Unasked | _Slice:
        stamp = self._stamp([source])
        known = self._recall_place(source, stamp)
        if known is not None:
            return known
        read = self._read_anew(file, base, source)
        return replace(read, origin=Origin.of(stamp))

    def _read_anew(self, file: BinaryIO, base: SeriesResult, source: Source) -> Answer | Unasked | _Slice:
        is_refused_unread = file.seek(0, os.SEEK_END) > MAX_FILE_BYTES
        digest = content = None if is_refused_unread else self._find_digest(file)
        if digest is not None and base.header_quote:  # the name says something: it is part of the answer
            digest = _digest_of(digest, base.header_state, base.header_quote)
        recalled = self._recall(digest, base, source)
        if recalled is not None:
            return recalled
        return self._resize(self._decode(file, content), base, digest)

    def _decode(self, file: BinaryIO, content: str | None) -> SliceImage:
        """Decode here, which costs least; but apart where decoders are rarely tried, or a run died of it."""
        is_suspect = self._journal is not None and content is not None and self._journal.is_suspect(content)
        file.seek(0)
        if is_suspect or is_rare(file.read(PREFIX_BYTES)):
            from gadoscope.reading.decoding.pictures_apart import decode_slice_apart  # noqa: PLC0415 — few files need it

            return decode_slice_apart(file)
        if self._journal is None or content is None:
            return decode_slice(file)
        with self._journal.decoding(content):
            return decode_slice(file)

    def _answer_slice(self, read: _Slice) -> Answer:
        def answer() -> SeriesResult:
            answers = self._session.slice_answers(read.pixels[None])
            base = with_picture(replace(read.base, n_slices=1, n_slices_used=1), read.pixels[None])
            row = judged_row(base, answers, self._session)[0]
            return _with_agreement(row) if row.header_quote else row

        row = keep_going(answer, replace(read.base, warnings=()))
        return Answer((row,), read.digest, origin=read.origin)

    def _answer_nifti(self, source: Source, base: SeriesResult) -> Answer | Unasked:
        from gadoscope.classification.series import answer_series  # noqa: PLC0415
        from gadoscope.reading.archives.places import place_of, source_of  # noqa: PLC0415
        from gadoscope.scans.beside import look_beside, open_beside  # noqa: PLC0415 — PNG does without

        place = place_of(source)
        beside = look_beside(place)
        name = source.name if may_speak(source.name) else ""
        said = (name, beside.facts, beside.warnings, beside.gradients)
        files = [source, *(source_of(one) for one in _list_beside(place))]
        stamp = self._stamp(files, [_digest_of(*said)])
        known = self._recall_place(source, stamp)
        if known is not None:
            return known
        digest = None if self._journal is None else _digest_of(*map(self._digest_file, files), *said)
        recalled = self._recall(digest, base, source)
        origin = Origin.of(stamp)
        if recalled is not None:
            return replace(recalled, origin=origin)

        rows = answer_series(
            lambda: open_beside(source, beside),
            base,
            self._session,
            facts=beside.facts,
            file_name=source.name,
            quote=self._options.quote,
        )
        return Answer(rows, digest, origin=origin)

    def _digest_file(self, source: Source) -> str | None:
        with source.open() as file:
            return self._find_digest(file)

    def _with_name(self, base: SeriesResult, source: Source) -> SeriesResult:
        """Return ``base`` with what the name of the file says of contrast."""
        if not may_speak(source.name):
            return base
        from gadoscope.classification.series import with_evidence  # noqa: PLC0415 — PNG slices do without

        return with_evidence(base, None, file_name=source.name, quote=self._options.quote)


def _list_beside(place: "Place") -> list["Place"]:
    """Return a pair's data file and SPM's matrix, as far as they are there."""
    from gadoscope.reading.nifti.names import find_pair_image, find_spm_matrix  # noqa: PLC0415 — PNG does without

    return [one for one in (find_pair_image(place), find_spm_matrix(place)) if one is not None]


def _with_agreement(row: SeriesResult) -> SeriesResult:
    from gadoscope.classification.series import with_agreement  # noqa: PLC0415 — PNG slices do without

    return with_agreement(row)


def _digest_of(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _read_header(file: BinaryIO, source: Source) -> Instance:
    from gadoscope.reading.dicom.header import scan_header  # noqa: PLC0415 — PNG slices do without

    file.seek(0)
    return Instance(scan_header(file, str(source)), source)


def _sort_out(kind: Kind, prefix: bytes, found: Found) -> Container:
    """Return what holds inputs; say of everything else why it has no answer."""
    is_table = kind is Kind.OTHER and find_other_kind(prefix) in TABLES
    if found.source.held is not None and (is_table or kind in (Kind.ZIP, Kind.TAR, Kind.DICOMDIR)):
        raise RefusedError(
            "unsupported_format", "what holds or names other files is read from disk; give its path instead."
        )
    if kind in (Kind.ZIP, Kind.TAR):
        return Container(found, ContainerKind.ARCHIVE)
    if kind is Kind.DICOMDIR:
        return Container(found, ContainerKind.DICOMDIR)
    if is_table:
        return Container(found, ContainerKind.BIDS_INDEX)
    raise explain_no_image(kind, prefix, found.source.name)
