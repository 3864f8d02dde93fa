"""A bundle that teaches: the network in training learns its answers beside the labels.

A small network that learns what several averaged ones say of each distorted image comes closer to them than
labels alone bring it: an answer of 0.7 says more than "post".

References
----------
Hinton, Vinyals and Dean, Distilling the knowledge in a neural network, 2015
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gadoscope.decision.calibration import sigmoid
from gadoscope.errors import ConfigError
from gadoscope.imaging.intensity import ImagePath
from gadoscope.inference.session import Session

TEACHER_SHARE = 0.5
"""Of a target; the label has the rest, so that a teacher's errors are not beyond correction."""


class Teacher:
    """The answers of a bundle as training targets.

    Parameters
    ----------
    path
        A bundle, of any network.
    image_path
        Of the network in training; the teacher sees the very images that it sees.

    Raises
    ------
    BundleError
        If the file is no bundle.
    ConfigError
        If it prepares images in another way.
    """

    def __init__(self, path: Path, image_path: ImagePath) -> None:
        self._session = Session(path)
        theirs = self._session.bundle.metadata.image_path
        if theirs != image_path:
            raise ConfigError(
                f"the teacher {path} prepares images as {theirs}, this run as {image_path}; "
                "give the config's [image] the teacher's settings, or name another teacher."
            )
        self.sha256 = self._session.bundle.sha256

    def soften(self, targets: NDArray[np.float32], images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return targets half way from the labels to the teacher's answers.

        Parameters
        ----------
        targets
            Labels, 1 is post-contrast, shape (n,).
        images
            As the network gets them, shape (n, 1, size, size), in [0, 1].
        """
        answers = sigmoid(self._session.logits(images)).astype(np.float32)
        softened: NDArray[np.float32] = targets + np.float32(TEACHER_SHARE) * (answers - targets)
        return softened
