"""Series that an earlier run answered: known by the stamps of their files, and not read again."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from gadoscope.classification.options import RunOptions
from gadoscope.classification.rows import Answer, take_over
from gadoscope.labels import KeptResult, SeriesResult
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.grouping.batches import Instance, unpack_digests
from gadoscope.reading.dicom.grouping.index import SeriesEntry
from gadoscope.reading.stamps import Stamp, is_older, stamp_files
from gadoscope.results.keeping import NOWHERE, Keeper, Origin
from gadoscope.scans.instances import MAX_INSTANCES, list_digests


def stamp_series(
    entry: SeriesEntry, instances: Sequence[Instance], neighbours: Sequence[str]
) -> Stamp | None:
    """Return the stamp of all that the answer of a series depends on; ``None`` where it has none.

    Parameters
    ----------
    entry, instances
        The series.
    neighbours
        Digests that stand for the other headers of its study.
    """
    digests = [(header.digest, header.n_bytes, source) for header, source in instances]
    return _stamp(entry, digests, neighbours)


def digest_headers(entry: SeriesEntry, instances: Sequence[Instance], neighbours: Sequence[str]) -> str:
    """Return a digest of all that the rows of a series depend on, but the pixels that the network sees.

    Parameters as of `stamp_series`; no path and no stamp is part of it.
    """
    digest = hashlib.sha256()
    for line in list_digests(instances):
        digest.update(line)
    digest.update("".join(_say_told(entry, neighbours)).encode())
    return digest.hexdigest()


def digest_series(headers: str, rows: Sequence[SeriesResult]) -> str:
    """Return a digest of a series: of its headers and, by its rows, of the pixels that the network saw.

    DICOM gives changed pixels a new SOPInstanceUID (PS3.3 C.12.4.1). Not every program does, and files are
    written anew at their place with what was there before, but for the pixels.
    """
    seen = [row.seen for row in rows if isinstance(row, KeptResult)]
    return hashlib.sha256("\n".join((headers, *seen)).encode()).hexdigest()


def name_study(digests: Sequence[str | None]) -> str:
    """Return what stands for the composition of a study: the digests of its series, in their order."""
    return hashlib.sha256("\n".join(digest or "" for digest in digests).encode()).hexdigest()


class SeriesMemory:
    """What is known of the series of a run without reading them. For several threads.

    Parameters
    ----------
    keeper
        Knows the answers of earlier runs; ``None`` where there is none.
    options
        Of the run.
    """

    def __init__(self, keeper: Keeper | None, options: RunOptions) -> None:
        self._keeper, self._since, self._series_alone = keeper, options.since, options.series_alone
        self.may_know = keeper is not None and keeper.may_know
        """Whether earlier runs answered anything; asked once, when the run begins."""

    @property
    def is_asked(self) -> bool:
        """Return whether anything can be told without reading."""
        return self.may_know or self._since is not None

    def recall_study(
        self,
        entries: Sequence[SeriesEntry],
        batches: Sequence[Sequence[bytes]],
        neighbours: Sequence[str],
        *,
        is_judged: bool,
    ) -> list[Answer] | None:
        """Return the final answers of a study in which nothing changed; ``None`` where something may have.

        Of a study that is older than what is asked for, none.

        Parameters
        ----------
        entries, batches
            Its series, and their packed instances.
        neighbours
            Digests that stand for its headers.
        is_judged
            Whether its series can be judged together.
        """
        if not self.is_asked:
            return None
        stamps = [
            _stamp(entry, unpack_digests(packed), neighbours) if entry.n_instances <= MAX_INSTANCES else None
            for entry, packed in zip(entries, batches, strict=True)
        ]
        if self._since is not None and is_older(stamps, self._since):
            return []
        if self._keeper is None or not self.may_know:
            return None
        stamped = zip(entries, stamps, strict=True)
        places = {str(entry.first): stamp.digest for entry, stamp in stamped if stamp is not None}
        lying = self._keeper.recall_places(places)
        digests = [one.digest for one in map(lying.get, places) if one is not None]
        study = name_study(digests) if is_judged and not self._series_alone else ""
        found = [
            replace(take_over(one.rows, path, one.digest, Origin(places[path]), study), is_final=True)
            for path in places
            if (one := lying.get(path)) is not None and one.rows and one.study == study
        ]
        return found if len(found) == len(entries) else None

    def find_origin(
        self, entry: SeriesEntry, instances: Sequence[Instance], neighbours: Sequence[str]
    ) -> Origin:
        """Return by what a series is known again; parameters as of `stamp_series`."""
        if self._keeper is None:
            return NOWHERE
        stamp = stamp_series(entry, instances, neighbours)
        return Origin.of(stamp, digest_headers(entry, instances, neighbours))

    def recall(self, entry: SeriesEntry, origin: Origin) -> Answer | None:
        """Return the answer that a series had alone, at this place or where it was before."""
        if self._keeper is None or not self.may_know or origin.headers is None:
            return None
        path = str(entry.first)
        lying = self._keeper.recall_places({path: origin.stamp}).get(path) if origin.stamp else None
        digest = lying.digest if lying is not None else self._keeper.find_moved(origin.headers)
        rows = None if digest is None else self._keeper.find(digest)
        return None if digest is None or rows is None else take_over(rows, path, digest, origin)


def _stamp(
    entry: SeriesEntry, digests: Sequence[tuple[str, int, Source]], neighbours: Sequence[str]
) -> Stamp | None:
    headers = [f"{digest} {n_bytes}\n" for digest, n_bytes, _ in digests]
    return stamp_files([source for *_, source in digests], (*headers, *_say_told(entry, neighbours)))


def _say_told(entry: SeriesEntry, neighbours: Sequence[str]) -> tuple[str, ...]:
    return ("\n".join((entry.regrouped + entry.divided, "study", *neighbours)),)
