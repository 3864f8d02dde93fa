"""A graph that was traced before is that of a fresh trace, with the weights of the network of now."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gadoscope.models.siim import Siim
from gadoscope.training import onnx_graph
from gadoscope.training.onnx_graph import to_onnx

SIZE = 331
"""The lesson's: its dense layer fits no other."""
SMALL = 16


class Slope(nn.Module):
    """The least that has weights, statistics, and a setting that its forward pass branches on."""

    def __init__(self, *, mirrored: bool) -> None:
        super().__init__()
        self.normalise = nn.BatchNorm2d(1)
        self.weigh = nn.Linear(SMALL, 1)
        self.mirrored = mirrored

    def forward(self, images: Tensor) -> Tensor:
        views = images.flip(3) if self.mirrored else images
        logits: Tensor = self.weigh(self.normalise(views).mean(dim=(1, 2))).squeeze(1)
        return logits


def build_slope(seed: int, *, mirrored: bool = False) -> nn.Module:
    torch.manual_seed(seed)
    network = Slope(mirrored=mirrored).eval()
    with torch.no_grad():
        network.normalise.running_mean.fill_(0.1 * seed)  # type: ignore[union-attr]  # it tracks them
    return network


def test_a_graph_that_was_traced_before_equals_a_fresh_one_to_the_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = build_slope(1), build_slope(2)
    to_onnx(first, SMALL, ["logit"])
    filled = to_onnx(second, SMALL, ["logit"]).SerializeToString()
    monkeypatch.setattr(onnx_graph, "_traced", {})
    assert filled == to_onnx(second, SMALL, ["logit"]).SerializeToString()


def answer(network: nn.Module, images: NDArray[np.float32]) -> NDArray[np.float32]:
    program = to_onnx(network, images.shape[-1], ["logit"])
    onnx.checker.check_model(program, full_check=True)
    session = onnxruntime.InferenceSession(program.SerializeToString())
    logits: NDArray[np.float32] = session.run(None, {"images": images})[0]
    return logits


class Traced(Siim):
    """The lesson's network under a name whose graph is not written down."""


def test_the_lessons_graph_as_it_is_written_down_answers_as_torch_does() -> None:
    images = np.random.default_rng(0).random((2, 1, SIZE, SIZE), np.float32)
    network = Siim().eval()
    with torch.inference_mode():
        expected = network(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(answer(network, images), expected, atol=1e-5)


@pytest.mark.slow
def test_the_lessons_graph_as_it_is_written_down_answers_as_the_traced_one_to_the_bit() -> None:
    images = np.random.default_rng(0).random((4, 1, SIZE, SIZE), np.float32)
    seed = torch.Generator().manual_seed(7)
    written, traced = Siim(seed).eval(), Traced(seed.manual_seed(7)).eval()
    np.testing.assert_array_equal(answer(written, images), answer(traced, images))


def test_networks_that_differ_in_weights_statistics_or_a_setting_answer_each_as_torch_does() -> None:
    images = np.random.default_rng(0).random((3, 1, SMALL, SMALL), np.float32)
    for mirrored, seed in ((False, 1), (True, 1), (True, 2)):
        network = build_slope(seed, mirrored=mirrored)
        program = to_onnx(network, SMALL, ["logit"])
        session = onnxruntime.InferenceSession(program.SerializeToString())
        (found,) = session.run(None, {"images": images})
        with torch.inference_mode():
            np.testing.assert_allclose(found, network(torch.from_numpy(images)).numpy(), atol=1e-5)
