"""Put phantom slices beside real ones: makes docs/images/phantom-beside-real.png.

Run from the repository's root, with the folder of real images as the only argument::

    python -m benchmarks.phantom_beside_real ../shared/data

The real slices are few, from sources under CC BY, shrunk, and named in the picture.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gadoscope.files import write_beside
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.physics.acquire import window

OUTPUT = Path("docs/images/phantom-beside-real.png")
SIDE, CAPTION, MARGIN = 300, 22, 6
COHORT = Cohort(subjects=60, seed=1, slices=7, lesions=0.0)
# Subject and slice; chosen for a slice near the midline, not for the best likeness.
PHANTOMS = ((4, 3), (11, 3))
REAL = (
    ("tcga-lgg/sagittal/TCGA_HT_A61A_20000127_T1pre_sag1.png", "real, pre-contrast: TCGA-LGG"),
    ("figshare-cheng/sagittal/2994.jpg", "real, post-contrast: Cheng"),
    ("tcga-lgg/sagittal/TCGA_HT_7881_19981015_T1pre_sag1.png", "real, pre-contrast: TCGA-LGG"),
    ("tcga-lgg/sagittal/TCGA_HT_7881_19981015_T1post_sag1.png", "the same patient, post-contrast"),
)
ATTRIBUTION = (
    "Real slices: Cheng J, Brain tumor dataset, figshare 2017, doi:10.6084/m9.figshare.1512427, CC BY 4.0; "
    "TCGA-LGG, The Cancer",
    "Imaging Archive, CC BY 3.0, reformatted. All resized. The phantoms are computed; no patient is in them.",
)


def phantom_tiles() -> list[tuple[NDArray[np.uint8], str]]:
    """Return slices of synthetic heads, before and after contrast, with captions."""
    tiles = []
    for number, index in PHANTOMS:
        done = scan(COHORT, number)
        kind = done.scanner.timing.sequence.replace("_", " ")
        field = done.scanner.field_strength_t
        for series in done.series:
            moment = "pre" if series is done.series[0] else "post"
            caption = f"phantom, {moment}-contrast: {kind}, {field} T"
            tiles.append((window(series.signal[index], done.scanner), caption))
    return tiles


def real_tiles(data: Path) -> list[tuple[NDArray[np.uint8], str]]:
    """Return the real slices with captions."""
    tiles = []
    for name, caption in REAL:
        with Image.open(data / name) as image:
            tiles.append((np.asarray(image.convert("L")), caption))
    return tiles


def draw(
    tiles: Sequence[tuple[NDArray[np.uint8], str]], columns: int, attribution: Sequence[str]
) -> Image.Image:
    """Return the tiles in rows, each over its caption, and the attribution below."""
    rows = -(-len(tiles) // columns)
    line = 16
    width = columns * (SIDE + MARGIN) + MARGIN
    height = rows * (SIDE + CAPTION + MARGIN) + MARGIN + line * len(attribution) + MARGIN
    sheet = Image.new("L", (width, height), 255)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for position, (pixels, caption) in enumerate(tiles):
        left = MARGIN + position % columns * (SIDE + MARGIN)
        top = MARGIN + position // columns * (SIDE + CAPTION + MARGIN)
        tile = Image.new("L", (SIDE, SIDE), 0)
        slice_image = Image.fromarray(pixels)
        scale = SIDE / max(slice_image.size)
        size = (round(slice_image.width * scale), round(slice_image.height * scale))
        shown = slice_image.resize(size, Image.Resampling.BICUBIC)
        tile.paste(shown, ((SIDE - shown.width) // 2, (SIDE - shown.height) // 2))
        sheet.paste(tile, (left, top))
        pen.text((left, top + SIDE + 3), caption, fill=0, font=font)
    for number, text in enumerate(attribution):
        top = height - MARGIN - line * (len(attribution) - number)
        pen.text((MARGIN, top), text, fill=60, font=font)
    return sheet


def main() -> None:
    """Make the picture."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and its one argument
        sys.exit("usage: python -m benchmarks.phantom_beside_real FOLDER_OF_REAL_IMAGES")
    sheet = draw(phantom_tiles() + real_tiles(Path(sys.argv[1])), columns=4, attribution=ATTRIBUTION)
    with write_beside(OUTPUT) as beside:
        sheet.save(beside, format="PNG", optimize=True)
    print(OUTPUT)


if __name__ == "__main__":
    main()
