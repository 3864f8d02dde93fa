"""Occlusion and Grad-CAM: in the right place, of the right size, and of these weights and no others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from gadoscope.errors import BundleError
from gadoscope.explanation.cut import CutNetwork, cell_centres, receptive_field
from gadoscope.explanation.explain import explain_case, load_network
from gadoscope.explanation.gradcam import STAGE, grad_cam, similarity, similarity_with_random_weights, spread
from gadoscope.imaging.intensity import ImagePath
from gadoscope.inference.session import Session
from gadoscope.models.siim import Siim
from gadoscope.parallel import map_in_order
from gadoscope.phantom.forms.cohort import Cohort, scan
from gadoscope.phantom.physics.acquire import window
from gadoscope.training.export import export_bundle
from tests.support.bundles import TINY_METADATA, TINY_SIZE, write_tiny_bundle

SIZE = 331
PATH = ImagePath()


@pytest.fixture(scope="module")
def network() -> Siim:
    """Return the lesson's network before its training: every bias is zero."""
    return Siim().eval()


@pytest.fixture(scope="module")
def session(network: Siim, tmp_path_factory: pytest.TempPathFactory) -> Session:
    path = tmp_path_factory.mktemp("bundles") / "siim.onnx"
    export_bundle(network, path, replace(TINY_METADATA, network="siim", image_path=PATH))
    return Session(path)


@pytest.fixture(scope="module")
def head() -> NDArray[np.uint8]:
    """Return a phantom slice after contrast, 256 x 256."""
    done = scan(Cohort(subjects=1, seed=3, slices=1), 1)
    return window(done.series[1].signal[0], done.scanner)


def spot(row: int, column: int) -> NDArray[np.uint8]:
    """Return a black slice with one bright square around a pixel."""
    pixels = np.zeros((SIZE, SIZE), np.uint8)
    pixels[row - 6 : row + 7, column - 6 : column + 7] = 220
    return pixels


@pytest.mark.parametrize("stage", range(1, 7))
def test_the_cells_add_up_to_the_logit_where_no_bias_adds_to_it(
    network: Siim, head: NDArray[np.uint8], stage: int
) -> None:
    """Without biases the network is homogeneous: Euler's theorem gives the sum."""
    resized = PATH.resize_slice(head)
    with torch.inference_mode():
        logit = float(network(torch.from_numpy(PATH.scale(resized[np.newaxis]))))
    assert_allclose(grad_cam(network, resized, PATH, stage=stage).sum(), logit, rtol=1e-3)


def test_the_original_grad_cam_weighs_each_map_by_the_mean_of_its_gradient(
    network: Siim, head: NDArray[np.uint8]
) -> None:
    """Against the formula of Selvaraju 2017 and torch alone."""
    resized = PATH.resize_slice(head)
    view = CutNetwork(network, STAGE)
    kept: list[torch.Tensor] = []
    view.cut.register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    logit = view(torch.from_numpy(PATH.scale(resized[np.newaxis])))[0]
    (gradient,) = torch.autograd.grad(logit, kept)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    expected = (weights * kept[0]).sum(dim=1)[0].detach().numpy()
    assert_allclose(grad_cam(network, resized, PATH, averaged=True), expected, rtol=1e-5, atol=1e-9)


def test_both_methods_point_at_the_only_thing_there_is(session: Session, network: Siim) -> None:
    row, column = 190, 120
    found = explain_case(session, network, spot(row, column))
    assert found.gradcam is not None
    for evidence in (found.occlusion, found.gradcam):
        assert evidence.shape == (SIZE, SIZE)
        assert evidence.dtype == np.float32
        strongest = np.unravel_index(np.abs(evidence).argmax(), evidence.shape)
        assert np.abs(np.subtract(strongest, (row, column))).max() <= receptive_field(STAGE) / 2
        assert np.abs(evidence[:60, 250:]).max() < 1e-3 * np.abs(evidence).max()


def test_a_stages_map_is_laid_over_the_pixels_that_its_cells_see() -> None:
    centres = cell_centres(STAGE)
    cells = np.zeros((len(centres), len(centres)), np.float32)
    cells[10, 25] = 1.0
    evidence = spread(cells, STAGE)
    row, column = np.unravel_index(evidence.argmax(), evidence.shape)
    assert abs(row - centres[10]) <= 1
    assert abs(column - centres[25]) <= 1


def test_the_bundles_weights_are_the_networks(session: Session, head: NDArray[np.uint8]) -> None:
    loaded = load_network(session)
    assert loaded is not None
    scaled = PATH.scale(PATH.resize_slice(head)[np.newaxis])
    with torch.inference_mode():
        assert_allclose(loaded(torch.from_numpy(scaled)).numpy(), session.logits(scaled), atol=1e-4)


def test_a_network_of_unknown_layers_is_explained_by_occlusion_alone(tiny_bundle: Path) -> None:
    tiny = Session(tiny_bundle)
    unknown = load_network(tiny)
    found = explain_case(tiny, unknown, np.full((20, 30), 90, np.uint8))
    assert unknown is None
    assert found.gradcam is None
    assert found.occlusion.shape == (TINY_SIZE, TINY_SIZE)


def test_a_bundle_that_only_claims_to_be_the_lessons_is_refused(tmp_path: Path) -> None:
    path = write_tiny_bundle(tmp_path / "tiny.onnx", replace(TINY_METADATA, network="siim"))
    with pytest.raises(BundleError, match=r"has nothing for the weight conv1\.weight"):
        load_network(Session(path))


def test_maps_change_with_the_weights(network: Siim, head: NDArray[np.uint8]) -> None:
    assert similarity_with_random_weights(network, [head], PATH) < 0.1


def test_a_method_that_shows_the_image_is_found_out(network: Siim, head: NDArray[np.uint8]) -> None:
    """The original Grad-CAM outlines the head, whatever the weights."""
    ours = similarity_with_random_weights(network, [head], PATH)
    original = similarity_with_random_weights(network, [head], PATH, averaged=True)
    assert original > 3 * ours


def test_a_black_slice_has_no_likeness_to_measure(network: Siim) -> None:
    black = np.zeros((40, 40), np.uint8)
    assert np.isnan(similarity_with_random_weights(network, [black], PATH))


def test_a_map_and_its_negative_are_as_alike_as_two_maps_can_be() -> None:
    cells = np.random.default_rng(0).normal(size=(9, 9)).astype(np.float32)
    assert similarity(cells, -cells) == pytest.approx(1)
    assert np.isnan(similarity(cells, np.zeros_like(cells)))


def test_threads_that_explain_at_once_do_not_hear_each_other(network: Siim, head: NDArray[np.uint8]) -> None:
    slices = [PATH.resize_slice(np.roll(head, 8 * shift, axis=1)) for shift in range(4)]
    alone = [grad_cam(network, pixels, PATH) for pixels in slices]
    together = map_in_order(lambda pixels: grad_cam(network, pixels, PATH), slices, jobs=4)
    for one, other in zip(alone, together, strict=True):
        assert_array_equal(one, other)
