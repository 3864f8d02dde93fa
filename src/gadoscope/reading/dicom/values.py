"""Stored values become values: sign, bits that count, padding, rescale, and the window to show them.

The order is the standard's: stored values, modality rescale, window. A real-world value map stands beside
that chain, not in it: viewers do not show it. It is used for one thing: where the header has no rescale
of its own (or one that changes nothing) and a linear map that rises, the map takes the rescale's place,
and the window goes through it too. Then frames with maps of their own can be compared with each other,
and within one frame nothing changes that a window would not undo. Maps by table, falling maps and several
maps of one frame are left alone.

References
----------
DICOM PS3.3 C.7.6.3 (Image Pixel), C.7.5.1.1.2 (padding), C.11.1 (Modality LUT), C.11.2 (VOI LUT),
C.7.6.16.2.9b (Pixel Value Transformation), C.7.6.16.2.10b (Frame VOI LUT), C.7.6.16.2.11 (Real World Value)
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.elements import Elements

WINDOW_CENTER, WINDOW_WIDTH, VOI_FUNCTION = tags.WINDOW_CENTER, tags.WINDOW_WIDTH, tags.VOILUT_FUNCTION
RESCALE_INTERCEPT, RESCALE_SLOPE = tags.RESCALE_INTERCEPT, tags.RESCALE_SLOPE
MAP_INTERCEPT, MAP_SLOPE = tags.REAL_WORLD_VALUE_INTERCEPT, tags.REAL_WORLD_VALUE_SLOPE
BYTE = 8
LARGEST_SCALE = 1e30
"""Beyond it a slope or an intercept is an error of writing, and values would overflow 32-bit floats."""

SHALLOW_WINDOW = 1.0
"""PS3.3 C.11.2.1.2.1: LINEAR takes half a value off on either side, so its width must exceed 1. Smaller ones
are written with rescaled values in mind, and mean what LINEAR_EXACT means."""

UNUSABLE_RESCALE = "RescaleSlope or RescaleIntercept is no usable number: values were left as stored"
UNUSABLE_WINDOW = "WindowCenter or WindowWidth is no usable number: the window was ignored"
CUT_OFF_BITS = "bits above BitsStored were set and were cut off"

Window = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """How the stored values of one frame become values.

    Parameters
    ----------
    slope, intercept
        ``value = stored * slope + intercept``.
    is_stated
        Whether the header states them.
    window
        Values shown as the smallest and as the largest grey of the photometric interpretation.
    warnings
        What of this could not be used.
    """

    slope: float = 1.0
    intercept: float = 0.0
    is_stated: bool = False
    window: Window | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredLayout:
    """How stored values are written, and which of them are no pixels.

    Parameters
    ----------
    bits_allocated, bits_stored, high_bit
        As DICOM names them.
    is_signed
        PixelRepresentation.
    is_inverted
        MONOCHROME1: the smallest value is white.
    padding
        Smallest and largest stored value that stands outside of the image.
    """

    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    is_inverted: bool
    padding: tuple[float, float] | None = None


def find_scale(rescale: Elements, voi: Elements, value_map: Elements | None) -> Scale:
    """Return the scale of a frame.

    Parameters
    ----------
    rescale, voi, value_map
        Where the rescale, the window and the only real-world value map of this frame stand.
    """
    slope, intercept, warnings = _find_rescale(rescale)
    is_stated = RESCALE_SLOPE in rescale or RESCALE_INTERCEPT in rescale
    window, window_warnings = _find_window(voi)
    warnings += window_warnings
    if value_map is not None and (slope, intercept) == (1.0, 0.0):
        line = _find_line(value_map)
        if line is not None:
            slope, intercept = line
            is_stated = True
            if window is not None:
                window = (window[0] * slope + intercept, window[1] * slope + intercept)
    return Scale(slope, intercept, is_stated, window, warnings)


def _find_rescale(elements: Elements) -> tuple[float, float, tuple[str, ...]]:
    slope = elements.find_number(RESCALE_SLOPE) if elements.find_bytes(RESCALE_SLOPE) else 1.0
    intercept = elements.find_number(RESCALE_INTERCEPT) if elements.find_bytes(RESCALE_INTERCEPT) else 0.0
    if not _is_usable(slope) or slope == 0 or not _is_usable(intercept):
        return 1.0, 0.0, (UNUSABLE_RESCALE,)
    return float(slope or 0), float(intercept or 0), ()


def _is_usable(number: float | None) -> bool:
    return number is not None and math.isfinite(number) and abs(number) < LARGEST_SCALE


def _find_window(elements: Elements) -> tuple[Window | None, tuple[str, ...]]:
    """Return the first of the header's windows; several are there for a person to choose from."""
    if not any(elements.find_text(tag).strip("\\ ") for tag in (WINDOW_CENTER, WINDOW_WIDTH)):
        return None, ()
    center, width = elements.find_number(WINDOW_CENTER), elements.find_number(WINDOW_WIDTH)
    if center is None or width is None or not _is_usable(center) or not _is_usable(width) or width <= 0:
        return None, (UNUSABLE_WINDOW,)
    if elements.find_text(VOI_FUNCTION).upper() in {"", "LINEAR"} and width > SHALLOW_WINDOW:
        return (center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2), ()
    # LINEAR_EXACT; and SIGMOID, whose steepest part is as steep as this line (PS3.3 C.11.2.1.3.1).
    return (center - width / 2, center + width / 2), ()


def _find_line(value_map: Elements) -> tuple[float, float] | None:
    """Return slope and intercept of a map that rises along a line."""
    slope, intercept = value_map.find_number(MAP_SLOPE), value_map.find_number(MAP_INTERCEPT)
    if slope is None or intercept is None or not _is_usable(slope) or not _is_usable(intercept) or slope <= 0:
        return None
    return slope, intercept


def stored_range(layout: StoredLayout) -> tuple[int, int]:
    """Return the smallest and the largest value that BitsStored can hold."""
    n_values = 1 << layout.bits_stored
    return (-n_values // 2, n_values // 2 - 1) if layout.is_signed else (0, n_values - 1)


def interpret_stored(
    stored: NDArray[np.integer], layout: StoredLayout, precision: int, *, is_lossy: bool = False
) -> tuple[NDArray[np.integer], tuple[str, ...]]:
    """Return the stored values with their sign, and nothing above their bits.

    Parameters
    ----------
    stored
        Shape (row, column): as they stood in the file or came out of a decoder.
    precision
        Bits of each that its decoder knows of; a decoder that knows fewer than BitsStored is right.
    is_lossy
        Whether values beyond BitsStored come from a lossy codec that overshot, and are clipped for that.

    Returns
    -------
    values : shape (row, column)
        Signed as the header says.
    warnings : tuple of str
        Whether anything had to be cut off.
    """
    if layout.is_signed and stored.dtype.kind == "i" and precision <= layout.bits_stored:
        return stored, ()  # only JPEG 2000 says the sign itself
    if is_lossy and precision > layout.bits_stored:
        n_values = 1 << layout.bits_stored
        lowest = -n_values // 2 if stored.dtype.kind == "i" and layout.is_signed else 0
        stored = np.clip(stored, lowest, lowest + n_values - 1)
    container = f"{stored.dtype.itemsize}"
    unsigned = stored.view("u" + container)
    shift = layout.high_bit + 1 - layout.bits_stored
    if shift > 0 and precision > layout.high_bit:
        unsigned = unsigned >> np.array(shift, unsigned.dtype)
    bits = min(layout.bits_stored, precision)
    if bits >= BYTE * stored.dtype.itemsize:
        return (unsigned.view("i" + container) if layout.is_signed else unsigned), ()
    kept = unsigned & np.array((1 << bits) - 1, unsigned.dtype)
    is_clean = np.array_equal(kept, unsigned)
    if not layout.is_signed:
        return kept, () if is_clean else (CUT_OFF_BITS,)
    sign = np.array(1 << (bits - 1), unsigned.dtype)
    extended = (kept ^ sign) - sign  # modulo the container: the sign goes into all bits above
    is_clean = is_clean or np.array_equal(extended, unsigned)
    return extended.view("i" + container), () if is_clean else (CUT_OFF_BITS,)


def find_padding(
    stored: NDArray[np.integer], values: NDArray[np.integer], layout: StoredLayout
) -> NDArray[np.bool_] | None:
    """Return which pixels stand outside of the image; ``None`` where the header knows of none.

    Parameters
    ----------
    stored, values
        Before and after `interpret_stored`. Padding beyond what BitsStored can hold is looked for before.
    """
    if layout.padding is None:
        return None
    first, last = layout.padding
    lowest, highest = stored_range(layout)
    looked_at = values
    if first < lowest or last > highest:
        kind = "i" if layout.is_signed else "u"
        looked_at = stored.view(f"{kind}{stored.dtype.itemsize}")
    return np.asarray((looked_at >= first) & (looked_at <= last))


def scale_values(
    values: NDArray[np.integer] | NDArray[np.floating],
    scale: Scale,
    padding: NDArray[np.bool_] | None,
    *,
    is_inverted: bool,
) -> NDArray[np.float32]:
    """Return values that are larger where the image is brighter, shape (row, column).

    Parameters
    ----------
    padding
        Pixels outside of the image; they become as dark as the darkest inside.
    is_inverted
        MONOCHROME1: values are negated after rescaling.
    """
    slope, intercept = (-scale.slope, -scale.intercept) if is_inverted else (scale.slope, scale.intercept)
    if (slope, intercept) == (1.0, 0.0):
        scaled = values.astype(np.float32)
    else:
        # In 64 bits, so that a value is rounded once, however the header writes its rescale.
        scaled = (values.astype(np.float64) * slope + intercept).astype(np.float32)
    if padding is not None and padding.any() and not padding.all():
        scaled[padding] = np.nanmin(scaled[~padding]) if not np.isnan(scaled[~padding]).all() else np.nan
    return scaled


def grey_window(scale: Scale, layout: StoredLayout) -> Window | None:
    """Return the values shown as black and as white, after any inversion.

    Without a window and a rescale, 8-bit values are greys already: they keep their own black and white.
    """
    window = scale.window
    if window is None and not scale.is_stated and layout.bits_stored == BYTE:
        lowest, highest = stored_range(layout)
        window = (float(lowest), float(highest))
    if window is None or not layout.is_inverted:
        return window
    return (-window[1], -window[0])
