"""Synthetic heads by physics: no patient, no download, the truth known."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

from gadoscope.api.arguments import check_options, need_path, need_whole, need_word
from gadoscope.errors import UsageError
from gadoscope.extras import name_what_is_missing
from gadoscope.labels import Plane
from gadoscope.misfits import quote
from gadoscope.parallel import count_jobs
from gadoscope.phantom import (
    LEAST_MATRIX,
    LESIONS,
    MATRIX,
    MOST_MATRIX,
    PNG_SLICES,
    SEED,
    SUBJECTS,
    VOLUME_SLICES,
)
from gadoscope.progress import OnProgress, say_nothing
from gadoscope.run_folder import MANIFEST_NAME

with name_what_is_missing("a phantom", extra="phantom"):
    from gadoscope.phantom.forms.cohort import Cohort
    from gadoscope.phantom.forms.headers import HeaderMode
    from gadoscope.phantom.forms.write import Form, write_cohort
    from gadoscope.phantom.physics.contrasts import Contrast


class PhantomOptions(TypedDict, total=False):
    """What else may be asked of synthetic heads.

    Attributes
    ----------
    slices
        Per subject and phase; None takes 6 near the midline for png, else 24.
    matrix
        Rows and columns.
    plane
        ``sagittal``, ``axial`` or ``coronal``; png of t1 alone is always sagittal.
    contrasts
        ``t1`` alone, or several of ``t1``, ``t2``, ``flair``, ``pd``, ``dwi``, ``t2_star`` and ``ct``: png
        slices of the brain then, a folder a contrast.
    header
        What DICOM headers and BIDS sidecars say of contrast: ``right``, ``wrong``, ``missing``, ``mixed``.
    lesions
        Chance of a lesion, 0 to 1.
    jobs
        Processes; 0 takes one for each core. With more than one a script needs
        ``if __name__ == "__main__":``.
    on_progress
        Called with what is done, how much of it, and of how much.
    """

    slices: int | None
    matrix: int
    plane: str
    contrasts: Sequence[str]
    header: str
    lesions: float
    jobs: int
    on_progress: OnProgress


@dataclass(frozen=True, kw_only=True)
class Phantom:
    """Where synthetic heads were written.

    Attributes
    ----------
    folder, manifest
        The folder, and the table in it that says which is which.
    n_rows
        Of that table: slices for png, else series.
    """

    folder: Path
    manifest: Path
    n_rows: int


def make_phantom(
    output: str | Path,
    *,
    form: str = "png",
    subjects: int = SUBJECTS,
    seed: int = SEED,
    **options: Unpack[PhantomOptions],
) -> Phantom:
    """Make synthetic heads, before and after contrast, with no patient.

    Parameters
    ----------
    output
        A folder that does not exist yet, or an empty one.
    form
        ``png``, the lesson's Train and Test folders; or whole series: ``dicom``, ``nifti``, ``bids``.
    subjects
        How many people.
    seed
        Same seed, same bytes.
    **options
        See `PhantomOptions`.

    Raises
    ------
    UsageError
        If the folder is in use, or what is asked for makes no sense.
    OutputError
        If the disk refuses.
    """
    check_options("make_phantom", options, PhantomOptions)
    kind, folder = need_word("form", form, Form), need_path(output)
    contrasts = _need_contrasts(options.get("contrasts", ("t1",)))
    cohort = _draw_cohort(kind, contrasts, subjects, seed, options)
    n_rows = write_cohort(
        cohort,
        folder,
        form=kind,
        header=need_word("header", options.get("header", "right"), HeaderMode),
        contrasts=contrasts,
        jobs=count_jobs(options.get("jobs", 1)),
        on_progress=partial(options.get("on_progress", say_nothing), "Scanning"),
    )
    return Phantom(folder=folder, manifest=folder / MANIFEST_NAME, n_rows=n_rows)


def _draw_cohort(
    form: Form, contrasts: Sequence[Contrast], subjects: int, seed: int, options: PhantomOptions
) -> Cohort:
    is_png, has_others = form is Form.PNG, tuple(contrasts) != (Contrast.T1,)
    plane = need_word("plane", options.get("plane", Plane.SAGITTAL), Plane)
    if is_png and not has_others and plane is not Plane.SAGITTAL:
        raise UsageError(f"--plane {plane} needs --form dicom, nifti or bids; png slices are sagittal.")
    lesions = options.get("lesions", LESIONS)
    if not isinstance(lesions, (int, float)):
        raise UsageError(f"lesions is {quote(lesions)}; expected a number from 0 to 1.")
    slices = options.get("slices") or (PNG_SLICES if is_png else VOLUME_SLICES)
    return Cohort(
        subjects=need_whole("subjects", subjects, 1),
        seed=need_whole("seed", seed, 0),
        slices=need_whole("slices", slices, 1),
        matrix=need_whole("matrix", options.get("matrix", MATRIX), LEAST_MATRIX, MOST_MATRIX),
        plane=plane,
        lesions=lesions,
        whole_head=not is_png,
        brain=has_others,
    )


def _need_contrasts(names: Sequence[str]) -> list[Contrast]:
    if isinstance(names, str) or not isinstance(names, Sequence) or not names:
        raise UsageError(f"contrasts are {quote(names)}; expected a list, such as ['t1', 't2'].")
    return [need_word("contrasts", name, Contrast) for name in dict.fromkeys(names)]
