"""Which images the default model was made from, for the file beside its bundle.

    python -m recipes.default.images --data ../shared/data/manifest.csv

Lists the images that `recipes.default.data` takes from the manifest and the slices it cuts from volumes,
each by eight bytes of its SHA-256 and a print of the picture. What it simulates from these is left out,
since nobody else has it, and so are its phantoms. Takes a minute and needs no training; a bundle that
`gadoscope train` makes holds its own list.
"""

import argparse
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from gadoscope.files import write_text
from gadoscope.inference.default import DEFAULT_BUNDLE, IMAGES_SUFFIX
from gadoscope.parallel import map_in_order
from gadoscope.preparation.manifest import Item, read_manifest
from gadoscope.preparation.picture_print import print_picture
from gadoscope.preparation.training_images import TrainingImages
from gadoscope.reading.images import read_slice
from recipes.default.data import VOLUME_SOURCE, is_readable, reformat_stack
from recipes.default.sources import choose_public


def main() -> None:
    """Write the list beside the bundle."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="manifest of the public images")
    parser.add_argument("--bundle", type=Path, default=DEFAULT_BUNDLE)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        images = list_images(collect(arguments.data, Path(folder)))
    path = arguments.bundle.with_suffix(IMAGES_SUFFIX)
    digest = hashlib.sha256(arguments.bundle.read_bytes()).hexdigest()
    write_text(path, json.dumps({"bundle_sha256": digest, "images": images.to_dict()}) + "\n")
    print(f"{path}: {images.n_images:,} images, {path.stat().st_size:,} bytes")


def collect(data: Path, folder: Path) -> list[Item]:
    """Return the readable images of the recipe, with those it cuts, which go into ``folder``."""
    listed = read_manifest(data).items
    items = [item for item in choose_public(listed) if is_readable(item)]
    for volume in listed:
        if volume.source == VOLUME_SOURCE:
            items += reformat_stack(volume, folder)
    return items


def list_images(items: Iterable[Item]) -> TrainingImages:
    """Return what a bundle keeps of these images."""
    return TrainingImages.from_pairs(map_in_order(_print, list(items), 0))


def _print(item: Item) -> tuple[str, bytes]:
    digest = hashlib.sha256(item.path.read_bytes()).hexdigest()
    return digest, print_picture(read_slice(item.path).pixels)


if __name__ == "__main__":
    main()
