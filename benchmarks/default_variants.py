r"""What each part of the default recipe brings: the same short training with one thing changed.

    python -m recipes.default.data --data ../shared/data/manifest.csv --output DATA --make-nothing-of ixi
    python -m benchmarks.default_variants --data DATA/manifest.csv --judge ../shared/data/manifest.csv \
        --output runs/variants [NAME ...]

Every variant trains the config `default` with one network, a few epochs, and IXI left out. It is judged by
the hospitals that it has not seen: by how surely it tells the post-contrast slices of Feltrin (axial) from
those before contrast of Feltrin and of IXI (three planes). No figure hangs on a threshold, which a short
training with few validation patients places by chance. The figures are comparable with each other and worse
than those of the whole training. One seed scatters by 0.01 of AUC on Feltrin, by 0.03 on IXI: smaller
differences say little.
"""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.default_model import Scored, choose_items, score
from gadoscope.inference.session import Session
from gadoscope.labels import Label, Plane
from gadoscope.models.compact import Compact
from gadoscope.models.registry import GATED_NETWORKS, NETWORKS
from gadoscope.run_folder import BUNDLE_NAME, MANIFEST_NAME
from gadoscope.statistics.metrics import roc_auc
from gadoscope.training.config import read_config
from gadoscope.training.job import Job
from gadoscope.training.run import train
from recipes.default.data import CONFIG, ENHANCED_SOURCE, REFORMATTED_SOURCE, SUBTRACTED_SOURCE

EPOCHS = 5
BOTH_LABELS, LEFT_OUT = "feltrin", "ixi"
TEACHER, PUPIL = "two-seeds", "distilled"
"""The pupil is one network that learns from the two."""
PLANES = (Plane.AXIAL, Plane.SAGITTAL, Plane.CORONAL)
SHORT = ["members=1", "split.method=leave_source_out", f"split.source={LEFT_OUT}"]
SHARES = "sampling.shares="

SHAPES = {
    "plain": partial(Compact, with_gate=True, n_residual=0),
    "narrow": partial(Compact, with_gate=True, channels=(8, 16, 24, 48, 64)),
    "wide": partial(Compact, with_gate=True, channels=(24, 48, 72, 144, 192)),
}
"""Beside `compact` itself: no residual blocks, half and one and a half times its channels."""

EFFECTS: Mapping[str, Sequence[str]] = {
    "flips-turns": ("horizontal_flip", "vertical_flip", "whole_turn"),
    "geometry": ("rotation", "shear", "zoom", "aspect", "translation", "crop"),
    "tone": ("gamma", "warp", "gain", "offset", "bias_field"),
    "resolution": ("thick_pixels", "ringing", "blur", "sharpen"),
    "noise": ("ghosting", "rician_noise", "coloured_noise", "jpeg"),
    "overlays": ("erase", "frame", "text"),
    "fat-suppression": ("fat_suppression",),
    "cysts": ("cyst",),
}


def list_variants() -> dict[str, list[str]]:
    """Return the settings that each variant changes."""
    return {
        "recipe": [],
        TEACHER: ["members=2"],
        PUPIL: [],
        **{name: [f"network={name}"] for name in SHAPES},
        "no-gate": ["gate.counterexamples=0", "gate.use_other=false"],
        "no-augmentation": ["distort.strength=0"],
        **{
            f"no-{group}": [f"distort.{effect}_chance=0" for effect in effects]
            for group, effects in EFFECTS.items()
        },
        "no-reweighting": ["distort.reweight_chance=0"],
        "no-cut-volumes": [SHARES + format_shares(REFORMATTED_SOURCE)],
        "no-subtraction": [SHARES + format_shares(SUBTRACTED_SOURCE)],
        "no-pairs": ["sampling.pairs=false"],
        "shuffled": ["sampling.method=shuffle", "sampling.steps_per_epoch=0", SHARES + "{}"],
        "no-averaging": ["averaging.decay=0"],
        "no-smoothing": ["label_smoothing=0"],
    }


def format_shares(*left_out: str) -> str:
    """Return the recipe's shares, with none for some sources; of the one left out nothing is made."""
    shares = {**read_config(CONFIG).sampling.shares, **dict.fromkeys(left_out, 0.0)}
    del shares[ENHANCED_SOURCE]
    return "{" + ", ".join(f"{source} = {share}" for source, share in shares.items()) + "}"


def main() -> None:
    """Train and judge what is not there yet, and print a row for each."""
    variants = list_variants()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(variants)}; default: all")
    parser.add_argument(
        "--data", type=Path, required=True, help="of recipes.default.data --make-nothing-of ixi"
    )
    parser.add_argument("--judge", type=Path, required=True, help="the manifest of all images")
    parser.add_argument("--output", type=Path, required=True, help="a folder with a run for each variant")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="KEY=VALUE")
    arguments = parser.parse_args()
    NETWORKS.update(SHAPES)
    GATED_NETWORKS.update(SHAPES)
    print("| variant | AUC against Feltrin's pre | IXI's axial | sagittal | coronal | refused: T1 | other |")
    print("|---|---|---|---|---|---|---|")
    for name in arguments.names or variants:
        run = arguments.output / name
        if not (run / BUNDLE_NAME).exists():
            short = [*SHORT, SHARES + format_shares(), f"epochs={arguments.epochs}"]
            settings = [*short, *variants[name], *arguments.settings]
            teacher = arguments.output / TEACHER / BUNDLE_NAME if name == PUPIL else None
            train(Job(config=read_config(CONFIG, settings), data=arguments.data, run=run, teacher=teacher))
        print(format_row(name, run, arguments.judge), flush=True)


def format_row(name: str, run: Path, judge: Path) -> str:
    """Return a variant's figures, of all images, whatever its gate says of them."""
    items = [
        item
        for item in choose_items(judge, [run / MANIFEST_NAME], [])
        if item.source in (BOTH_LABELS, LEFT_OUT) or item.label is Label.OTHER
    ]
    scored = score(Session(run / BUNDLE_NAME), items)
    post = [one.logit for one in scored if one.item.source == BOTH_LABELS and one.item.label is Label.POST]
    groups = [(BOTH_LABELS, Plane.AXIAL), *((LEFT_OUT, plane) for plane in PLANES)]
    cells = []
    for group in groups:
        pre = [
            one.logit
            for one in scored
            if (one.item.source, one.item.plane) == group and one.item.label is Label.PRE
        ]
        is_post = np.repeat([True, False], [len(post), len(pre)])
        cells.append(f"{roc_auc(is_post, np.array(post + pre)):.3f}")
    others = [one for one in scored if one.item.label is Label.OTHER]
    t1 = [one for one in scored if one.item.label is not Label.OTHER]
    cells += [share_refused(t1), share_refused(others)]
    return f"| {name} | {' | '.join(cells)} |"


def share_refused(scored: Sequence[Scored]) -> str:
    """Return which share the gate refuses."""
    return f"{np.mean([one.phase is None for one in scored]):.1%}"


if __name__ == "__main__":
    main()
