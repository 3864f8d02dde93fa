"""Which anatomy the evidence points at, where the truth is known: on phantom heads.

    python -m benchmarks.saliency_regions demo/run/model.onnx --picture docs/images/evidence.png

Every voxel of a phantom has a name, and the same head is there before and after contrast. So it can be
asked what no patient can tell: how far the logit falls if the contrast is taken out of one region and the
rest of the slice stays. Beside that stand the shares of the evidence that occlusion and Grad-CAM place in
the region, and its share of the slice's area; and how often a method's strongest evidence lies on the region
whose contrast moves this slice's answer most. Then each method is asked for the maps of networks that
learned nothing: a method whose maps stay the same shows the image, not the network.

References
----------
Zhang et al., Top-down neural attention by excitation backprop, ECCV 2016: the pointing game
"""

import argparse
import base64
import io
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import distance_transform_edt
from scipy.stats import spearmanr

from gadoscope.explanation.cut import N_STAGES, receptive_field
from gadoscope.explanation.explain import explain_case, load_network
from gadoscope.explanation.gradcam import (
    RANDOM_SEEDS,
    STAGE,
    grad_cam,
    similarity,
    similarity_with_random_weights,
    spread,
)
from gadoscope.explanation.occlusion import STRIDE, occlude
from gadoscope.files import write_beside
from gadoscope.inference.session import Session
from gadoscope.labels import Phase
from gadoscope.models.registry import build_network
from gadoscope.models.siim import Siim
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.head.regions import INTACT_BARRIER, Region
from gadoscope.phantom.physics.acquire import window
from gadoscope.phantom.physics.scanner import Scanner
from gadoscope.report.pictures import overlay, picture
from gadoscope.training.export import export_bundle

SEED = 77
"""Of the cohort: other heads than those of the demo, which has seed 1."""
SLICES = 3
PICTURED = 1
"""Heads in the picture, each before and after contrast."""
SANITY_SLICES = 12

GROUPS: Mapping[str, tuple[Region, ...]] = {
    "veins, sinuses, arteries": (
        Region.DURAL_SINUS,
        Region.CAVERNOUS_SINUS,
        Region.DEEP_VEIN,
        Region.CORTICAL_VESSEL,
        Region.ARTERY,
    ),
    "mucosa and cartilage": (Region.MUCOSA, Region.CARTILAGE),
    "pituitary and pineal gland": (
        Region.ANTERIOR_PITUITARY,
        Region.POSTERIOR_PITUITARY,
        Region.PINEAL_GLAND,
    ),
    "choroid plexus": (Region.CHOROID_PLEXUS,),
    "lesion, enhancing": (Region.LESION_SOLID, Region.LESION_RIM),
    "dura": (Region.DURA,),
    "muscle, tongue, glands": (Region.MUSCLE, Region.TONGUE, Region.GLAND, Region.EXTRAOCULAR_MUSCLE),
    "skin": (Region.SKIN,),
    "fat": (Region.FAT,),
    "marrow": (Region.MARROW, Region.FATTY_MARROW, Region.RED_MARROW),
    "brain behind its barrier": tuple(sorted(INTACT_BARRIER)),
    "fluid, bone, disc, lens": (
        Region.CSF,
        Region.VENTRICLE,
        Region.VITREOUS,
        Region.BONE,
        Region.DISC,
        Region.LENS,
        Region.LESION_CORE,
    ),
    "airways": (),
    "air around the head": (Region.AIR,),
}
"""Every region once. The last three do not enhance: what is placed there is blur, or a confound."""
AIRWAYS = list(GROUPS).index("airways")
# Nose and throat are open to the outside, so no rule tells their air apart but what lines it.
LINING_MM = 8.0
"""Air no further from mucosa than this is called an airway's."""

REACH = receptive_field(STAGE) // 2
"""Pixels of the network's input by which evidence may miss a region: half a cell's view, half a patch."""
TITLE_HEIGHT = 22
"""Pixels of the picture's first line, and the size of its letters less a margin of 6."""

METHODS = ("occlusion", "Grad-CAM", "original Grad-CAM")
Map = NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """One slice: maps by method, the group of each pixel, and what each group's contrast does.

    ``truth`` is in logits, positive where contrast in the group argues for post-contrast.
    """

    phase: Phase
    pixels: NDArray[np.uint8]
    maps: Mapping[str, Map]
    groups: NDArray[np.uint8]
    truth: NDArray[np.float64]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, help="a bundle of the lesson's network")
    parser.add_argument("--subjects", type=int, default=20)
    parser.add_argument("--picture", type=Path, help="draw some of the slices into this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    session = Session(arguments.model)
    network = load_network(session)
    if network is None:
        parser.error(f"{arguments.model} holds a network whose layers are unknown; Grad-CAM needs them.")
    cohort = Cohort(subjects=arguments.subjects, seed=SEED, slices=SLICES)
    cases = [case for number in cohort.numbers for case in explain_subject(cohort, number, session, network)]
    for phase in (Phase.POST_CONTRAST, Phase.PRE_CONTRAST):
        chosen = [case for case in cases if case.phase is phase]
        print(f"\n{phase.value}: {len(chosen)} slices of {arguments.subjects} heads\n")
        print(format_regions(chosen))
    some = cases[:: max(1, len(cases) // SANITY_SLICES)]
    print(f"\nLikeness to the maps of {len(RANDOM_SEEDS)} networks with random weights\n")
    print(format_sanity(session, network, some))
    print("\nRank correlation with occlusion, by the convolution at which maps are read\n")
    print(format_stages(session, network, some))
    if arguments.picture:
        draw(cases[: 2 * SLICES * PICTURED : SLICES], arguments.picture)


def explain_subject(cohort: Cohort, number: int, session: Session, network: Siim) -> Iterable[Case]:
    """Yield the slices of one head before contrast, then those after."""
    done = scan(cohort, number)
    before, after = done.series
    for series, other in ((before, after), (after, before)):
        for index in range(SLICES):
            pixels = window(series.signal[index], done.scanner)
            groups = find_groups(series.regions[index], series.grid.spacing_mm[1])
            yield Case(
                phase=series.phase,
                pixels=pixels,
                maps=explain(session, network, pixels),
                groups=session.bundle.metadata.image_path.resize_slice(groups),
                truth=exchange_groups(
                    series.signal[index], other.signal[index], groups, done.scanner, session
                )
                * (1 if series.phase is Phase.POST_CONTRAST else -1),
            )


def explain(session: Session, network: Siim, pixels: NDArray[np.uint8]) -> dict[str, Map]:
    """Return the map of each method, over the network's input."""
    found = explain_case(session, network, pixels)
    assert found.gradcam is not None  # noqa: S101 - there is a network
    image_path = session.bundle.metadata.image_path
    original = grad_cam(network, image_path.resize_slice(pixels), image_path, averaged=True)
    return dict(zip(METHODS, (found.occlusion, found.gradcam, spread(original, STAGE)), strict=True))


def exchange_groups(
    own: Map, other: Map, groups: NDArray[np.uint8], scanner: Scanner, session: Session
) -> NDArray[np.float64]:
    """Return how far the logit falls if one group's signal is that of the other phase, for each group.

    Parameters
    ----------
    own, other
        Signal of the same slice in this phase and in the other one, (row, column).
    groups
        Place of each pixel's group in ``GROUPS``.
    scanner
        Whose brightness; that of ``own`` is kept, so that only the group changes.
    """
    image_path = session.bundle.metadata.image_path
    # Two images side by side are shown with one brightness; the left one is as it was.
    limit = float(np.percentile(own, scanner.window_percentile)) * scanner.window_taste
    shown = [
        np.clip(np.rint(np.where(groups == group, other, own) * (255 / limit)), 0, 255)
        for group in (len(GROUPS), *range(len(GROUPS)))
    ]
    resized = np.stack([image_path.resize_slice(image.astype(np.uint8)) for image in shown])
    logits = session.slice_logits(resized)
    change: NDArray[np.float64] = logits[0] - logits[1:]
    return change


def find_groups(regions: NDArray[np.uint8], pixel_mm: float) -> NDArray[np.uint8]:
    """Return the place in ``GROUPS`` of each pixel of a region map (row, column)."""
    lookup = np.full(max(Region) + 1, len(GROUPS), np.uint8)
    for place, members in enumerate(GROUPS.values()):
        lookup[list(members)] = place
    groups: NDArray[np.uint8] = lookup[regions]
    from_mucosa_mm = distance_transform_edt(regions != Region.MUCOSA) * pixel_mm
    groups[(regions == Region.AIR) & (from_mucosa_mm <= LINING_MM)] = AIRWAYS
    return groups


def share_by_group(evidence: Map, groups: NDArray[np.uint8], phase: Phase) -> NDArray[np.float64]:
    """Return what part of the evidence for ``phase`` lies in each group; NaN where there is none."""
    for_phase = np.maximum(evidence if phase is Phase.POST_CONTRAST else -evidence, 0)
    mass = np.bincount(groups.ravel(), for_phase.ravel(), len(GROUPS))
    total = mass.sum()
    return np.asarray(mass / total if total > 0 else np.full(len(GROUPS), np.nan))


def format_regions(cases: Sequence[Case]) -> str:
    """Return the Markdown table of one phase, the strongest truth first, and how well methods agree."""
    area = np.mean([np.bincount(case.groups.ravel(), minlength=len(GROUPS)) for case in cases], axis=0)
    area = area / area.sum()
    truth = np.mean([case.truth for case in cases], axis=0)
    shares = {
        method: np.nanmean(
            [share_by_group(case.maps[method], case.groups, case.phase) for case in cases], axis=0
        )
        for method in METHODS
    }
    lines = [
        f"| region | area | {' | '.join(METHODS)} | its contrast, logits |",
        "|---|---|---|---|---|---|",
    ]
    names = list(GROUPS)
    for place in np.argsort(-truth):
        parts = " | ".join(f"{shares[method][place]:.1%}" for method in METHODS)
        lines.append(f"| {names[place]} | {area[place]:.1%} | {parts} | {truth[place]:+.2f} |")
    agreement = (
        f"{method} {_correlate(cases, [case.maps[method] for case in cases]):+.2f}" for method in METHODS[1:]
    )
    return "\n".join(
        [
            *lines,
            "",
            f"Rank correlation with occlusion: {', '.join(agreement)}",
            "",
            f"Strongest evidence within {REACH} pixels of the region whose contrast matters most: "
            f"{_format_pointing(cases)}",
        ]
    )


def _format_pointing(cases: Sequence[Case]) -> str:
    near = [is_near_truth(case) for case in cases]
    parts = []
    for method in METHODS:
        hits = sum(
            bool(place[strongest(case.maps[method], case.phase)])
            for case, place in zip(cases, near, strict=True)
        )
        parts.append(f"{method} {hits} of {len(cases)}")
    return f"{', '.join(parts)}; a random place {np.mean(near):.0%}"


def is_near_truth(case: Case) -> NDArray[np.bool_]:
    """Return which pixels lie within ``REACH`` of the region whose contrast moves the answer most."""
    is_present = np.bincount(case.groups.ravel(), minlength=len(GROUPS)) > 0
    decisive = int(np.where(is_present, case.truth, -np.inf).argmax())
    return np.asarray(distance_transform_edt(case.groups != decisive) <= REACH)


def strongest(evidence: Map, phase: Phase) -> tuple[int, int]:
    """Return row and column of the strongest evidence for ``phase``."""
    for_phase = evidence if phase is Phase.POST_CONTRAST else -evidence
    row, column = np.unravel_index(int(for_phase.argmax()), evidence.shape)
    return int(row), int(column)


def _correlate(cases: Sequence[Case], maps: Sequence[Map]) -> float:
    """Return the mean rank correlation of maps with occlusion, at places as far apart as the patches."""
    found = [
        spearmanr(_thin(case.maps[METHODS[0]]), _thin(evidence), axis=None).statistic
        for case, evidence in zip(cases, maps, strict=True)
    ]
    return float(np.mean(found))


def _thin(evidence: Map) -> Map:
    step = round(STRIDE * evidence.shape[0])
    return evidence[step // 2 :: step, step // 2 :: step]


def format_sanity(session: Session, network: Siim, cases: Sequence[Case]) -> str:
    """Return each method's likeness to maps of networks that learned nothing: 0 unrelated, 1 the same."""
    image_path = session.bundle.metadata.image_path
    slices = [case.pixels for case in cases]
    found = {
        METHODS[0]: _occlusion_likeness(session, cases),
        METHODS[1]: similarity_with_random_weights(network, slices, image_path),
        METHODS[2]: similarity_with_random_weights(network, slices, image_path, averaged=True),
    }
    rows = (f"| {method} | {value:.2f} |" for method, value in found.items())
    return "\n".join(["| method | mean absolute rank correlation |", "|---|---|", *rows])


def _occlusion_likeness(session: Session, cases: Sequence[Case]) -> float:
    """Return the same number for occlusion, which needs the random networks as bundles."""
    metadata = session.bundle.metadata
    found = []
    for seed in RANDOM_SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "random.onnx"
            export_bundle(build_network(metadata.network, seed), path, metadata)
            stranger = Session(path)
        for case in cases:
            theirs = occlude(stranger, metadata.image_path.resize_slice(case.pixels))
            found.append(similarity(_thin(case.maps["occlusion"]), _thin(theirs)))
    return float(np.nanmean(found))


def format_stages(session: Session, network: Siim, cases: Sequence[Case]) -> str:
    """Return how well both kinds of Grad-CAM agree with occlusion at each convolution."""
    image_path = session.bundle.metadata.image_path
    lines = ["| convolution | a cell sees | Grad-CAM | original Grad-CAM |", "|---|---|---|---|"]
    for stage in range(1, N_STAGES + 1):
        found = []
        for averaged in (False, True):
            maps = [
                grad_cam(
                    network, image_path.resize_slice(case.pixels), image_path, stage=stage, averaged=averaged
                )
                for case in cases
            ]
            found.append(_correlate(cases, [spread(cells, stage) for cells in maps]))
        lines.append(f"| {stage} | {receptive_field(stage)} pixels | {found[0]:+.2f} | {found[1]:+.2f} |")
    return "\n".join(lines)


def draw(cases: Sequence[Case], path: Path) -> None:
    """Write a sheet: a case a row, the slice and then each method's map, below their names."""
    rows = [
        [_decode(address) for address in (picture(case.pixels), *_tinted(case, overlay))] for case in cases
    ]
    width, height = rows[0][0].size
    sheet = Image.new("RGB", (width * (1 + len(METHODS)), TITLE_HEIGHT + height * len(rows)), "white")
    font = ImageFont.load_default(TITLE_HEIGHT - 6)
    for column, title in enumerate(("slice", *METHODS)):
        place = (column * width + width // 2, TITLE_HEIGHT // 2)
        ImageDraw.Draw(sheet).text(place, title, fill="black", font=font, anchor="mm")
        for row, tiles in enumerate(rows):
            sheet.paste(tiles[column], (column * width, TITLE_HEIGHT + row * height))
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_beside(path) as beside:
        sheet.quantize().save(beside, "PNG", optimize=True)


def _tinted(case: Case, tint: Callable[[NDArray[np.uint8], Map], str]) -> list[str]:
    return [tint(case.pixels, case.maps[method]) for method in METHODS]


def _decode(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB")


if __name__ == "__main__":
    main()
