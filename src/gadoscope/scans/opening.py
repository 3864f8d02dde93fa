"""One series is opened, wherever it lies, and nothing of it is answered yet."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gadoscope.errors import UsageError
from gadoscope.reading.given import ArrayAxes, list_inputs
from gadoscope.reading.series import ImageSeries
from gadoscope.scans.contents import look_through

if TYPE_CHECKING:
    from gadoscope.reading.given import What


def read_series(
    what: "What", *, spacing_mm: Sequence[float] | None = None, orientation: str | None = None
) -> ImageSeries:
    """Open the one series that is handed over; its voxels are decoded when they are asked for.

    Parameters
    ----------
    what
        A NIfTI file; a DICOM file, a folder or a zip of one series; or what lies in memory: a volume as an
        array, an image of nibabel, datasets of pydicom, an open file.
    spacing_mm
        Of an array; as of `classify`.
    orientation
        Likewise.

    Raises
    ------
    UsageError
        If it holds several series, or none, or is a slice image, which is no series.
    InputError
        If it cannot be read, or is refused.
    """
    contents = look_through(list_inputs(what, ArrayAxes(spacing_mm=spacing_mm, orientation=orientation)))
    firsts = [*(str(one.first) for one in contents.dicom), *(series.path for _, series in contents.volumes)]
    if len(firsts) > 1:
        raise UsageError(
            f"this holds {len(firsts)} series, {firsts[0]} is of one and {firsts[1]} of another; name one "
            "of them, or classify them all."
        )
    if contents.dicom:
        return contents.dicom[0].open()
    if contents.volumes:
        return contents.volumes[0][1]
    if contents.error is not None:
        raise contents.error
    raise UsageError("there is no series in this; name a NIfTI file, or the folder of a DICOM series.")
