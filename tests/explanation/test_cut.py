"""The cut network: the same answer as the whole one, and cells that look where it is said they look."""

import pytest
import torch
from torch import Tensor

from gadoscope.explanation.cut import N_STAGES, CutNetwork, cell_centres, receptive_field
from gadoscope.models.siim import Siim

STAGES = range(1, N_STAGES + 1)


def maps_at_the_cut(view: CutNetwork, images: Tensor) -> Tensor:
    seen: list[Tensor] = []
    handle = view.cut.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with torch.inference_mode():
        view(images)
    handle.remove()
    return seen[0]


@pytest.fixture(scope="module")
def network() -> Siim:
    """Return a network whose biases are not zero."""
    model = Siim(torch.Generator().manual_seed(5))
    generator = torch.Generator().manual_seed(6)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.uniform_(-0.1, 0.1, generator=generator)
    return model.eval()


@pytest.mark.parametrize("stage", STAGES)
def test_wherever_it_is_cut_the_answer_is_that_of_the_whole_network(network: Siim, stage: int) -> None:
    images = torch.rand((2, 1, 331, 331), generator=torch.Generator().manual_seed(7))
    with torch.inference_mode():
        torch.testing.assert_close(CutNetwork(network, stage)(images), network(images), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("stage", STAGES)
def test_a_cell_answers_to_a_pixel_within_its_field_and_to_none_outside(stage: int) -> None:
    """All weights one and no bias: a lone bright pixel reaches exactly the cells that see it."""
    network = Siim()
    with torch.no_grad():
        for convolution in network.convolutions:
            convolution.weight.fill_(1.0)
    centres = cell_centres(stage)
    cell = len(centres) // 2
    half = (receptive_field(stage) - 1) / 2
    first, last = int(centres[cell] - half), int(centres[cell] + half)
    images = torch.zeros((4, 1, 331, 331))
    for number, pixel in enumerate((first - 1, first, last, last + 1)):
        images[number, 0, pixel, pixel] = 1.0
    maps = maps_at_the_cut(CutNetwork(network, stage), images)
    assert maps.shape[2:] == (len(centres), len(centres))
    assert (maps[:, 0, cell, cell] > 0).tolist() == [False, True, True, False]


def test_the_cells_of_the_last_convolution_look_at_the_middle_of_the_image() -> None:
    assert cell_centres(6).tolist() == [78.5, 110.5, 142.5, 174.5, 206.5, 238.5]
    assert receptive_field(6) == 158


@pytest.mark.parametrize("stage", [0, 7])
def test_a_stage_that_is_not_there_is_named(stage: int) -> None:
    with pytest.raises(ValueError, match=f"stage = {stage}; the network has convolutions 1 to 6"):
        cell_centres(stage)
