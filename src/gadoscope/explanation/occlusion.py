"""Where the evidence lies: a patch of the slice is blurred away, and the answer asked for again.

Occlusion asks the network and nothing else: it needs no gradients, no torch, and no knowledge of the
layers, so it works for every bundle. A region counts for as much as the logit drops without it.

References
----------
Zeiler and Fergus, Visualizing and understanding convolutional networks, ECCV 2014, section 4.2
"""

import numpy as np
from numpy.typing import NDArray

from gadoscope.imaging.filters import gaussian_filter
from gadoscope.inference.session import Session

# Sides as shares of the slice's. An eighth of a head (2-3 cm) hides a venous sinus or a lesion whole;
# steps of two thirds of a patch look at every point twice. 13 x 13 places at 331 x 331.
PATCH = 0.12
STRIDE = 0.08
# Where every slice of a scan is explained and somebody waits: seven by seven patches side by side, each point
# looked at once. Beside the map of 13 x 13 places it is as true as eight by eight, which ask a third more
# (docs/log.md, 30 November): wider patches hide more of what carries the answer. A seventh and a bit: rounded
# to pixels, seven patches reach across slices of any size, and no eighth lies on the last of them.
QUICK_STRIDE = 0.145
# Of a patch that is asked about: with less of the head in it than this it hides air.
LEAST_WITHIN = 0.05
# Where the patch changes no pixel by more than a grey level it hides nothing: the air around the head.
SMALLEST_CHANGE = 1 / 255


def occlude(
    session: Session,
    image: NDArray[np.uint8],
    *,
    step: float = STRIDE,
    within: NDArray[np.bool_] | None = None,
) -> NDArray[np.float32]:
    """Return how much each pixel argues for post-contrast.

    A patch is replaced with the same place of a heavily blurred slice: fine bright structure goes,
    the brightness around it stays, and no edge is made that no slice has.

    Parameters
    ----------
    image
        One resized slice, shape (size, size), uint8, as ``ImagePath.resize_slice`` makes it.
    step
        From one patch to the next, as a share of the slice's side; a patch is as wide at least, so that no
        place is left out.
    within
        Of the slice's shape: patches of which less than `LEAST_WITHIN` lies in it are not asked about, and
        count nothing. None asks about all.

    Returns
    -------
    numpy.ndarray
        Shape (size, size), float32, in logits: the drop of the logit when the place is hidden.
        Positive argues for post-contrast, negative for pre-contrast.
    """
    scaled = session.bundle.metadata.image_path.scale(image[np.newaxis])[0, 0]
    size = scaled.shape[0]
    stride = max(1, round(step * size))
    patch = max(2, round(PATCH * size), stride)
    blurred = gaussian_filter(scaled, sigma=patch)
    whole = session.logits(scaled[np.newaxis, np.newaxis])[0]
    total = np.zeros(scaled.shape, dtype=np.float64)
    times = np.zeros(scaled.shape, dtype=np.float64)
    starts = sorted({*range(0, size - patch, stride), size - patch})
    hidden = scaled.copy()
    for row in starts:
        for column in starts:
            place = np.s_[row : row + patch, column : column + patch]
            times[place] += 1
            if within is not None and within[place].mean() < LEAST_WITHIN:
                continue
            if np.abs(blurred[place] - scaled[place]).max() <= SMALLEST_CHANGE:
                continue
            hidden[place] = blurred[place]
            total[place] += whole - session.logits(hidden[np.newaxis, np.newaxis])[0]
            hidden[place] = scaled[place]
    # The steps of the grid are ours, not the network's: smooth them away.
    return gaussian_filter(total / times, sigma=stride / 2).astype(np.float32)
