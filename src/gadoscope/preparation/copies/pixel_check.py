"""Tell copies of one picture from pictures that are merely alike.

A copy may have been scaled, compressed, cut or brightened, but its grey values remain *one curve* of
the original's: wherever the original has this grey, the copy has that. A slice beside it has other
anatomy, and the same slice after contrast has brighter vessels, mucosa and meninges at grey values
that stayed as they were elsewhere: no single curve fits both. So one picture is laid onto the other,
the best curve is fitted, and what it leaves over is measured.

Noise is not compared: a copy of low quality loses its noise, and a good scanner has little. What is
left over is therefore smoothed before it is measured.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from threadpoolctl import threadpool_limits

from gadoscope.arrays import Singles
from gadoscope.parallel import map_in_order
from gadoscope.preparation.copies.alignment import cut_out, refine
from gadoscope.preparation.copies.fingerprint import Suspects

COARSE_SIDE, FINE_SIDE = 32, 64
"""Pixels a side of the pictures that are compared, first all suspects, then those that still look alike."""
COARSE_STEPS, FINE_STEPS = 5, 2
MIN_CORRELATION = 0.95
"""Of pictures that are worth a second look, after the first alignment."""
CURVE_KNOTS = 14
"""Of the fitted curve, evenly over the grey values; linear in between."""
CURVE_STIFFNESS = 2.0
"""Weight of the curve's bends, in pixels: knots that few pixels lie at follow their neighbours."""
BROAD_SIGMA, LOCAL_SIGMA = 0.75, 1.25
"""Smoothing of what is left over, in pixels of `FINE_SIDE`."""
LOCAL_SHARE = 0.25
"""Weight of what is left over where it is most, against what is left over in all."""
MAX_DIFFERENCE = 0.08
"""Largest difference of two copies, in standard deviations of the picture. Measured: of 88 pre- and
post-contrast pairs of phantom slices the least different have 0.12, of 558 real pairs (TCGA-LGG, in
register) 0.088, neighbouring slices 0.20 and more; copies of JPEG quality 30, of half the size, with
borders cut by a tenth or with twice the contrast have 0.01 to 0.07."""
LOCAL_PERCENTILE = 99.5
MAX_COARSE_DIFFERENCE = 0.16
"""Twice the limit, for the small pictures: whoever is above it there is not looked at again."""
_BATCH = 256
AIR_PERCENTILE, BRIGHT_PERCENTILE, AIR_LIMIT = 5.0, 99.0, 0.12
"""Air lies within this share of the range between two percentiles of the grey values."""
MIN_HEAD = 0.1
"""Share of the picture that two heads have in common, at least, to be compared on their own."""
_HALF = 0.5  # a cell belongs to the head if half of it does


def find_copies(thumbnails: NDArray[np.uint8], suspects: Suspects, *, jobs: int = 0) -> NDArray[np.int64]:
    """Return the pairs of ``suspects`` that are one picture, shape (m, 2).

    Parameters
    ----------
    thumbnails
        Shape (n, side, side).
    jobs
        Threads; 0 means one for each core that the process may use.
    """
    pairs = np.stack([suspects.whole, suspects.part], axis=1)
    small = np.rint(_shrink(thumbnails, FINE_SIDE)).astype(np.uint8)
    heads = find_heads(small)

    def check(start: int) -> NDArray[np.int64]:
        """Return those of a few pairs that are one picture; most fall out with small pictures already."""
        (whole, part), frame = pairs[start : start + _BATCH].T, suspects.frame[start : start + _BATCH]
        frame, difference = _look_coarsely(small[whole], small[part], heads[whole], heads[part], frame)
        alike = np.flatnonzero(difference <= MAX_COARSE_DIFFERENCE)
        whole, part, frame = whole[alike], part[alike], frame[alike]
        difference = measure_difference(thumbnails[whole], thumbnails[part], heads[whole], heads[part], frame)
        return pairs[start + alike[difference <= MAX_DIFFERENCE]]

    with threadpool_limits(1, user_api="blas"):  # as in the search for suspects
        kept = list(map_in_order(check, range(0, len(pairs), _BATCH), jobs))
    return np.concatenate([np.empty((0, 2), dtype=np.int64), *kept])


def _look_coarsely(
    whole: NDArray[np.uint8],
    part: NDArray[np.uint8],
    whole_head: NDArray[np.bool_],
    part_head: NDArray[np.bool_],
    frame: Singles,
) -> tuple[Singles, Singles]:
    """Return better frames and the difference of small pictures; infinite where they are not alike."""
    wholes, parts = whole.astype(np.float32), _shrink(part, COARSE_SIDE)
    frame = refine(wholes, parts, frame, COARSE_STEPS)
    seen = cut_out(wholes, frame, COARSE_SIDE)
    head = find_common(whole_head, part_head, frame, COARSE_SIDE)
    alike = np.flatnonzero(_correlate(seen, parts, head) >= MIN_CORRELATION)
    difference = np.full(len(whole), np.inf, dtype=np.float32)
    difference[alike] = _compare(seen[alike], parts[alike], head[alike])
    return frame, difference


def measure_difference(
    whole: NDArray[np.uint8],
    part: NDArray[np.uint8],
    whole_head: NDArray[np.bool_],
    part_head: NDArray[np.bool_],
    frame: Singles,
) -> Singles:
    """Return how much of the parts no curve of the wholes' grey values explains, shape (m,).

    Parameters
    ----------
    whole, part
        Thumbnails, shape (m, side, side), ``side`` a multiple of `FINE_SIDE`.
    whole_head, part_head
        Where the heads are, see `find_heads`, shape (m, `FINE_SIDE`, `FINE_SIDE`).
    frame
        Roughly where each part lies in its whole, shape (m, 4).
    """
    if not len(whole):
        return np.empty(0, dtype=np.float32)
    wholes, parts = whole.astype(np.float32), _smooth(_shrink(part, FINE_SIDE))
    frame = refine(wholes, parts, frame, FINE_STEPS)
    seen = _smooth(cut_out(wholes, frame, FINE_SIDE))
    return _compare(seen, parts, find_common(whole_head, part_head, frame, FINE_SIDE))


def _correlate(one: Singles, other: Singles, weight: Singles) -> Singles:
    total = np.maximum(weight.sum(axis=(1, 2)), 1)
    one, other = (
        weight * (picture - ((weight * picture).sum(axis=(1, 2)) / total)[:, np.newaxis, np.newaxis])
        for picture in (one, other)
    )
    length = np.sqrt((one**2).sum(axis=(1, 2)) * (other**2).sum(axis=(1, 2)))
    product: Singles = (one * other).sum(axis=(1, 2)) / np.maximum(length, np.float32(1e-6))
    return product


def _shrink(pictures: NDArray[np.uint8], side: int) -> Singles:
    """Return the pictures averaged to ``side``, which divides their own."""
    factor = pictures.shape[1] // side
    shape = (len(pictures), side, factor, side, factor)
    small: Singles = pictures.reshape(shape).mean(axis=(2, 4), dtype=np.float32)
    return small


def _smooth(pictures: Singles) -> Singles:
    """Return the pictures without what half a pixel of misalignment would change."""
    smooth: Singles = ndimage.gaussian_filter(pictures, (0, 0.5, 0.5))
    return smooth


def _compare(one: Singles, other: Singles, weight: Singles) -> Singles:
    """Return what no curve of one picture's grey values explains of the other, shape (m,)."""
    if not len(one):
        return np.empty(0, dtype=np.float32)
    # A curve that clips has no way back, so the better of the two directions counts.
    difference: Singles = np.minimum(_leave_over(one, other, weight), _leave_over(other, one, weight))
    return difference


def _leave_over(one: Singles, other: Singles, weight: Singles) -> Singles:
    """Return what the best curve of ``one`` leaves over of ``other``, in standard deviations, shape (m,)."""
    rest = np.stack([w * (b - fit_curve(a, b, w)) for a, b, w in zip(one, other, weight, strict=True)])
    spread = np.maximum(other.std(axis=(1, 2)), np.float32(1e-3))
    broad = ndimage.gaussian_filter(rest, (0, BROAD_SIGMA, BROAD_SIGMA))
    local = ndimage.gaussian_filter(rest, (0, LOCAL_SIGMA, LOCAL_SIGMA))
    worst = np.percentile(np.abs(local), LOCAL_PERCENTILE, axis=(1, 2))
    left_over: Singles = ((broad.std(axis=(1, 2)) + LOCAL_SHARE * worst) / spread).astype(np.float32)
    return left_over


def fit_curve(one: Singles, other: Singles, weight: Singles) -> Singles:
    """Return the curve of ``one`` that comes nearest to ``other``, in the shape of both.

    The curve is linear between `CURVE_KNOTS` knots and fitted by least squares, each pixel with its
    ``weight``.
    """
    low, high = float(one.min()), float(one.max())
    position = (one.ravel() - low) / max(high - low, 1e-6) * (CURVE_KNOTS - 1)
    left = np.minimum(position.astype(np.int64), CURVE_KNOTS - 2)
    right_weight = position - left
    left_weight = 1 - right_weight

    pixel_weight = weight.ravel()
    wanted = pixel_weight * other.ravel()

    def total(values: NDArray[np.floating], knots: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.bincount(knots, weights=values, minlength=CURVE_KNOTS).astype(np.float64)

    diagonal = total(pixel_weight * left_weight**2, left) + total(pixel_weight * right_weight**2, left + 1)
    beside = total(pixel_weight * left_weight * right_weight, left)[:-1]
    sums = total(left_weight * wanted, left) + total(right_weight * wanted, left + 1)
    bend = np.diff(np.eye(CURVE_KNOTS), n=2, axis=0)
    normal = np.diag(diagonal + 1e-6) + np.diag(beside, 1) + np.diag(beside, -1)
    heights = np.linalg.solve(normal + CURVE_STIFFNESS * bend.T @ bend, sums)
    fitted: Singles = (left_weight * heights[left] + right_weight * heights[left + 1]).reshape(one.shape)
    return fitted.astype(np.float32)


def find_heads(pictures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the largest bright region of each picture, and what it surrounds, shape (n, row, column)."""
    heads = np.empty(pictures.shape, dtype=np.bool_)
    for picture, head in zip(pictures, heads, strict=True):
        low, high = np.percentile(picture, (AIR_PERCENTILE, BRIGHT_PERCENTILE))
        labels, n_regions = ndimage.label(picture > low + AIR_LIMIT * (high - low))
        if n_regions > 1:
            sizes = np.bincount(labels.ravel())
            sizes[0] = 0
            labels = labels == sizes.argmax()
        head[:] = ndimage.binary_fill_holes(labels)
    return heads


def find_common(whole: NDArray[np.bool_], part: NDArray[np.bool_], frame: Singles, side: int) -> Singles:
    """Return 1 where a whole and its part both show the head, and 0 elsewhere.

    Pairs in which hardly anything is common are compared everywhere.

    Parameters
    ----------
    whole, part
        Where the heads are, shape (m, s, s).
    frame
        Where the parts lie in the wholes, shape (m, 4).

    Returns
    -------
    Shape (m, side, side), in the parts' frame.
    """
    everything = np.tile(np.array([0, 1, 0, 1], dtype=np.float32), (len(part), 1))
    common = cut_out(whole.astype(np.float32), frame, side) >= _HALF
    common &= cut_out(part.astype(np.float32), everything, side) >= _HALF
    common[common.mean(axis=(1, 2)) < MIN_HEAD] = True
    return common.astype(np.float32)
