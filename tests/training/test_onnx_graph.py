"""A graph that was traced before is that of a fresh trace, with the weights of the network of now."""

from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn

from gadoscope.models.registry import build_network
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


def build_siim(seed: int) -> nn.Module:
    return build_network("siim", seed).eval()


# The slow one's quicker twin has all that a graph is filled with, in a module that is soon traced.
@pytest.mark.parametrize(
    ("build", "size"), [(build_slope, SMALL), pytest.param(build_siim, SIZE, marks=pytest.mark.slow)]
)
def test_a_graph_that_was_traced_before_equals_a_fresh_one_to_the_byte(
    monkeypatch: pytest.MonkeyPatch, build: Callable[[int], nn.Module], size: int
) -> None:
    first, second = build(1), build(2)
    to_onnx(first, size, ["logit"])
    filled = to_onnx(second, size, ["logit"]).SerializeToString()
    monkeypatch.setattr(onnx_graph, "_traced", {})
    assert filled == to_onnx(second, size, ["logit"]).SerializeToString()


def test_networks_that_differ_in_weights_statistics_or_a_setting_answer_each_as_torch_does() -> None:
    images = np.random.default_rng(0).random((3, 1, SMALL, SMALL), np.float32)
    for mirrored, seed in ((False, 1), (True, 1), (True, 2)):
        network = build_slope(seed, mirrored=mirrored)
        program = to_onnx(network, SMALL, ["logit"])
        session = onnxruntime.InferenceSession(program.SerializeToString())
        (found,) = session.run(None, {"images": images})
        with torch.inference_mode():
            np.testing.assert_allclose(found, network(torch.from_numpy(images)).numpy(), atol=1e-5)
