"""Evidence beside its slice, as a figure of matplotlib that belongs to nobody's windows."""

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gadoscope.markup import POST_COLOUR, PRE_COLOUR

_SIDE_INCHES = 3.0
_COLOURS = LinearSegmentedColormap.from_list("phase", [PRE_COLOUR, "#ffffff", POST_COLOUR])


def draw_evidence(pixels: NDArray[np.uint8], maps: Mapping[str, NDArray[np.float32]]) -> Figure:
    """Return a figure with the slice first, then a picture for each map.

    Parameters
    ----------
    pixels
        Shape (row, column).
    maps
        By what made them: in logits, over the same field of view; positive argues for post-contrast. Each has
        a scale of its own, the same to both sides.
    """
    figure = Figure(figsize=(_SIDE_INCHES * (1 + len(maps)), _SIDE_INCHES), layout="constrained")
    axes = figure.subplots(1, 1 + len(maps), squeeze=False)[0]
    axes[0].imshow(pixels, cmap="gray", vmin=0, vmax=255)
    axes[0].set_title("slice")
    for place, (name, evidence) in zip(axes[1:], maps.items(), strict=True):
        most = float(np.abs(evidence).max()) or 1.0
        shown = place.imshow(evidence, cmap=_COLOURS, vmin=-most, vmax=most)
        place.set_title(name)
        figure.colorbar(shown, ax=place, label="logits")
    for place in axes:
        place.set_axis_off()
    return figure
