"""One file: an image or a NIfTI volume becomes rows, an instance waits for its series, an archive is opened.

The content decides, never the name. pydicom, nibabel and the evidence are imported when the first file
needs them: a folder of PNG slices is answered without.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gadoscope.classification.rows import Answer, empty_row, judged_row, keep_going
from gadoscope.evidence.name_hint import may_speak
from gadoscope.inference.session import Session
from gadoscope.labels import QuoteMode, SeriesResult
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.discover import Found
from gadoscope.reading.formats import PREFIX_BYTES, READ_FORMATS, Kind, find_kind, is_rare
from gadoscope.reading.images import MAX_FILE_BYTES, SliceImage, decode_slice
from gadoscope.reading.no_image import explain_no_image

if TYPE_CHECKING:
    from gadoscope.reading.archives.places import Place
    from gadoscope.reading.dicom.header import InstanceHeader
    from gadoscope.reading.series import ImageSeries
    from gadoscope.results.journal import Journal

DIGEST_BYTES = 2**18
"""Read at a time; hashing them lets go of Python's lock."""
EXPECTED = f"DICOM, NIfTI, Analyze, MGH, {READ_FORMATS}, or a zip or tar of them"


class ContainerKind(Enum):
    """What holds other inputs."""

    ARCHIVE = auto()
    DICOMDIR = auto()


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


Outcome = Answer | Instance | Container


@dataclass(frozen=True)
class _Slice:
    """An image that was read; ``pixels`` has the network's size, (size, size), uint8."""

    base: SeriesResult
    pixels: NDArray[np.uint8]
    digest: str | None


class Examiner:
    """Looks at files and answers what can be answered at once. For several threads.

    Parameters
    ----------
    session
        The bundle.
    journal
        Answers of an earlier run; they are taken over where the content is the same.
    quote
        How much of a header the rows quote.
    """

    def __init__(
        self, session: Session, journal: "Journal | None", quote: QuoteMode = QuoteMode.WORDS
    ) -> None:
        self._session = session
        self._journal = journal
        self._quote = quote

    def examine_group(self, group: Sequence[Found]) -> list[Outcome]:
        """Return what became of a few inputs, in their order.

        First all are read, then the network runs on the images among them: by turns for each image
        costs a tenth more, for decoding and the network want the processor's caches for themselves.
        """
        examined = [self._examine(found) for found in group]
        return [self._answer_slice(one) if isinstance(one, _Slice) else one for one in examined]

    def _examine(self, found: Found) -> Outcome | _Slice:
        base = empty_row(str(found.source), self._session)
        outcome = keep_going(lambda: self._look(found, base), base)
        return Answer((outcome,)) if isinstance(outcome, SeriesResult) else outcome

    def _look(self, found: Found, base: SeriesResult) -> Outcome | _Slice:
        if found.error is not None:
            raise found.error
        with found.source.open() as file:
            prefix = file.read(PREFIX_BYTES)
            kind = find_kind(prefix)
            if kind is Kind.IMAGE:
                return self._read_slice(file, self._with_name(base, found.source))
            if kind is Kind.DICOM:
                return _read_header(file, found.source)
            if kind is not Kind.NIFTI:
                return _sort_out(kind, prefix, found)
            digest = self._find_digest(file)
        return self._answer_nifti(found.source, base, digest)

    def _find_digest(self, file: BinaryIO) -> str | None:
        if self._journal is None:
            return None
        digest = hashlib.sha256()
        file.seek(0)
        while chunk := file.read(DIGEST_BYTES):
            digest.update(chunk)
        return digest.hexdigest()

    def _recall(self, digest: str | None, base: SeriesResult) -> Answer | None:
        """Return the answer that an earlier run gave to the same content, under this path."""
        rows = self._journal.find(digest) if self._journal is not None and digest is not None else None
        if rows is None:
            return None
        return Answer(tuple(replace(row, path=base.path) for row in rows))

    def _read_slice(self, file: BinaryIO, base: SeriesResult) -> Answer | _Slice:
        is_refused_unread = file.seek(0, os.SEEK_END) > MAX_FILE_BYTES
        digest = content = None if is_refused_unread else self._find_digest(file)
        if digest is not None and base.header_quote:  # the name says something: it is part of the answer
            digest = _digest_of(digest, base.header_state, base.header_quote)
        recalled = self._recall(digest, base)
        if recalled is not None:
            return recalled
        image = self._decode(file, content)
        resized = self._session.bundle.metadata.image_path.resize_slice(image.pixels)
        return _Slice(replace(base, warnings=image.warnings), resized, digest)

    def _decode(self, file: BinaryIO, content: str | None) -> SliceImage:
        """Decode here, which costs least; but apart where decoders are rarely tried, or a run died of it."""
        is_suspect = self._journal is not None and content is not None and self._journal.is_suspect(content)
        file.seek(0)
        if is_suspect or is_rare(file.read(PREFIX_BYTES)):
            from gadoscope.reading.decoding.slices_apart import decode_slice_apart  # noqa: PLC0415 — few files need it

            return decode_slice_apart(file)
        if self._journal is None or content is None:
            return decode_slice(file)
        with self._journal.decoding(content):
            return decode_slice(file)

    def _answer_slice(self, read: _Slice) -> Answer:
        def answer() -> SeriesResult:
            answers = self._session.slice_answers(read.pixels[None])
            base = replace(read.base, n_slices=1, n_slices_used=1)
            row = judged_row(base, answers, self._session)[0]
            return _with_agreement(row) if row.header_quote else row

        return Answer((keep_going(answer, replace(read.base, warnings=())),), read.digest)

    def _answer_nifti(self, source: Source, base: SeriesResult, digest: str | None) -> Answer:
        from gadoscope.classification.series import answer_series  # noqa: PLC0415 — PNG slices do without
        from gadoscope.evidence.beside import check_beside  # noqa: PLC0415
        from gadoscope.reading.archives.places import place_of  # noqa: PLC0415
        from gadoscope.reading.bids.dataset import check_suffix, find_sidecar_facts  # noqa: PLC0415
        from gadoscope.reading.bids.gradients import find_b_value, read_gradients  # noqa: PLC0415
        from gadoscope.reading.nifti.series import open_nifti  # noqa: PLC0415

        place = place_of(source)
        check_suffix(place)
        facts, warnings = find_sidecar_facts(place)
        gradients = read_gradients(place)
        if digest is not None:
            beside = (self._digest_beside(place), facts, warnings, gradients)
            digest = _digest_of(digest, source.name, *beside)
        recalled = self._recall(digest, base)
        if recalled is not None:
            return recalled

        def open_series() -> "ImageSeries":
            series = open_nifti(source, facts=facts, warnings=warnings)
            n_volumes = len(series.volumes)
            said = check_beside(source.name, n_volumes, find_b_value(gradients, n_volumes), facts)
            return replace(series, warnings=(*series.warnings, *said))

        rows = answer_series(
            open_series,
            base,
            self._session,
            facts=facts,
            file_name=source.name,
            quote=self._quote,
        )
        return Answer(rows, digest)

    def _with_name(self, base: SeriesResult, source: Source) -> SeriesResult:
        """Return ``base`` with what the name of the file says of contrast."""
        if not may_speak(source.name):
            return base
        from gadoscope.classification.series import with_evidence  # noqa: PLC0415 — PNG slices do without

        return with_evidence(base, None, file_name=source.name, quote=self._quote)

    def _digest_beside(self, place: "Place") -> list[str | None]:
        """Return the digests of a pair's data file and of SPM's matrix."""
        from gadoscope.reading.archives.places import open_place  # noqa: PLC0415
        from gadoscope.reading.nifti.names import find_pair_image, find_spm_matrix  # noqa: PLC0415

        digests = []
        for beside in (find_pair_image(place), find_spm_matrix(place)):
            if beside is not None:
                with open_place(beside) as file:
                    digests.append(self._find_digest(file))
        return digests


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
    if kind in (Kind.ZIP, Kind.TAR):
        return Container(found, ContainerKind.ARCHIVE)
    if kind is Kind.DICOMDIR:
        return Container(found, ContainerKind.DICOMDIR)
    raise explain_no_image(kind, prefix, found.source.name, EXPECTED)
