"""The benchmark of the default bundle's speed and size, and the data that it is trained on."""

from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image

from benchmarks.default_latency import measure
from gadoscope.labels import Label, Plane
from gadoscope.preparation.items import Item
from gadoscope.training.config import read_config
from gadoscope.training.record import list_settings
from recipes.default.data import SECOND_STAGE, VOLUME_SOURCE, reformat_stack
from recipes.default.hard_heads import HARD_OTHER_SOURCE, HARD_SOURCE


def test_a_small_and_fast_bundle_meets_both_figures_and_each_says_its_unit(tiny_bundle: Path) -> None:
    network, path, size = measure(tiny_bundle, runs=2)
    assert network.met
    assert size.met
    assert [row.measured.split()[1] for row in (network, path, size)] == ["ms", "ms", "MB"]


def write_stack(path: Path, n_slices: int) -> Item:
    """Write an axial stack (left, posterior, superior) of an ellipsoid, brighter on the left."""
    left, posterior, superior = np.mgrid[-1:1:64j, -1 : 1 : 80 * 1j, -1 : 1 : n_slices * 1j]
    head = (left / 0.7) ** 2 + (posterior / 0.8) ** 2 + (superior / 1.2) ** 2 < 1
    voxels = np.where(head, 120 + 60 * (left > 0), 0).astype(np.uint8)
    nib.nifti1.Nifti1Image(voxels, np.eye(4)).to_filename(path)  # type: ignore[no-untyped-call]
    return Item(path=path, label=Label.POST, subject_id="s", plane=Plane.AXIAL, source=VOLUME_SOURCE)


def test_a_stack_is_cut_coronal_and_sagittal_through_the_head_and_a_coarse_one_is_not(tmp_path: Path) -> None:
    items = reformat_stack(write_stack(tmp_path / "fine.nii.gz", 40), tmp_path / "out")
    assert Counter(item.plane for item in items) == {Plane.CORONAL: 16, Plane.SAGITTAL: 16}
    assert {(item.label, item.subject_id, item.source) for item in items} == {
        (Label.POST, "s", "tcga-lgg-reformatted")
    }
    for item in items:
        pixels = np.asarray(Image.open(item.path))
        assert pixels.shape == ((45, 64) if item.plane is Plane.CORONAL else (56, 80))
        assert (pixels > 60).mean() > 0.2  # of the middle of a head, not of its edge
        if item.plane is Plane.CORONAL:
            assert pixels[20, 45] > pixels[20, 18]  # the brighter half stays on its side
    assert reformat_stack(write_stack(tmp_path / "coarse.nii.gz", 20), tmp_path / "out") == []


def test_the_head_is_upright_in_what_is_cut(tmp_path: Path) -> None:
    volume = write_stack(tmp_path / "stack.nii.gz", 40)
    voxels = np.asarray(nib.nifti1.Nifti1Image.from_filename(volume.path).dataobj).copy()
    voxels[:, :, :10] = 0  # nothing below
    nib.nifti1.Nifti1Image(voxels, np.eye(4)).to_filename(volume.path)  # type: ignore[no-untyped-call]
    for item in reformat_stack(volume, tmp_path / "out"):
        pixels = np.asarray(Image.open(item.path)).astype(int)
        assert pixels[-len(pixels) // 5 :].max() < pixels[: len(pixels) // 2].max() / 2


def test_the_second_stage_is_the_first_ones_recipe_but_for_a_short_mild_training_beside_hard_heads() -> None:
    first, second = read_config("default"), read_config(SECOND_STAGE)
    settings = list_settings(second)
    changed = {name for name, value in list_settings(first).items() if settings[name] != value}
    assert {name for name in changed if "shares" not in name} == {
        "gate.others",
        "gate.max_refused",
        "epochs",
        "optimiser.learning_rate",
        "optimiser.warmup",
        "distort.frame_chance",
    }
    assert second.sampling.shares.keys() - first.sampling.shares.keys() == {HARD_SOURCE}
    assert second.gate.shares.keys() - first.gate.shares.keys() == {HARD_OTHER_SOURCE}
    assert abs(sum(second.sampling.shares.values()) - 1) < 1e-9
