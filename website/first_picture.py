"""Draw the README's first picture: a phantom before and after contrast, with the answers and their evidence.

Run from the repository's root, again whenever another default bundle ships::

    python -m website.first_picture

The phantom is the one of the README's commands, the answers and the evidence are the default bundle's. The
picture says in its metadata which bundle that was; a test compares.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import gadoscope as gs
from gadoscope.classification.explained import ExplainedSeries, explain_scan
from gadoscope.evidence.state import HeaderState
from gadoscope.files import write_beside
from gadoscope.markup import BAND_COLOUR, POST_COLOUR, PRE_COLOUR
from gadoscope.report.pictures import tint

OUTPUT = Path("docs/images/before-and-after.webp")
SEED, SLICES = 2, 12
"""Of the phantom in the README; chosen for a midline slice, not for its answers."""
SIDE, GAP, MARGIN, FOOT = 330, 6, 26, 104
"""Pixels, at twice the width at which a page of 700 shows the picture."""
PAPER, INK, SOFT = "#10161f", "#f2f5f8", "#aab6c4"
"""A card of its own: on a light page and on a dark one it looks the same."""
RADIUS, QUALITY = 22, 88
DESCRIPTION = 0x010E
"""ImageDescription, of TIFF and so of EXIF: holds the id of the bundle."""


def explain_phantom() -> tuple[str, list[ExplainedSeries]]:
    """Return the bundle's id, and the series before and after contrast with their evidence."""
    with tempfile.TemporaryDirectory() as folder, gs.Classifier() as classifier:
        scan = Path(folder) / "my_scan"
        gs.make_phantom(scan, form="dicom", subjects=1, seed=SEED, slices=SLICES)
        series = explain_scan(scan, classifier)
    return classifier.bundle.model_id, sorted(series, key=lambda one: one.result.header_state)[::-1]


def draw(series: Sequence[ExplainedSeries]) -> Image.Image:
    """Return the card: of each series a slice, the slice with its evidence, and the answer below them."""
    half = 2 * SIDE + GAP
    size = (2 * half + 3 * MARGIN, MARGIN + SIDE + FOOT)
    card = Image.new("RGBA", size)
    ImageDraw.Draw(card).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), RADIUS, fill=PAPER)
    strongest = max(one.strongest for one in series)
    shown = _find_most_changed(*series)
    for number, one in enumerate(series):
        left = MARGIN + number * (half + MARGIN)
        slice_ = one.slices[shown]
        for place, tile in enumerate(
            (Image.fromarray(slice_.pixels), tint(slice_.pixels, slice_.evidence, strongest))
        ):
            grown = tile.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            card.paste(grown, (left + place * (SIDE + GAP), MARGIN))
        _draw_answer(ImageDraw.Draw(card), one, left, half)
    return card


def _find_most_changed(before: ExplainedSeries, after: ExplainedSeries) -> int:
    """Return which of the slices contrast changed most: near the midline, where the sinuses are."""
    pairs = zip(before.slices, after.slices, strict=True)
    changes = [np.abs(two.pixels.astype(float) - one.pixels).mean() for one, two in pairs]
    return int(np.argmax(changes))


def _draw_answer(pen: ImageDraw.ImageDraw, one: ExplainedSeries, left: int, width: int) -> None:
    """Write the answer below its slices, and where its probability lies between 0 and 1."""
    top, line = MARGIN + SIDE + 12, 82
    moment = "after" if one.result.header_state == HeaderState.ADMINISTERED else "before"
    said = f"{one.result.phase}  P(post) {one.result.probability:.3f}"
    font = ImageFont.load_default(38)
    pen.text((left, top), moment, fill=SOFT, font=font)
    pen.text((left + width, top), said, fill=INK, font=font, anchor="ra")
    y = MARGIN + SIDE + line
    ends = (left + 10, left + width - 10)
    probability = one.result.probability or 0.0
    at = ends[0] + probability * (ends[1] - ends[0])
    middle = (ends[0] + ends[1]) / 2
    pen.line((ends[0], y, middle, y), fill=PRE_COLOUR, width=8)
    pen.line((middle, y, ends[1], y), fill=POST_COLOUR, width=8)
    pen.ellipse((at - 11, y - 11, at + 11, y + 11), fill=INK, outline=BAND_COLOUR)


def main() -> None:
    """Make the picture."""
    model_id, series = explain_phantom()
    card = draw(series)
    told = Image.Exif()
    told[DESCRIPTION] = model_id
    with write_beside(OUTPUT) as beside:
        card.save(beside, format="WEBP", quality=QUALITY, method=6, exif=told)
    print(f"{OUTPUT}: {OUTPUT.stat().st_size:,} bytes, of {model_id}")


if __name__ == "__main__":
    main()
