"""`gadoscope phantom`: makes synthetic heads to learn, demonstrate and test with."""

from pathlib import Path

import click

from gadoscope.cli.options import jobs_option
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

T1 = "t1"


@click.command(short_help="Make synthetic heads, before and after contrast, with no patient.")
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--form",
    type=click.Choice(["png", "dicom", "nifti", "bids"]),
    default="png",
    show_default=True,
    help="png: the lesson's Train and Test folders; otherwise whole series.",
)
@click.option(
    "--subjects", type=click.IntRange(1), default=SUBJECTS, show_default=True, help="How many people."
)
@click.option(
    "--seed", type=click.IntRange(0), default=SEED, show_default=True, help="Same seed, same bytes."
)
@click.option(
    "--slices",
    type=click.IntRange(1),
    help=f"Per subject and phase. [default: {PNG_SLICES} near the midline for png, else {VOLUME_SLICES}]",
)
@click.option(
    "--matrix",
    type=click.IntRange(LEAST_MATRIX, MOST_MATRIX),
    default=MATRIX,
    show_default=True,
    help="Rows and columns.",
)
@click.option(
    "--plane",
    type=click.Choice(["sagittal", "axial", "coronal"]),
    default="sagittal",
    show_default=True,
    help="Orientation; png of t1 alone is always sagittal.",
)
@click.option(
    "--contrast",
    "contrasts",
    type=click.Choice([T1, "t2", "flair", "pd", "dwi", "t2_star", "ct"]),
    multiple=True,
    default=(T1,),
    show_default=True,
    help="Repeat for several. With others than t1: png slices of the brain, a folder a contrast.",
)
@click.option(
    "--header",
    type=click.Choice(["right", "wrong", "missing", "mixed"]),
    default="right",
    show_default=True,
    help="What DICOM headers and BIDS sidecars say of contrast.",
)
@click.option(
    "--lesions", type=click.FloatRange(0, 1), default=LESIONS, show_default=True, help="Chance of a lesion."
)
@jobs_option
def command(  # noqa: PLR0913, PLR0917 - one parameter for each option
    output: Path,
    form: str,
    subjects: int,
    seed: int,
    slices: int | None,
    matrix: int,
    plane: str,
    contrasts: tuple[str, ...],
    header: str,
    lesions: float,
    jobs: int,
) -> None:
    """Make synthetic heads by physics: no patient, no download, the truth known.

    \b
    gadoscope phantom heads --subjects 60
    gadoscope phantom archive --form dicom --subjects 5 --header mixed
    gadoscope phantom others --contrast t2 --contrast flair --plane axial
    """
    from gadoscope.api.phantom import make_phantom
    from gadoscope.cli.console import say
    from gadoscope.cli.display import Display

    with Display() as display:
        done = make_phantom(
            output,
            form=form,
            subjects=subjects,
            seed=seed,
            slices=slices,
            matrix=matrix,
            plane=plane,
            contrasts=contrasts,
            header=header,
            lesions=lesions,
            jobs=jobs,
            on_progress=display.tell,
        )
    what = "slices" if form == "png" else "series"
    say(f"{output}: {done.n_rows} {what} of {subjects} synthetic subjects, seed {seed}.")
    say("manifest.csv says which is which.")
