"""Answered series as a manifest, to train on, to evaluate by, or to look through."""

import os
from collections.abc import Iterable
from pathlib import Path

from gadoscope.files import write_beside
from gadoscope.labels import Label, Phase, SeriesResult, Status
from gadoscope.reading.archives.sources import INSIDE
from gadoscope.sheets import SheetWriter

COLUMNS = ("path", "series_instance_uid", "subject_id", "label", "plane", "source", "label_source")
"""Of a manifest; `label_source` is the model that said so, for nobody else did."""
LABELS = {Phase.PRE_CONTRAST: Label.PRE, Phase.POST_CONTRAST: Label.POST}


def write_manifest(rows: Iterable[SeriesResult], path: Path) -> int:
    """Write the series that have one phase, and return how many; errors of `write_beside`.

    A DICOM series is named by the folder or archive of its first file and by its UID, everything else by its
    file. Of several models' answers to one series the first is written.
    """
    named: set[tuple[str, str]] = set()
    with write_beside(path) as beside, beside.open("w", encoding="utf-8", newline="") as stream:
        sheet = SheetWriter(stream, COLUMNS)
        for row in rows:
            if row.status is not Status.ANSWERED or row.phase not in LABELS or row.volume_index is not None:
                continue
            uid = row.series_instance_uid or ""
            place = _name_folder(row.path) if uid else os.path.abspath(row.path)  # noqa: PTH100 — of text
            if (place, uid) not in named:
                named.add((place, uid))
                sheet.write([place, uid, "", LABELS[row.phase].value, row.plane.value, "", row.model])
    return len(named)


def _name_folder(path: str) -> str:
    archive, inside, _ = path.partition(INSIDE)
    return os.path.abspath(archive if inside else os.path.dirname(path))  # noqa: PTH100, PTH120 — of text
