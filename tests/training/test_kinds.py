"""What else an image looks like: a reading of the gate that is fitted after the training."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gadoscope.decision.gate import Gate
from gadoscope.inference.session import Session
from gadoscope.labels import Label, OtherKind, Plane
from gadoscope.models.network import Network, gate_of, kinds_of, phase_of
from gadoscope.models.registry import build_network
from gadoscope.phantom.forms.cohort import Cohort
from gadoscope.phantom.head.anatomy import Head
from gadoscope.phantom.physics.contrasts import Contrast, scan_contrasts
from gadoscope.phantom.physics.scanner import draw_scanner
from gadoscope.preparation.items import Item
from gadoscope.preparation.store import CODES, Store
from gadoscope.training.config import parse_config
from gadoscope.training.export import export_bundle
from gadoscope.training.kinds import KIND_COLUMN, LEAST_IMAGES, fit_kinds
from tests.support.bundles import GATED_METADATA

CONFIG = parse_config(
    {"network": "compact", "gate": {"use_other": True}, "image": {"size": 32, "resize": "head_box"}}
)
KINDS = (OtherKind.T2, OtherKind.FLAIR)


@pytest.fixture(scope="module")
def store() -> Store:
    """T2 and FLAIR of phantoms: 24 images of each."""
    cohort = Cohort(subjects=8, seed=3, slices=3, matrix=64, plane=Plane.AXIAL, brain=True)
    images, items = [], []
    for number in cohort.numbers:
        subject = cohort.subject(number)
        scanner = draw_scanner(subject)
        for other in scan_contrasts(
            Head(subject), scanner, cohort.grid(scanner), [Contrast.T2, Contrast.FLAIR]
        ):
            kind = other.protocol.contrast.value
            images += [CONFIG.image.resize_slice(pixels) for pixels in other.pixels]
            items += [Item(path=Path(kind), label=Label.OTHER, extra={KIND_COLUMN: kind})] * 3
    return Store(
        images=np.stack(images),
        labels=np.full(len(images), CODES[Label.OTHER], np.uint8),
        digests=("",) * len(images),
        items=tuple(items),
    )


def build(*, members: int = 1) -> Network:
    return build_network("compact", 1, members=members, with_gate=True).eval()


def ask(network: nn.Module, store: Store) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    with torch.inference_mode():
        answer = network(torch.from_numpy(CONFIG.image.scale(store.images)))
    gate = gate_of(answer)
    assert gate is not None
    return phase_of(answer), gate, kinds_of(answer)


@pytest.mark.parametrize("members", [1, 2])
def test_even_a_gate_that_has_learned_nothing_tells_t2_from_flair_and_its_own_answer_stays(
    store: Store, members: int
) -> None:
    network = build(members=members)
    phase, gate, nothing = ask(network, store)
    assert nothing is None
    assert fit_kinds(network, store, CONFIG) == tuple(OtherKind)
    again = ask(network, store)
    assert torch.equal(again[0], phase)
    assert torch.equal(again[1], gate)
    assert again[2] is not None
    found = [list(OtherKind)[index] for index in again[2].argmax(dim=1).tolist()]
    truth = [OtherKind(item.extra[KIND_COLUMN]) for item in store.items]
    assert np.mean([one is other for one, other in zip(found, truth, strict=True)]) > 0.9


def test_the_same_seed_fits_the_same_reading_to_the_bit(store: Store) -> None:
    once, again = build(), build()
    for network in (once, again):
        fit_kinds(network, store, CONFIG)
    kinds = [ask(network, store)[2] for network in (once, again)]
    assert kinds[0] is not None
    assert kinds[1] is not None
    assert torch.equal(kinds[0], kinds[1])


def test_too_few_images_of_a_contrast_fit_nothing(store: Store) -> None:
    network = build()
    n = 0
    items = []
    for item in store.items:
        n += item.extra[KIND_COLUMN] == OtherKind.FLAIR.value
        few = item.extra[KIND_COLUMN] == OtherKind.FLAIR.value and n >= LEAST_IMAGES
        items.append(replace(item, extra={}) if few else item)
    assert fit_kinds(network, replace(store, items=tuple(items)), CONFIG) == ()
    assert ask(network, store)[2] is None


def test_a_network_without_a_gate_has_no_reading(store: Store) -> None:
    assert fit_kinds(build_network("compact", 1), store, CONFIG) == ()


def test_the_bundle_gives_the_reading_that_torch_gives(store: Store, tmp_path: Path) -> None:
    network = build()
    kinds = fit_kinds(network, store, CONFIG)
    gate = Gate(threshold=0.5, max_refused=0.0, chosen_on="", kinds=kinds)
    decision = replace(GATED_METADATA.decision, gate=gate)
    metadata = replace(GATED_METADATA, network="compact", image_path=CONFIG.image, decision=decision)
    export_bundle(network, tmp_path / "model.onnx", metadata)
    session = Session(tmp_path / "model.onnx")
    assert session.bundle.metadata == metadata
    answers = session.slice_answers(store.images)
    expected = ask(network, store)[2]
    assert expected is not None
    assert answers.kinds is not None
    np.testing.assert_allclose(answers.kinds, expected.numpy(), atol=1e-3)
