"""Strong augmentation beside libraries: the same six effects on 48 slices of 208 pixels, on one thread.

    pip install albumentations kornia monai
    python -m benchmarks.augmentation_libraries

Every slice is turned, shifted, scaled, blurred, made noisy and given another gamma, each by its own draw and
as far as the recipe goes. Prints processor time a slice, and its ratio to ours; a library that is not
installed is left out. docs/decisions/0033 says what else they lack.
"""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.augmentation import CANVAS, N_SLICES, NONE, RECIPE, draw_canvases
from gadoscope.training.augmentation.strong.distort import distort_batch

REPEATS = 10
EFFECTS = ("rotation", "translation", "zoom", "gamma", "blur", "rician_noise")
OURS = replace(
    NONE,
    **{f"{effect}_chance": 1.0 for effect in EFFECTS},
    **{f"{effect}_range": getattr(RECIPE, f"{effect}_range") for effect in EFFECTS},
)
DEGREES, SHIFT, ZOOM = RECIPE.rotation_range, RECIPE.translation_range, RECIPE.zoom_range
GAMMA = (float(np.exp(-RECIPE.gamma_range)), float(np.exp(RECIPE.gamma_range)))
SIGMA, NOISE = (0.1, RECIPE.blur_range), RECIPE.rician_noise_range
KERNEL = 7
"""Pixels: 2.5 standard deviations of the widest blur to either side, where a library wants it said."""

Canvases = NDArray[np.uint8]
Augment = Callable[[Canvases, int], object]


def augment_by_gadoscope(canvases: Canvases, step: int) -> object:
    """Distort by this package."""
    return distort_batch(canvases, size=CANVAS, augmentation=OURS, seed=(0, step))


def build_albumentations() -> Augment:
    """Return albumentations' way: images one by one, by OpenCV."""
    a = import_module("albumentations")
    pipeline = a.Compose(
        [
            a.Affine(
                rotate=(-DEGREES, DEGREES),
                translate_percent=(-SHIFT, SHIFT),
                scale=(1 / (1 + ZOOM), 1 + ZOOM),
                p=1.0,
            ),
            a.RandomGamma(gamma_limit=(100 * GAMMA[0], 100 * GAMMA[1]), p=1.0),
            a.GaussianBlur(blur_limit=0, sigma_limit=SIGMA, p=1.0),
            a.GaussNoise(std_range=(0.0, NOISE), p=1.0),
        ],
        seed=0,
    )
    return lambda canvases, _step: [pipeline(image=canvas[..., None])["image"] for canvas in canvases]


def build_kornia() -> Augment:
    """Return kornia's way: a batch of tensors at once, each with draws of its own."""
    k = import_module("kornia.augmentation")
    pipeline = k.AugmentationSequential(
        k.RandomAffine(DEGREES, translate=(SHIFT, SHIFT), scale=(1 / (1 + ZOOM), 1 + ZOOM), p=1.0),
        k.RandomGamma(gamma=GAMMA, p=1.0),
        k.RandomGaussianBlur((KERNEL, KERNEL), SIGMA, p=1.0),
        k.RandomGaussianNoise(std=NOISE / 2, p=1.0),
        data_keys=["input"],
    )

    def augment(canvases: Canvases, step: int) -> object:
        torch.manual_seed(step)
        return pipeline(torch.from_numpy(canvases[:, None]).float() / 255)

    return augment


def build_monai() -> Augment:
    """Return MONAI's way: tensors one by one."""
    m = import_module("monai.transforms")
    turn, scale = np.deg2rad(DEGREES), ZOOM
    pipeline = m.Compose(
        [
            m.RandAffine(
                prob=1.0,
                rotate_range=turn,
                translate_range=SHIFT * CANVAS,
                scale_range=scale,
                padding_mode="zeros",
            ),
            m.RandAdjustContrast(prob=1.0, gamma=GAMMA),
            m.RandGaussianSmooth(prob=1.0, sigma_x=SIGMA, sigma_y=SIGMA),
            m.RandGaussianNoise(prob=1.0, std=NOISE),
        ]
    ).set_random_state(0)
    return lambda canvases, _step: [
        pipeline(torch.from_numpy(canvas[None]).float() / 255) for canvas in canvases
    ]


LIBRARIES = {"albumentations": build_albumentations, "kornia": build_kornia, "monai": build_monai}


def main() -> None:
    """Print the table."""
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it asks the network for its newest version
    canvases = draw_canvases()
    with threadpool_limits(1):
        torch.set_num_threads(1)
        ours = time_slice(augment_by_gadoscope, canvases)
        print(f"{'gadoscope':15s} {ours:6.2f} ms a slice")
        for name, build in LIBRARIES.items():
            if find_spec(name) is None:
                print(f"{name:15s} not installed")
                continue
            if name == "albumentations":
                import_module("cv2").setNumThreads(1)
            theirs = time_slice(build(), canvases)
            print(f"{name:15s} {theirs:6.2f} ms a slice, {theirs / ours:.1f} times ours")


def time_slice(augment: Augment, canvases: Canvases) -> float:
    """Return the median processor time of a slice, ms; the first batch warms up."""
    times = []
    for step in range(REPEATS + 1):
        start = time.process_time()
        augment(canvases, step)
        times.append(1e3 * (time.process_time() - start) / N_SLICES)
    return float(np.median(times[1:]))


if __name__ == "__main__":
    main()
