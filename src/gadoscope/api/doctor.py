"""What is installed, what is missing, and whether a bundle answers."""

import sys
import time
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from gadoscope.api.arguments import need_path
from gadoscope.api.installation import installed_libraries, readable_images, readable_transfer_syntaxes
from gadoscope.errors import BundleError, UsageError
from gadoscope.imaging.intensity import MAX_GREY
from gadoscope.inference.default import check_default, find_model, is_default
from gadoscope.inference.session import Session
from gadoscope.labels import Level
from gadoscope.parallel import count_jobs
from gadoscope.records import Data, to_plain
from gadoscope.version import __version__


class Checkup(TypedDict):
    """What `doctor` says, as plain values.

    Attributes
    ----------
    gadoscope, python
        Versions.
    cores
        That this process may use.
    libraries
        By ``base`` and by extra, the version of each library; None where it is missing.
    images
        Which forms of images can be read.
    transfer_syntaxes
        Which compressions of DICOM can be read.
    model
        Whether the bundle ``answers``, and what it says of itself; else ``note`` says why not.
    well
        Whether nothing of the base installation is missing, and the bundle answers.
    """

    gadoscope: str
    python: str
    cores: int
    libraries: dict[str, dict[str, str | None]]
    images: dict[str, bool]
    transfer_syntaxes: dict[str, bool]
    model: dict[str, Any]
    well: bool


def doctor(model: str | Path | None = "default") -> Checkup:
    """Say what is installed, what is missing, and whether a bundle answers.

    Parameters
    ----------
    model
        A bundle (.onnx), or ``default``, which must be the one that was shipped, to the byte.

    Returns
    -------
    Checkup
        A dictionary; a bundle that does not answer is a ``note`` in it, never an error.

    Raises
    ------
    UsageError
        If ``model`` is nothing that names a bundle.
    """
    if model is not None:
        need_path(model)
    libraries, transfer_syntaxes = installed_libraries(), readable_transfer_syntaxes()
    examined = _examine(model)
    is_whole = all(libraries["base"].values()) and all(transfer_syntaxes.values())
    return Checkup(
        gadoscope=__version__,
        python=sys.version.split()[0],
        cores=count_jobs(0),
        libraries=libraries,
        images=readable_images(),
        transfer_syntaxes=transfer_syntaxes,
        model=examined,
        well=is_whole and examined["answers"],
    )


def _examine(model: str | Path | None) -> Data:
    """Return what the bundle says of itself and whether it answers."""
    path = None if is_default(model) else model
    try:
        path = find_model(model)
        session = Session(path)
        if is_default(model):
            check_default(session.bundle.sha256)
    except (BundleError, UsageError) as error:
        return {"answers": False, "path": None if path is None else str(path), "note": str(error)}
    return {"path": str(path), **_try_slice(session), **_summarise(session)}


def _try_slice(session: Session) -> Data:
    """Answer one made slice, dark on the left and bright on the right, and time it."""
    size = session.bundle.metadata.image_path.size
    ramp = np.linspace(0, MAX_GREY, size).astype(np.uint8)
    begin = time.perf_counter()
    logit = session.slice_logits(np.broadcast_to(ramp, (1, size, size)))[0]
    seconds = time.perf_counter() - begin
    answers = bool(np.isfinite(logit))
    probability = float(session.bundle.metadata.decision.probability(logit)) if answers else None
    return {
        "answers": answers,
        "note": "" if answers else "it answered no number; its weights may be damaged.",
        "seconds": round(seconds, 4),
        "probability_of_a_ramp": probability,
    }


def _summarise(session: Session) -> Data:
    metadata = session.bundle.metadata
    decision, of_series = metadata.decision, metadata.decision.at(Level.SERIES)
    return {
        "model_id": session.bundle.model_id,
        "network": metadata.network,
        "n_parameters": metadata.n_parameters,
        "image_path": to_plain(metadata.image_path),
        "planes": list(metadata.planes),
        "operating_point": to_plain(decision.of_slice.point),
        "calibration": to_plain(decision.of_slice.calibration),
        "aggregation": to_plain(decision.aggregation),
        "series_operating_point": to_plain(of_series.point),
        "series_calibration": to_plain(of_series.calibration),
        "licence": metadata.licence,
        "performance": dict(metadata.performance),
    }
