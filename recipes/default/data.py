"""The manifest that the default model is trained on: what its licences allow, and phantoms beside it.

    python -m recipes.default.data --data ../shared/data/manifest.csv --output runs/default-data

Takes of a manifest of public images what may teach (`recipes.default.sources`) and leaves out what cannot
be read; `--without vqamed2019` builds the model without a source that somebody may not ship. Cuts the volumes
that were scanned before and after contrast into coronal and sagittal slices, the only such pairs. Takes the
enhancement out of the images of the hospital that has only post-contrast ones
(`recipes.default.subtraction`, 3 minutes on two cores), and gives enhancement to those of the hospitals that
have only pre-contrast ones (`recipes.default.transplant`). Takes skulls and faces from some of all of these
(`recipes.default.bare_brains`). Turns T1 slices of three planes into FLAIR and T2, for the gate
(`recipes.default.other_contrasts`, 3 more). Adds phantom slices in three planes: T1 before and after
contrast, and other contrasts, labelled other; with `--hard` those of the second stage beside them
(`recipes.default.hard_heads`). Writes `manifest.csv` and `recipe.toml`, the stage's config without the shares
of what there is nothing of. Then `gadoscope train DATA/recipe.toml --data DATA/manifest.csv` reads both.
"""

import argparse
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image

from gadoscope.errors import InputError
from gadoscope.files import write_text
from gadoscope.imaging.foreground import find_foreground
from gadoscope.labels import Plane
from gadoscope.parallel import count_jobs
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.forms.write import Form, write_cohort
from gadoscope.phantom.physics.contrasts import Contrast
from gadoscope.preparation.manifest import Item, Manifest, read_manifest, write_manifest
from gadoscope.reading.images import read_slice
from gadoscope.training.config import TrainingConfig, format_config, read_config
from gadoscope.training.shipped import CONFIGS
from recipes.default.bare_brains import BARE_SOURCE, make_bare
from recipes.default.hard_heads import FAT_GAIN, HARD_SOURCE, LESIONS, make_hard
from recipes.default.other_contrasts import read_flair_pairs, simulate_others, train_flair
from recipes.default.pairs import read_pairs
from recipes.default.sources import FAMILIES, SOURCES, choose_public, hold_out_half, name_kind
from recipes.default.subtraction import simulate_pairs, train_subtraction
from recipes.default.transplant import find_donors, simulate_enhanced
from recipes.default.unet import keep_network

CONFIG = CONFIGS / "default.toml"
SECOND_STAGE = Path(__file__).parent / "second_stage.toml"
"""What trains on it, and goes on with hard heads."""
VOLUME_SOURCE, REFORMATTED_SOURCE = "tcga-lgg-volume", "tcga-lgg-reformatted"
PAIRED_SOURCES = ("tcga-lgg", "tcga-lgg-sagittal", REFORMATTED_SOURCE)
POST_SOURCE, SUBTRACTED_SOURCE = "figshare-cheng", "figshare-cheng-subtracted"
PRE_SOURCE, ENHANCED_SOURCE = "ixi", "ixi-enhanced"
ENHANCED_PLANES = (Plane.SAGITTAL, Plane.CORONAL)
"""Axial pairs are at hand; made ones gained nothing there."""
SUBTRACTION_SEED = 1
FLAIR_SOURCE, T1_OF_FLAIR, TURNED_SOURCE = "tcga-lgg-flair", "tcga-lgg", "simulated"
TURNED_STEPS = {"ixi": 1, "figshare-cheng": 2, "tcga-lgg": 2}
"""Sources of three planes, and of slices from the base of the skull to the vertex; every so many of each are
turned into FLAIR or T2."""
OTHERS_SEED = 1
BARE_STEP, BARE_SEED = 5, 1
"""Every so-many-th place of each source is also written without skull or face; of the two hospitals that have
one label what is made of them, where each place has both."""
RECIPE_NAME = "recipe.toml"
THROUGH_AXIS = {Plane.CORONAL: 1, Plane.SAGITTAL: 0}
"""Axis of a stack (left, posterior, superior) along which its slices of a plane follow each other."""
MIN_STACK = 30
"""Slices below which a reformatted head is too coarse to look like an image."""
N_REFORMATTED = 16
REFORMATTED_EXTENT = 0.7
"""Of the head: further out there is little brain."""
STACK_HEIGHT = 0.7
"""Of the field of view, about 24 cm: the slices' distance is not known, and stacks cover 16 to 18 cm."""
PLANES = (Plane.SAGITTAL, Plane.AXIAL, Plane.CORONAL)
PHANTOM_SEED = 2026
PHANTOM_SUBJECTS = 30
"""Of each plane: so many that no head is learnt by heart at one draw of twenty."""
PHANTOM_SLICES = 4


def main() -> None:
    """Make the phantoms and write the manifest."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="manifest of the public images")
    parser.add_argument("--output", type=Path, required=True, help="a new folder")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="SOURCE",
        help=f"use nothing of this source, or of a whole family: {', '.join(FAMILIES)}",
    )
    parser.add_argument(
        "--hold-out-half", metavar="SOURCE", help="every second subject of it is test, to be judged on"
    )
    parser.add_argument(
        "--other-half", action="store_true", help="with --hold-out-half: the subjects that it would keep"
    )
    parser.add_argument(
        "--make-nothing-of", choices=SOURCES, help="for a network that is to be judged on this source"
    )
    parser.add_argument("--hard", action="store_true", help=f"for the second stage: add {HARD_SOURCE}")
    parser.add_argument("--networks", type=Path, help="keep what simulates here, and use it again")
    parser.add_argument(
        "--thin", type=int, default=1, metavar="N", help="make every N-th of what is made: a quick look"
    )
    arguments = parser.parse_args()
    networks, thin = arguments.networks, arguments.thin
    listed = read_manifest(arguments.data).items
    public = [item for item in choose_public(listed, without=arguments.without) if is_readable(item)]
    stacks = [item for item in listed if item.source == VOLUME_SOURCE]
    items = [*public, *(row for stack in stacks for row in reformat_stack(stack, arguments.output))]
    used = [item for item in items if item.source != arguments.make_nothing_of]
    items += simulate_labels(used, arguments.output, networks=networks, thin=thin)
    paired = [item for item in items if item.source not in (POST_SOURCE, PRE_SOURCE)]
    items += make_bare(paired, folder=arguments.output / BARE_SOURCE, every=BARE_STEP, seed=BARE_SEED)
    items += turn_others(used, arguments.output, networks=networks, thin=thin)
    for number, plane in enumerate(PLANES):
        folder = arguments.output / f"phantom-{plane.value}"
        items += make_phantoms(folder, plane, PHANTOM_SEED + number, PHANTOM_SUBJECTS // thin)
    if arguments.hard:
        items += make_hard(arguments.output / HARD_SOURCE, thin=thin)
    if arguments.hold_out_half:
        items = hold_out_half(items, arguments.hold_out_half, other=arguments.other_half)
    items = [name_kind(item) for item in items]
    path = arguments.output / "manifest.csv"
    write_manifest(Manifest(tuple(items), path), path)
    config = read_config(SECOND_STAGE if arguments.hard else CONFIG)
    write_text(arguments.output / RECIPE_NAME, format_config(fit_recipe(config, items)))
    print(f"{path}: {len(items)} images")


def fit_recipe(config: TrainingConfig, items: Sequence[Item]) -> TrainingConfig:
    """Return the recipe without the shares, and the threshold's sources, of what there is nothing of."""
    there = {item.source for item in items}
    sampling, gate = config.sampling, config.gate
    sources = tuple(source for source in config.operating_point.sources if source in there)
    return config.with_values(
        sampling=replace(sampling, shares=_keep_shares(sampling.shares, there)),
        gate=replace(gate, shares=_keep_shares(gate.shares, there)),
        operating_point=replace(config.operating_point, sources=sources),
    )


def _keep_shares(shares: Mapping[str, float], there: Container[str]) -> dict[str, float]:
    kept = {source: share for source, share in shares.items() if source in there}
    total = sum(shares.values()) / (sum(kept.values()) or 1)
    return {source: share * total for source, share in kept.items()}


def is_readable(item: Item) -> bool:
    """Return whether an image can be looked at; two of TCGA-LGG's are blank."""
    try:
        read_slice(item.path)
    except InputError as error:
        print(f"left out: {item.path.name} ({error.reason})")
        return False
    return True


def reformat_stack(volume: Item, output: Path) -> list[Item]:
    """Write slices of an axial stack in the other planes and return their rows; of a coarse stack none.

    The two stacks of a pair are cut at nearly the same places: their heads are found one by one.
    """
    voxels = np.asarray(
        nib.nifti1.Nifti1Image.from_filename(volume.path).dataobj
    )  # left, posterior, superior; uint8
    n_slices = voxels.shape[2]
    if n_slices < MIN_STACK:
        return []
    head = find_foreground(np.ascontiguousarray(voxels[:, :, n_slices // 2])).box
    items = []
    for plane, axis in THROUGH_AXIS.items():
        low, high = ((head.top, head.bottom), (head.left, head.right))[axis]
        margin = (1 - REFORMATTED_EXTENT) / 2 * (high - low)
        folder = output / REFORMATTED_SOURCE / plane.value
        folder.mkdir(parents=True, exist_ok=True)
        size = (voxels.shape[1 - axis], round(STACK_HEIGHT * voxels.shape[1 - axis]))
        for place in np.linspace(low + margin, high - margin, N_REFORMATTED).round().astype(int):
            slice_ = np.flipud(voxels.take(place, axis).T)
            path = folder / f"{volume.path.name.split('.')[0]}_{place:03}.png"
            Image.fromarray(np.ascontiguousarray(slice_)).resize(size, Image.Resampling.BICUBIC).save(path)
            items.append(replace(volume, path=path, plane=plane, source=REFORMATTED_SOURCE, split=None))
    return items


def simulate_labels(
    items: Sequence[Item], output: Path, *, networks: Path | None = None, thin: int = 1
) -> list[Item]:
    """Write what the hospitals with one label would have scanned of the other, and return the rows.

    Every second patient teaches the subtraction and gives enhancement. Figures of the others owe it nothing.
    """
    teaching = choose_teaching(items)
    network = keep_network(
        networks and networks / "subtraction.safetensors",
        lambda: train_subtraction(read_pairs(teaching), seed=SUBTRACTION_SEED),
    )
    posts = of_source(items, POST_SOURCE)[::thin]
    subtracted = simulate_pairs(
        network, posts, folder=output / SUBTRACTED_SOURCE, source=SUBTRACTED_SOURCE, seed=SUBTRACTION_SEED
    )
    enhanced = simulate_enhanced(
        find_donors(in_enhanced_planes(teaching), network, in_enhanced_planes(posts)),
        in_enhanced_planes(of_source(items, PRE_SOURCE))[::thin],
        folder=output / ENHANCED_SOURCE,
        source=ENHANCED_SOURCE,
        seed=SUBTRACTION_SEED,
    )
    return subtracted + enhanced


def in_enhanced_planes(items: Sequence[Item]) -> list[Item]:
    """Return the images of the planes in which pre-contrast slices are given enhancement."""
    return [item for item in items if item.plane in ENHANCED_PLANES]


def choose_teaching(items: Sequence[Item]) -> list[Item]:
    """Return the images of the paired sources whose patients teach the subtraction."""
    paired = [item for item in items if item.source in PAIRED_SOURCES]
    teachers = list_teachers(item.subject_id for item in paired if item.subject_id is not None)
    return [item for item in paired if item.subject_id in teachers]


def list_teachers(subjects: Iterable[str]) -> frozenset[str]:
    """Return which patients of the paired sources teach the subtraction."""
    return frozenset(sorted(set(subjects))[::2])


def turn_others(
    items: Sequence[Item], output: Path, *, networks: Path | None = None, thin: int = 1
) -> list[Item]:
    """Write slices of three planes as FLAIR and T2, and return the rows, labelled other."""
    t1, flair = of_source(items, T1_OF_FLAIR), of_source(items, FLAIR_SOURCE)
    network = keep_network(
        networks and networks / "flair.safetensors",
        lambda: train_flair(read_flair_pairs(t1, flair), seed=OTHERS_SEED),
    )
    steps = {source: thin * step for source, step in TURNED_STEPS.items()}
    return simulate_others(
        network,
        [item for source, step in steps.items() for item in of_source(items, source)[::step]],
        folder=output / TURNED_SOURCE,
        source=TURNED_SOURCE,
        seed=OTHERS_SEED,
    )


def of_source(items: Sequence[Item], source: str) -> list[Item]:
    """Return the images of one source."""
    return [item for item in items if item.source == source]


def make_phantoms(folder: Path, plane: Plane, seed: int, subjects: int) -> list[Item]:
    """Write phantom slices of every contrast and return their rows, none of them in a split yet."""
    cohort = Cohort(
        subjects=subjects,
        seed=seed,
        slices=PHANTOM_SLICES,
        plane=plane,
        lesions=LESIONS,
        brain=True,
        fat_gain=FAT_GAIN,
    )
    write_cohort(cohort, folder, form=Form.PNG, contrasts=tuple(Contrast), jobs=count_jobs(0))
    return [
        replace(item, subject_id=f"{plane.value}-{item.subject_id}", split=None)
        for item in read_manifest(folder).items
    ]


if __name__ == "__main__":
    main()
