"""Writes a cohort in one of four forms, whole or not at all, with a manifest of what is what."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias

from PIL import Image

from gadoscope.errors import UsageError
from gadoscope.files import create_folder
from gadoscope.labels import Phase, Split
from gadoscope.phantom.acquire import Acquisition, window
from gadoscope.phantom.cohort import LABEL, Cohort, Scan, scan
from gadoscope.phantom.dicom import write_study
from gadoscope.phantom.headers import HeaderMode
from gadoscope.phantom.nifti import write_bids_root, write_bids_subject, write_nifti
from gadoscope.phantom.scanner import draw_scanner

Row: TypeAlias = dict[str, str]
# Noise hardly compresses: the fastest level costs a tenth in size and saves most of the time.
PNG_COMPRESSION = 1
SOURCE, LICENCE = "phantom", "CC0-1.0"
# The lesson's folders; its validation images are a part of Train.
LESSON_FOLDER = {Split.TRAIN: "Train", Split.VALIDATION: "Train", Split.TEST: "Test"}
LESSON_CLASS = {Phase.PRE_CONTRAST: "no_gad", Phase.POST_CONTRAST: "with_gad"}
COLUMNS = (
    "path", "subject_id", "label", "plane", "source", "split", "licence", "manufacturer", "field_strength_t",
    "sequence", "repetition_time_ms", "echo_time_ms", "inversion_time_ms", "flip_angle_deg",
    "slice_thickness_mm",    "pixel_spacing_mm", "lesion", "header", "note",
)  # fmt: skip


class Form(StrEnum):
    """What the files are."""

    PNG = "png"
    """The lesson's folders of 8-bit slices."""
    DICOM = "dicom"
    """A study a subject, a series a phase."""
    NIFTI = "nifti"
    """A volume a phase."""
    BIDS = "bids"
    """A BIDS data set."""


def write_cohort(
    cohort: Cohort,
    output: Path,
    *,
    form: Form,
    header: HeaderMode = HeaderMode.RIGHT,
    jobs: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Make every subject of ``cohort`` and write it below ``output``.

    The bytes depend on the cohort, the form and the header mode alone, never on ``jobs``.

    Parameters
    ----------
    cohort
        Whom to make.
    output
        A folder that does not exist yet, or an empty one.
    form
        Of the files.
    header
        What DICOM headers and BIDS sidecars say of contrast.
    jobs
        Processes to work in.
    on_progress
        Called with subjects done and subjects in all.

    Returns
    -------
    int
        Rows of the manifest: slices for PNG, series otherwise.

    Raises
    ------
    UsageError
        If ``output`` is in use, or a number makes no sense.
    OutputError
        If the disk refuses.
    """
    if jobs < 1:
        raise UsageError(f"jobs = {jobs} is too small; at least one process has to work.")
    if form is Form.PNG:
        _ = cohort.splits  # too few subjects are refused before anything is written
    rows: list[Row] = []
    with create_folder(output) as folder:
        make = partial(_write_subject, cohort, folder, form, header)
        with _workers(jobs, cohort.subjects) as run:
            for done, found in enumerate(run(make, cohort.numbers), start=1):
                rows += found
                if on_progress is not None:
                    on_progress(done, cohort.subjects)
        if form is Form.BIDS:
            write_bids_root(folder, [_participant(cohort, number) for number in cohort.numbers])
        _write_manifest(folder / "manifest.csv", rows)
    return len(rows)


@contextmanager
def _workers(jobs: int, n_tasks: int) -> Iterator[Callable[..., Iterator[list[Row]]]]:
    """Yield a ``map`` that keeps the order of its inputs."""
    if jobs == 1 or n_tasks == 1:
        yield map
        return
    # A fresh interpreter a worker: forking a process that runs threads may hang.
    with ProcessPoolExecutor(min(jobs, n_tasks), mp_context=get_context("spawn")) as pool:
        yield pool.map


def _write_subject(cohort: Cohort, root: Path, form: Form, header: HeaderMode, number: int) -> list[Row]:
    """Scan and write one subject; return its rows of the manifest."""
    if form is Form.PNG:
        return _write_slices(cohort, root, number)
    done = scan(cohort, number)
    name = done.subject.subject_id
    if form is Form.DICOM:
        written = write_study(done, root / name, header)
    elif form is Form.BIDS:
        written = write_bids_subject(done, root, header)
    else:
        written = [(series, HeaderMode.MISSING, path) for series, path in write_nifti(done, root / name)]
    return [
        _row(done, series, path.relative_to(root), header=mode, note="whole series")
        for series, mode, path in written
    ]


def _write_slices(cohort: Cohort, root: Path, number: int) -> list[Row]:
    split = cohort.splits[number]
    done = scan(cohort, number, cohort.classes[number])
    rows = []
    for series in done.series:
        folder = root / LESSON_FOLDER[split] / LESSON_CLASS[series.phase]
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(series.grid.shape[0]):
            name = f"{done.subject.subject_id}_T1w_sl-{index + 1:02d}.png"
            Image.fromarray(window(series.signal[index], done.scanner)).save(
                folder / name, compress_level=PNG_COMPRESSION
            )
            rows.append(_row(done, series, (folder / name).relative_to(root), split=split))
    return rows


def _row(
    done: Scan,
    series: Acquisition,
    path: Path,
    *,
    split: Split | None = None,
    header: HeaderMode | None = None,
    note: str = "",
) -> Row:
    timing, lesion = done.scanner.timing, done.subject.lesion
    return {
        "path": path.as_posix(),
        "subject_id": done.subject.subject_id,
        "label": LABEL[series.phase],
        "plane": series.grid.plane,
        "source": SOURCE,
        "split": split or "",
        "licence": LICENCE,
        "manufacturer": "Gadoscope phantom",
        "field_strength_t": f"{done.scanner.field_strength_t:.1f}",
        "sequence": timing.sequence,
        "repetition_time_ms": f"{timing.tr_ms:.1f}",
        "echo_time_ms": f"{timing.te_ms:.2f}",
        "inversion_time_ms": "" if timing.ti_ms is None else f"{timing.ti_ms:.1f}",
        "flip_angle_deg": f"{timing.flip_deg:.1f}",
        "slice_thickness_mm": f"{series.grid.slice_mm:.2f}",
        "pixel_spacing_mm": f"{series.grid.spacing_mm[1]:.4f}",
        "lesion": "" if lesion is None else lesion.kind,
        "header": header or "",
        "note": note,
    }


def _participant(cohort: Cohort, number: int) -> dict[str, Any]:
    subject = cohort.subject(number)
    return {
        "participant_id": subject.subject_id,
        "lesion": "n/a" if subject.lesion is None else subject.lesion.kind,
        "field_strength_t": draw_scanner(subject).field_strength_t,
    }


def _write_manifest(path: Path, rows: list[Row]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
