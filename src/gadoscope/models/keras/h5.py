"""Weights that Keras saved for the lesson's network, read without Keras and without running anything.

The HDF5 library is C, and a file that is damaged in the wrong place crashes it or keeps it busy for
ever (seen with random bytes changed). So the file is read in a process of its own: whatever happens
there, the user gets one sentence. What comes back are plain arrays; there is no pickle.
"""

import stat
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np

from gadoscope.errors import WeightsError
from gadoscope.models.keras.layouts import VERSION_KEY, KerasFile

# -P: a module that lies in the current folder is not imported in the place of the real one.
READER = (sys.executable, "-P", "-m", "gadoscope.models.keras.layouts")

# With an optimiser's state of every epoch a lesson's file has tens of MB.
MAX_FILE_BYTES = 2**28

# Reading takes 0.4 s; a loaded machine with a slow disk may need many times that.
READ_LIMIT_S = 60.0


def read_keras_file(path: Path) -> KerasFile:
    """Return the weights of a Keras file and the version of the Keras that wrote it.

    Parameters
    ----------
    path
        ``.h5`` of Keras 2 or 3 (whole model or weights only), ``.keras``, or ``.weights.h5``.

    Returns
    -------
    KerasFile
        Its ``state`` is a state dict of :class:`gadoscope.models.siim.Siim`: float32 arrays in torch's
        layout, convolutions (filter, channel, row, column), dense layers (unit, feature). A feature's
        place is Keras' (row, column, channel), as in ``Siim``.

    Raises
    ------
    WeightsError
        If the file is damaged, holds code, or is of another network; then each layer that differs
        is listed with what was expected.
    """
    _check_file(path)
    try:
        reader = subprocess.run(  # noqa: S603 - our own module; the path is an argument and no shell is involved
            [*READER, str(path)], capture_output=True, check=False, timeout=READ_LIMIT_S
        )
    except subprocess.TimeoutExpired as error:
        raise WeightsError(_describe_damage(path, f"not read after {READ_LIMIT_S:.0f} s")) from error
    if reader.returncode == WeightsError.exit_code:
        raise WeightsError(reader.stderr.decode(errors="replace"))
    if reader.returncode != 0:
        raise WeightsError(_describe_damage(path, "reading it crashed the HDF5 library"))
    with np.load(BytesIO(reader.stdout), allow_pickle=False) as arrays:
        state = {name: arrays[name] for name in arrays.files}
    version = str(state.pop(VERSION_KEY))
    return KerasFile(state, version)


def _check_file(path: Path) -> None:
    """Refuse what would keep the reader waiting, or busy, before it is opened; the rest the reader tells."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
        raise WeightsError(f"{path} is a pipe, a socket or a device; name the file of the weights.")
    if status.st_size > MAX_FILE_BYTES:
        raise WeightsError(
            f"{path} has {status.st_size:,} bytes; the lesson's weights take 1.4 MB, and at most "
            f"{MAX_FILE_BYTES:,} are read."
        )


def _describe_damage(path: Path, what: str) -> str:
    return f"{path} is damaged ({what}); copy or download it again."
