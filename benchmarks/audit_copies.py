"""Whether the audit finds every copy, accuses the innocent, and how long it takes.

    python -m benchmarks.audit_copies --subjects 60 --images 10000

Phantom heads are made, and of some of their slices a copy is saved as archives make them: resized,
compressed again, cut at the borders, brightened. Counted are the copies that were found by kind, and
the pairs that are none: slices of one head 1 mm apart, and the same slice before and after contrast.
The time is that of comparing `--images` pictures, all with all.
"""

import io
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.table import Row, begin_parser, finish
from gadoscope.parallel import count_jobs
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.physics.acquire import window
from gadoscope.preparation.copies.fingerprint import find_suspects
from gadoscope.preparation.copies.pixel_check import find_copies
from gadoscope.preparation.copies.thumbnail import shrink

Pixels = NDArray[np.uint8]
SEED = 4
SLICES = 28
"""Over 28 mm near the midline: neighbours are 1 mm apart."""
COPIES_EACH = 40


def as_jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Return the slice after JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def resized(pixels: Pixels, factor: float, how: Image.Resampling = Image.Resampling.BICUBIC) -> Pixels:
    """Return the slice at another size."""
    rows, columns = pixels.shape
    return np.asarray(Image.fromarray(pixels).resize((round(columns * factor), round(rows * factor)), how))


def cut(pixels: Pixels, share: NDArray[np.float64]) -> Pixels:
    """Return the slice without ``share`` of its top, bottom, left and right."""
    rows, columns = pixels.shape
    top, bottom = round(share[0] * rows), rows - round(share[1] * rows)
    left, right = round(share[2] * columns), columns - round(share[3] * columns)
    return pixels[top:bottom, left:right]


def toned(pixels: Pixels, gain: float, offset: float) -> Pixels:
    """Return the slice with another contrast and brightness."""
    changed: Pixels = np.clip(np.rint(pixels * gain + offset), 0, 255).astype(np.uint8)
    return changed


def kinds(generator: np.random.Generator) -> dict[str, Callable[[Pixels], Pixels]]:
    """Return how copies are made, by name."""
    tenth = np.full(4, 0.1)
    return {
        "JPEG, quality 90": lambda pixels: as_jpeg(pixels, 90),
        "JPEG, quality 30": lambda pixels: as_jpeg(pixels, 30),
        "half the size": lambda pixels: resized(pixels, 0.5),
        "1.5 times the size": lambda pixels: resized(pixels, 1.5),
        "0.7 times, nearest pixel": lambda pixels: resized(pixels, 0.7, Image.Resampling.NEAREST),
        "borders cut by 10 %": lambda pixels: cut(pixels, tenth),
        "borders cut by 0 to 10 %": lambda pixels: cut(pixels, generator.uniform(0, 0.1, 4)),
        "brighter by 30": lambda pixels: toned(pixels, 1.0, 30),
        "0.6 of the contrast": lambda pixels: toned(pixels, 0.6, 0),
        "1.25 of the contrast": lambda pixels: toned(pixels, 1.25, -10),
        "1.4 of the contrast, clipped": lambda pixels: toned(pixels, 1.4, -20),
        "cut, halved, dimmed, JPEG 75": lambda pixels: as_jpeg(
            toned(resized(cut(pixels, tenth), 0.5), 0.8, 15), 75
        ),
    }


def make_slices(n_subjects: int) -> Iterator[Pixels]:
    """Yield every slice of both phases of each subject."""
    cohort = Cohort(subjects=n_subjects, seed=SEED, slices=SLICES)
    for number in cohort.numbers:
        done = scan(cohort, number)
        for series in done.series:
            for signal in series.signal:
                yield window(signal, done.scanner)


def measure_recall(originals: list[Pixels]) -> list[Row]:
    """Return how many copies of each kind are found, and how many pairs are none."""
    generator = np.random.default_rng(SEED)
    thumbnails = [shrink(pixels) for pixels in originals]
    true: dict[tuple[int, int], str] = {}
    for name, copy in kinds(generator).items():
        for index in generator.choice(len(originals), COPIES_EACH, replace=False).tolist():
            true[index, len(thumbnails)] = name
            thumbnails.append(shrink(copy(originals[index])))
    stacked = np.stack(thumbnails)
    pairs = {(min(pair), max(pair)) for pair in find_copies(stacked, find_suspects(stacked)).tolist()}
    source = {copy: original for original, copy in true}
    found = Counter(name for pair, name in true.items() if pair in pairs)
    # Two copies of one slice, and a copy and the slice, are copies of each other.
    false = [pair for pair in pairs if source.get(pair[0], pair[0]) != source.get(pair[1], pair[1])]
    touched = {index for pair in false for index in pair}
    return [
        *(Row(f"copies found: {name}", "", f"{found[name]} of {COPIES_EACH}") for name in kinds(generator)),
        Row(
            f"false alarms among {len(originals)} slices, {SLICES} a volume, 1 mm apart",
            "",
            f"{len(false)} pairs, {len(touched)} of {len(stacked)} images",
        ),
    ]


def measure_time(originals: list[Pixels], n_images: int) -> list[Row]:
    """Return the seconds that comparing ``n_images`` pictures takes."""
    generator = np.random.default_rng(SEED)
    base = np.stack([shrink(pixels) for pixels in originals])
    chosen = base[generator.integers(0, len(base), n_images)]
    shifts = generator.integers(-20, 21, (n_images, 2))  # other heads, not copies: further than any cut
    images = np.stack([np.roll(one, shift, axis=(0, 1)) for one, shift in zip(chosen, shifts, strict=True)])
    start = time.perf_counter()
    suspects = find_suspects(images)
    middle = time.perf_counter()
    find_copies(images, suspects)
    end = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    parts = f"{len(suspects.whole)} suspects in {middle - start:.1f} s, checked in {end - middle:.1f} s"
    return [
        Row(f"compare {n_images:,} images, {count_jobs(0)} cores", "", f"{end - start:.1f} s: {parts}"),
        Row("most memory", "", f"{memory:.0f} MB"),
    ]


def main() -> None:
    """Run both measurements."""
    parser = begin_parser(__doc__)
    parser.add_argument("--subjects", type=int, default=20)
    parser.add_argument("--images", type=int, default=10_000)
    arguments = parser.parse_args()
    originals = list(make_slices(arguments.subjects))
    finish(measure_recall(originals) + measure_time(originals, arguments.images), arguments.rows)


if __name__ == "__main__":
    main()
