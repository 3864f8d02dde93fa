"""Paths become answers: the one use case of `gadoscope classify`.

=============  =================================================================
``run``        the flow: files are found, looked at, and answered
``inputs``     one file: an image, a NIfTI, an instance, an archive
``studies``    the series of DICOM studies, once all files have been looked at
``together``   the answers of a study are held back and judged together
``study_reasoning``  what the series of a study say of each other
``study_order``  in which order they were acquired
``series``     a series of one or more volumes becomes rows
``dynamic``    the one row of a series of several volumes
``rows``       what stands in a row, whatever goes wrong
``ahead``      work a little ahead, in order
=============  =================================================================
"""

from pathlib import Path

from gadoscope.classify.run import Progress, iter_results
from gadoscope.errors import UsageError

__all__ = ["DEFAULT_BUNDLE", "Progress", "find_model", "iter_results"]

DEFAULT_BUNDLE = Path(__file__).parents[1] / "weights" / "default.onnx"
"""The bundle that is used when none is named, where the installation has one."""


def find_model(model: Path | None) -> Path:
    """Return ``model``, or the default bundle where none is named.

    Raises
    ------
    UsageError
        If none is named and this installation has no default bundle.
    """
    if model is not None:
        return model
    if not DEFAULT_BUNDLE.exists():
        raise UsageError(
            "this installation has no default model; name one with --model FILE. Make it with "
            "`gadoscope train` from images, or with `gadoscope import-keras` from the lesson's weights."
        )
    return DEFAULT_BUNDLE
