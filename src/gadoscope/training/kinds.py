"""What else an image looks like: a reading of the finished gate, fitted after the training.

The gate's hidden layer has learned to tell a T1 brain from everything else; T2, FLAIR, what is no brain and
what is blank lie apart there. A linear reading of it (multinomial logistic regression) is fitted on the
training images that the manifest's column ``kind`` names, and on pictures drawn for it. Nothing of the phase
or of the gate's own answer changes by it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every torch programme uses
from numpy.typing import NDArray
from torch import Tensor, nn

from gadoscope.imaging.intensity import ImagePath
from gadoscope.labels import OtherKind
from gadoscope.models.average import Average
from gadoscope.models.compact import GATE_UNITS, Compact, GateHead
from gadoscope.preparation.store import Store
from gadoscope.training.answers import iter_answers
from gadoscope.training.augmentation.strong.distort import distort_batch
from gadoscope.training.config import TrainingConfig
from gadoscope.training.counterexamples.bodies import BODIES
from gadoscope.training.counterexamples.pictures import PICTURES, draw_noise, draw_nothing

KIND_COLUMN: Final = "kind"
"""Of a manifest: one of `OtherKind`; empty where it is not known."""
LEAST_IMAGES: Final = 20
"""Of T2 and of FLAIR, below which nothing is fitted: a reading of ten images is of their hospital."""
MOST_IMAGES: Final = 400
"""Of each kind, spread over all: more teach 64 numbers nothing."""
N_DRAWN: Final = 120
"""Pictures drawn of each kind that can be drawn."""
EMPTY: Final = (draw_nothing, draw_noise)
DRAWN: Final = {
    OtherKind.NO_BRAIN: (*BODIES, *(draw for draw in PICTURES if draw not in EMPTY)),
    OtherKind.BLANK: EMPTY,
}
"""How what needs no file is drawn."""
KIND_STREAM: Final = 7
"""Of random numbers; the others' are in `batches` and `freeze`."""
RIDGE: Final = 1e-3
"""Penalty on the squared weights, against features of about unit size."""
LEAST_SPREAD: Final = 1e-3
"""Of a feature: one that is always the same is not blown up."""
N_ITERATIONS: Final = 200


def fit_kinds(network: nn.Module, store: Store, config: TrainingConfig) -> tuple[OtherKind, ...]:
    """Give each gate of ``network`` its reading of kinds and return the kinds, in the order of the logits.

    Nothing is fitted, and nothing returned, where the network has no gate or too few images are named.

    Parameters
    ----------
    store
        The training images.
    """
    heads = _find_heads(network)
    kinds = np.array([item.extra.get(KIND_COLUMN, "") for item in store.items])
    rows = {kind: _spread(np.flatnonzero(~store.is_t1 & (kinds == kind.value))) for kind in OtherKind}
    if not heads or min(rows[OtherKind.T2].size, rows[OtherKind.FLAIR].size) < LEAST_IMAGES:
        return ()
    seed = [config.seed, KIND_STREAM]
    drawn = {kind: _draw(kind, store.images.shape[1], seed) for kind in OtherKind}
    shown = [np.concatenate([store.images[rows[kind]], drawn[kind]]) for kind in OtherKind]
    target = torch.from_numpy(np.repeat(np.arange(len(shown)), [len(images) for images in shown]))
    pixels = distort_batch(
        np.concatenate(shown), size=config.image.size, augmentation=config.distort, seed=seed
    )
    for member, head in heads:
        reading = _fit(_look(member, head, pixels, config.image), target)
        head.kinds = reading.to(head.hidden.weight.device)
    return tuple(OtherKind)


def _find_heads(network: nn.Module) -> list[tuple[nn.Module, GateHead]]:
    """Return each network that looks at an image alone, with its gate."""
    members = list(network.members) if isinstance(network, Average) else [network]
    return [(one, one.t1_brain) for one in members if isinstance(one, Compact) and one.t1_brain is not None]


def _spread(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return so many rows at most, from all over."""
    if rows.size <= MOST_IMAGES:
        return rows
    return rows[np.linspace(0, rows.size - 1, MOST_IMAGES).round().astype(np.int64)]


def _draw(kind: OtherKind, side: int, seed: Sequence[int]) -> NDArray[np.uint8]:
    """Draw pictures of a kind, shape (n, side, side), 0..255; of a contrast, which images show, none."""
    ways = DRAWN.get(kind, ())
    drawn = np.empty((N_DRAWN if ways else 0, side, side), np.uint8)
    for index in range(len(drawn)):
        generator = np.random.default_rng([*seed, list(OtherKind).index(kind), index])
        drawn[index] = ways[index % len(ways)](side, generator)
    return drawn


def _look(
    member: nn.Module, head: GateHead, pixels: NDArray[np.float32], image_path: ImagePath
) -> NDArray[np.float32]:
    """Return what the gate's hidden layer sees, shape (n, GATE_UNITS), of slices (n, size, size), 0..255."""
    seen: list[Tensor] = []
    hook = head.hidden.register_forward_hook(lambda _, __, output: seen.append(F.relu(output).cpu()))
    try:
        for _answer in iter_answers(member, pixels, image_path):
            pass  # only what the hook sees of it is wanted
    finally:
        hook.remove()
    features: NDArray[np.float32] = torch.cat(seen).numpy()
    return features


def _fit(features: NDArray[np.float32], target: Tensor) -> nn.Linear:
    """Return the reading, each kind counting alike however many images it has."""
    shown = torch.from_numpy(features)
    centre, spread = shown.mean(dim=0), shown.std(dim=0).clamp_min(LEAST_SPREAD)
    inputs = (shown - centre) / spread
    counts = torch.bincount(target)
    weights = len(target) / (len(counts) * counts.float())
    weight = torch.zeros(len(counts), GATE_UNITS, requires_grad=True)
    bias = torch.zeros(len(counts), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=N_ITERATIONS, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(inputs @ weight.T + bias, target, weight=weights)
        loss = loss + RIDGE * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(step)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        reading = nn.Linear(GATE_UNITS, len(counts), device="meta").to_empty(device="cpu")
        reading.weight.copy_(weight / spread)
        reading.bias.copy_(bias - (weight / spread) @ centre)
    return reading.eval()
