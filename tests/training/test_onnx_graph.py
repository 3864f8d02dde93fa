"""The graph that is written down for a network answers as torch does."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gadoscope.errors import TrainingError
from gadoscope.inference.bundle import INPUT_NAME
from gadoscope.models.network import Network
from gadoscope.models.registry import build_network
from gadoscope.training.onnx_graph import to_onnx
from tests.models.test_compact import scatter

LOGITS = {"logit": ("batch",), "t1_brain_logit": ("batch",), "kind_logits": ("batch", 4)}
SIZES = {"siim": 331, "compact": 64}
"""The lesson's dense layer fits no other."""
NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ("siim", {}),
    ("siim", {"members": 2, "mirrored": True}),
    ("compact", {}),
    ("compact", {"members": 3}),
    ("compact", {"with_gate": True, "mirrored": True}),
]


def build(name: str, **options: Any) -> Network:
    """Return a network with weights and running figures of which none is as it starts."""
    network = build_network(name, 3, **options).eval()
    if name == "compact":  # of the lesson only offsets start at 0
        scatter(network)
    return network


def build_default(n_kinds: int) -> Network:
    """Return the whole network that ships: its gate also says what else an image is."""
    network: Any = build("compact", with_gate=True)
    network.t1_brain.kinds = nn.Linear(network.t1_brain.hidden.out_features, n_kinds)
    return network  # type: ignore[no-any-return]  # its parts are of no known type


def draw(size: int, n: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((n, 1, size, size), np.float32)


def ask_torch(network: nn.Module, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    with torch.inference_mode():
        answer = network(torch.from_numpy(images))
    return [one.numpy() for one in ([answer] if isinstance(answer, Tensor) else answer)]


def run(program: onnx.ModelProto, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    onnx.checker.check_model(program, full_check=True)
    session = onnxruntime.InferenceSession(program.SerializeToString())
    answers: list[NDArray[np.float32]] = session.run(None, {INPUT_NAME: images})
    return answers


def answer(network: nn.Module, images: NDArray[np.float32], n_answers: int) -> list[NDArray[np.float32]]:
    outputs = dict(list(LOGITS.items())[:n_answers])
    return run(to_onnx(network, images.shape[-1], outputs), images)


def to_probability(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def assert_same_probabilities(
    found: Sequence[NDArray[np.float32]], expected: Sequence[NDArray[np.float32]]
) -> None:
    """Within 1e-6, and none of them beyond telling."""
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(to_probability(ours), to_probability(theirs), rtol=0, atol=1e-6)
        assert np.abs(theirs).max() > 1e-3


@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_the_graph_of_each_network_and_average_answers_as_torch_does(
    name: str, options: dict[str, Any]
) -> None:
    network, images = build(name, **options), draw(SIZES[name])
    expected = ask_torch(network, images)
    assert_same_probabilities(answer(network, images, len(expected)), expected)


def test_the_graph_of_the_default_gives_its_three_answers_as_torch_does() -> None:
    network, images = build_default(n_kinds=4), draw(160)
    assert_same_probabilities(answer(network, images, 3), ask_torch(network, images))


def test_the_graph_holds_every_weight_as_it_was_trained_under_its_own_name() -> None:
    network = build("compact", with_gate=True, members=2)
    program = to_onnx(network, 64, dict(list(LOGITS.items())[:2]))
    held = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in program.graph.initializer}
    for name, weight in network.state_dict().items():
        np.testing.assert_array_equal(held[name], weight.numpy())


def test_a_network_without_a_graph_is_one_sentence() -> None:
    with pytest.raises(TrainingError, match="graph of a Linear is not written down"):
        to_onnx(nn.Linear(1, 1), 32, {"logit": ("batch",)})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the exporter warns of its own internals
@pytest.mark.parametrize(("name", "options"), NETWORKS)
def test_the_graph_answers_as_the_one_that_torch_traces(name: str, options: dict[str, Any]) -> None:
    """Its twin is the comparison with torch itself; here the operators are chosen by another."""
    network, images = build(name, **options), draw(SIZES[name])
    traced = torch.onnx.export(
        network,
        (torch.zeros(2, *images.shape[1:]),),
        dynamo=True,
        dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
        input_names=[INPUT_NAME],
        optimize=False,
        verbose=False,
    )
    assert traced is not None
    expected = run(traced.model_proto, images)
    assert_same_probabilities(answer(network, images, len(expected)), expected)
