"""One slice explained by every method that its network allows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gadoscope.explanation.gradcam import STAGE, grad_cam, load_methods, spread
from gadoscope.explanation.occlusion import STRIDE, occlude
from gadoscope.inference.session import Session
from gadoscope.models.bundle_weights import load_bundle_weights
from gadoscope.models.siim import Siim

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LESSON_NETWORK = "siim"
"""The one whose convolutions Grad-CAM can listen to; for the others there is occlusion."""


@dataclass(frozen=True)
class Explanation:
    """Evidence over one slice; positive argues for post-contrast, negative for pre-contrast.

    Parameters
    ----------
    occlusion
        Shape (size, size), float32, in logits: how far the logit drops when the place is hidden.
    gradcam
        Shape (size, size), float32, in logits a cell; None of another network than the lesson's.
    pixels
        The slice as the network saw it, shape (size, size), uint8.
    """

    occlusion: NDArray[np.float32]
    gradcam: NDArray[np.float32] | None
    pixels: NDArray[np.uint8]

    def plot(self) -> "Figure":
        """Return the slice, and beside it what argued for which phase; a notebook shows it.

        Blue argues for pre-contrast, vermilion for post-contrast; white where nothing does.
        """
        from gadoscope.explanation.plot import draw_evidence  # noqa: PLC0415 — only who plots needs it

        maps = {"hiding": self.occlusion}
        if self.gradcam is not None:
            maps["Grad-CAM"] = self.gradcam
        return draw_evidence(self.pixels, maps)


def load_network(session: Session) -> Siim | None:
    """Return the bundle's network in torch with the bundle's weights, or None if it is not the lesson's.

    Raises
    ------
    BundleError
        If the bundle says that it holds a known network, and lacks a weight of it.
    """
    if session.bundle.metadata.network != LESSON_NETWORK:
        return None
    load_methods()
    network = Siim()
    load_bundle_weights(session.bundle, network, LESSON_NETWORK)
    return network.eval()


def explain_case(
    session: Session, network: Siim | None, pixels: NDArray[np.uint8], *, step: float = STRIDE
) -> Explanation:
    """Return what argued for which answer on one slice.

    May be called from several threads at once with the same session and network.

    Parameters
    ----------
    session
        The bundle.
    network
        What `load_network` returned for it; None gives no Grad-CAM.
    pixels
        The slice as it was read, shape (row, column), uint8.
    step
        Of the occlusion, as of `occlude`.
    """
    image_path = session.bundle.metadata.image_path
    resized = image_path.resize_slice(pixels)
    gradcam = None if network is None else spread(grad_cam(network, resized, image_path), STAGE)
    return Explanation(occlusion=occlude(session, resized, step=step), gradcam=gradcam, pixels=resized)
