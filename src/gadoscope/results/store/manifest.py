"""Answered series as a manifest, to train on, to evaluate by, or to look through."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gadoscope.files import write_beside
from gadoscope.labels import Label, Phase, Plane, SeriesResult, Status
from gadoscope.reading.archives.sources import INSIDE
from gadoscope.sheets import SheetWriter

if TYPE_CHECKING:
    from gadoscope.results.store.decided import Labelled

COLUMNS = ("path", "series_instance_uid", "subject_id", "label", "plane", "source", "label_source")
"""Of a manifest; `label_source` is the model, or the readers, that said so."""
LABELS = {Phase.PRE_CONTRAST: Label.PRE, Phase.POST_CONTRAST: Label.POST}


class _Row(NamedTuple):
    path: str
    series_instance_uid: str | None
    label: Label
    plane: Plane
    label_source: str


def write_manifest(rows: Iterable[SeriesResult], path: Path) -> int:
    """Write the series that have one phase, and return how many; errors of `write_beside`.

    A DICOM series is named by the folder or archive of its first file and by its UID, everything else by its
    file. Of several models' answers to one series the first is written.
    """
    return _write(
        (
            _Row(row.path, row.series_instance_uid, LABELS[row.phase], row.plane, row.model)
            for row in rows
            if row.status is Status.ANSWERED and row.phase in LABELS and row.volume_index is None
        ),
        path,
    )


def write_labels(series: "Iterable[Labelled]", path: Path) -> int:
    """Write the series that readers gave a label, and return how many; as `write_manifest`."""
    said = ((one, ", ".join(sorted(one.readers))) for one in series)
    return _write(
        (_Row(one.path, one.series_instance_uid, one.label, one.plane, who) for one, who in said), path
    )


def _write(rows: Iterable[_Row], path: Path) -> int:
    named: set[tuple[str, str]] = set()
    with write_beside(path) as beside, beside.open("w", encoding="utf-8", newline="") as stream:
        sheet = SheetWriter(stream, COLUMNS)
        for row in rows:
            uid = row.series_instance_uid or ""
            place = _name_folder(row.path) if uid else os.path.abspath(row.path)  # noqa: PTH100 — of text
            if (place, uid) not in named:
                named.add((place, uid))
                sheet.write([place, uid, "", row.label.value, row.plane.value, "", row.label_source])
    return len(named)


def _name_folder(path: str) -> str:
    archive, inside, _ = path.partition(INSIDE)
    return os.path.abspath(archive if inside else os.path.dirname(path))  # noqa: PTH100, PTH120 — of text
