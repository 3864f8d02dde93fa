"""Pictures of answers: the slice, and what argued for which phase, told in two ways.

Grad-CAM needs the network's layers: a bundle whose network Gadoscope does not know is explained by occlusion
alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gadoscope.evaluation.page import Case
from gadoscope.evaluation.pictures import CasePictures
from gadoscope.explanation.occlusion import QUICK_STRIDE
from gadoscope.inference.session import Session
from gadoscope.parallel import map_in_order
from gadoscope.progress import OnProgress
from gadoscope.report.pictures import overlay, picture

if TYPE_CHECKING:
    from gadoscope.explanation.explain import Explanation

STEP = QUICK_STRIDE
"""Of the occlusion of each case: a third of a single slice's places, for there are two dozen."""
SANITY_SLICES = 6
"""Slices on which Grad-CAM is compared with that of random weights: a second or two."""


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """The cases that are shown, and whether their Grad-CAM follows the weights.

    ``similarity_with_random_weights`` is from 0 (unrelated) to 1 (the same map, whatever the network
    learned); None where there is no Grad-CAM, or no case.
    """

    cases: tuple[Case, ...] = ()
    similarity_with_random_weights: float | None = None


def show_cases(
    names: Sequence[str],
    pictures: CasePictures,
    session: Session,
    jobs: int,
    tell: OnProgress,
    *,
    n_wrong: int,
) -> Gallery:
    """Return the pictures of the slices of these names, in their order; ``pictures`` has them.

    On the first ``n_wrong`` Grad-CAM is compared with that of random weights.
    """
    if not names:
        return Gallery()
    # These bring torch, which no report without pictures needs.
    from gadoscope.explanation import explain, gradcam  # noqa: PLC0415

    network = explain.load_network(session)
    slices = [pictures.find(name) for name in names]

    def show(pixels: NDArray[np.uint8]) -> Case:
        return _draw(pixels, explain.explain_case(session, network, pixels, step=STEP))

    cases: list[Case] = []
    for case in map_in_order(show, slices, jobs):
        cases.append(case)
        tell("Explaining answers", len(cases), len(names))
    if network is None or not n_wrong:
        return Gallery(cases=tuple(cases))
    image_path = session.bundle.metadata.image_path
    similarity = gradcam.similarity_with_random_weights(
        network, slices[: min(n_wrong, SANITY_SLICES)], image_path
    )
    return Gallery(
        cases=tuple(cases),
        similarity_with_random_weights=similarity if math.isfinite(similarity) else None,
    )


def _draw(pixels: NDArray[np.uint8], explanation: "Explanation") -> Case:
    return Case(
        picture=picture(pixels),
        overlay=overlay(pixels, explanation.occlusion),
        gradcam="" if explanation.gradcam is None else overlay(pixels, explanation.gradcam),
    )
