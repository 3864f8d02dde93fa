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
from gadoscope.inference.default import find_default

__all__ = ["Progress", "find_model", "iter_results"]


def find_model(model: Path | None) -> Path:
    """Return ``model``, or the default bundle where none is named.

    Raises
    ------
    UsageError
        If none is named and this installation lacks the default bundle.
    """
    return find_default() if model is None else model
