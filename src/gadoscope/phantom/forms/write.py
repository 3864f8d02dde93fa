"""Writes a cohort in one of four forms, whole or not at all, with a manifest of what is what."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gadoscope.errors import UsageError
from gadoscope.files import create_folder
from gadoscope.labels import Label, Phase, Split
from gadoscope.parallel import prepare_worker
from gadoscope.phantom.forms.cohort import LABEL, Cohort, Scan, scan
from gadoscope.phantom.forms.headers import HeaderMode
from gadoscope.phantom.head.anatomy import Head
from gadoscope.phantom.physics.acquire import Acquisition, Grid, window
from gadoscope.phantom.physics.contrasts import Contrast, OtherScan, scan_contrasts
from gadoscope.phantom.physics.scanner import draw_scanner
from gadoscope.progress import OnCount, count_nothing
from gadoscope.sheets import SheetWriter

Row: TypeAlias = dict[str, str]
# Noise hardly compresses: the fastest level costs a tenth in size and saves most of the time.
PNG_COMPRESSION = 1
SOURCE, OTHER_SOURCE, LICENCE = "phantom", "phantom-other", "CC0-1.0"
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
    contrasts: Sequence[Contrast] = (Contrast.T1,),
    jobs: int = 1,
    on_progress: OnCount = count_nothing,
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
    contrasts
        T1 alone is what the forms describe. With others, which need the form png, there is a folder for
        each contrast instead of the lesson's; their rows are labelled other.
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
        If ``output`` is in use, a number makes no sense, or other contrasts are asked for in another form.
    OutputError
        If the disk refuses.
    """
    is_t1_alone = tuple(contrasts) == (Contrast.T1,)
    _check(cohort, form, jobs, is_t1_alone=is_t1_alone)
    rows: list[Row] = []
    with create_folder(output) as folder:
        make = partial(_write_subject, cohort, folder, form, header)
        if not is_t1_alone:
            make = partial(_write_contrasts, cohort, folder, tuple(contrasts))
        with _workers(jobs, cohort.subjects) as run:
            for done, found in enumerate(run(make, cohort.numbers), start=1):
                rows += found
                on_progress(done, cohort.subjects)
        if form is Form.BIDS:
            from gadoscope.phantom.forms.nifti import write_bids_root  # noqa: PLC0415 — PNG does without

            write_bids_root(folder, [_participant(cohort, number) for number in cohort.numbers])
        _write_manifest(folder / "manifest.csv", rows)
    return len(rows)


def _check(cohort: Cohort, form: Form, jobs: int, *, is_t1_alone: bool) -> None:
    """Raise UsageError, before anything is written, if something asked for makes no sense."""
    if jobs < 1:
        raise UsageError(f"jobs = {jobs} is too small; at least one process has to work.")
    if form is Form.PNG:
        _ = cohort.splits  # refuses too few subjects
    elif not is_t1_alone:
        raise UsageError(f"contrasts other than t1 are written as png slices only, not as {form}.")


@contextmanager
def _workers(jobs: int, n_tasks: int) -> Iterator[Callable[..., Iterator[list[Row]]]]:
    """Yield a ``map`` that keeps the order of its inputs."""
    if jobs == 1 or n_tasks == 1:
        yield map
        return
    # A fresh interpreter a worker: forking a process that runs threads may hang.
    context = get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, n_tasks), mp_context=context, initializer=prepare_worker)
    try:
        yield pool.map
    finally:
        pool.shutdown(wait=True, cancel_futures=True)  # after Ctrl-C only what is under way is waited for


def _write_subject(cohort: Cohort, root: Path, form: Form, header: HeaderMode, number: int) -> list[Row]:
    """Scan and write one subject; return its rows of the manifest."""
    if form is Form.PNG:
        return _write_slices(cohort, root, number)
    done = scan(cohort, number)
    name = done.subject.subject_id
    if form is Form.DICOM:
        from gadoscope.phantom.forms.dicom import write_study  # noqa: PLC0415 — PNG does without pydicom

        written = write_study(done, root / name, header)
    elif form is Form.BIDS:
        from gadoscope.phantom.forms.nifti import write_bids_subject  # noqa: PLC0415 — and without nibabel

        written = write_bids_subject(done, root, header)
    else:
        from gadoscope.phantom.forms.nifti import write_nifti  # noqa: PLC0415 — as above

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
            _write_png(window(series.signal[index], done.scanner), folder / name)
            rows.append(_row(done, series, (folder / name).relative_to(root), split=split))
    return rows


def _write_png(pixels: NDArray[np.uint8], path: Path) -> None:
    Image.fromarray(pixels).save(path, compress_level=PNG_COMPRESSION)


def _write_contrasts(cohort: Cohort, root: Path, contrasts: tuple[Contrast, ...], number: int) -> list[Row]:
    """Write the slices of one subject in folders named by contrast; T1 before, after, or both."""
    split = cohort.splits[number]
    done = scan(cohort, number, cohort.classes[number] if Contrast.T1 in contrasts else ())
    rows = []
    for series in done.series:
        for index in range(series.grid.shape[0]):
            path = _slice_path(cohort, done, f"{Contrast.T1}/{LABEL[series.phase]}", index)
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            _write_png(window(series.signal[index], done.scanner), root / path)
            rows.append(_row(done, series, path, split=split))
    others = [contrast for contrast in contrasts if contrast is not Contrast.T1]
    for other in scan_contrasts(
        Head(done.subject), done.scanner, cohort.grid(done.scanner, done.subject), others
    ):
        for index, pixels in enumerate(other.pixels):
            path = _slice_path(cohort, done, other.protocol.contrast, index)
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            _write_png(pixels, root / path)
            rows.append(_other_row(done, other, path, split=split))
    return rows


def _slice_path(cohort: Cohort, done: Scan, folder: str, index: int) -> Path:
    return Path(folder) / f"{done.subject.subject_id}_{cohort.plane}_sl-{index + 1:02d}.png"


def _row(
    done: Scan,
    series: Acquisition,
    path: Path,
    *,
    split: Split | None = None,
    header: HeaderMode | None = None,
    note: str = "",
) -> Row:
    timing = done.scanner.timing
    return {
        **_common_cells(done, series.grid, path),
        "label": LABEL[series.phase],
        "source": SOURCE,
        "split": split or "",
        "sequence": timing.sequence,
        **_timing_cells(timing.tr_ms, timing.te_ms, timing.ti_ms, timing.flip_deg),
        "header": header or "",
        "note": note,
    }


def _other_row(done: Scan, other: OtherScan, path: Path, *, split: Split) -> Row:
    protocol = other.protocol
    b = protocol.b_s_per_mm2
    return {
        **_common_cells(done, other.grid, path),
        "label": Label.OTHER,
        "source": OTHER_SOURCE,
        "split": split,
        "field_strength_t": ""
        if protocol.contrast is Contrast.CT
        else f"{done.scanner.field_strength_t:.1f}",
        "sequence": protocol.contrast,
        **_timing_cells(protocol.tr_ms, protocol.te_ms, protocol.ti_ms, protocol.flip_deg),
        "header": "",
        "note": "" if b is None else f"b = {b:.0f} s/mm2",
    }


def _common_cells(done: Scan, grid: Grid, path: Path) -> Row:
    lesion = done.subject.lesion
    return {
        "path": path.as_posix(),
        "subject_id": done.subject.subject_id,
        "plane": grid.plane,
        "licence": LICENCE,
        "manufacturer": "Gadoscope phantom",
        "field_strength_t": f"{done.scanner.field_strength_t:.1f}",
        "slice_thickness_mm": f"{grid.slice_mm:.2f}",
        "pixel_spacing_mm": f"{grid.spacing_mm[1]:.4f}",
        "lesion": "" if lesion is None else lesion.kind,
    }


def _timing_cells(
    tr_ms: float | None, te_ms: float | None, ti_ms: float | None, flip_deg: float | None
) -> Row:
    def cell(value: float | None, digits: int) -> str:
        return "" if value is None else f"{value:.{digits}f}"

    return {
        "repetition_time_ms": cell(tr_ms, 1),
        "echo_time_ms": cell(te_ms, 2),
        "inversion_time_ms": cell(ti_ms, 1),
        "flip_angle_deg": cell(flip_deg, 1),
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
    sheet = SheetWriter(text, COLUMNS)
    for row in rows:
        sheet.write([row[column] for column in COLUMNS])
    path.write_text(text.getvalue(), encoding="utf-8")
