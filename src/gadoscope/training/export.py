"""A trained network becomes a bundle: one ONNX file that answers as torch does, checked before it is kept."""

from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from gadoscope.errors import TrainingError
from gadoscope.files import write_beside
from gadoscope.inference.bundle import METADATA_KEY, BundleMetadata
from gadoscope.inference.session import Session
from gadoscope.models.network import gate_of, kinds_of, phase_of
from gadoscope.training.onnx_graph import to_onnx

LARGEST_DIFFERENCE = 1e-5
"""Largest allowed difference of a probability between torch and ONNX Runtime."""

N_CHECK_IMAGES = 4


def export_bundle(model: nn.Module, path: Path, metadata: BundleMetadata) -> float:
    """Write ``model`` as a bundle and return how far its probabilities are from torch's.

    Parameters
    ----------
    model
        Maps float32 images (n, 1, size, size) in [0, 1] to float32 logits (n,): of the phase, or of the
        phase and of the gate if ``metadata`` has one, and (n, n_kinds) of what else an image is if it names
        kinds.
    path
        The .onnx file; written whole or not at all.
    metadata
        Everything that travels with the weights; its image path gives the input's size.

    Raises
    ------
    TrainingError
        If ONNX Runtime's probabilities differ by more than ``LARGEST_DIFFERENCE``.
    OutputError
        If the file cannot be written.
    """
    size = metadata.image_path.size
    was_training = model.training
    model.eval()
    program = to_onnx(model, size, metadata.outputs)
    program.metadata_props.append(onnx.StringStringEntryProto(key=METADATA_KEY, value=metadata.to_json()))
    onnx.checker.check_model(program, full_check=True)
    with write_beside(path) as beside:
        beside.write_bytes(program.SerializeToString())
        difference = _largest_difference(model, beside, size)
        if not difference <= LARGEST_DIFFERENCE:
            raise TrainingError(
                f"the exported bundle's probabilities differ from the network's by {difference:.2e}; "
                f"at most {LARGEST_DIFFERENCE:.0e} is allowed, so {path} was not written."
            )
    model.train(was_training)
    return difference


def _largest_difference(model: nn.Module, path: Path, size: int) -> float:
    """Compare probabilities on images of noise of several scales: no data is needed for that."""
    generator = np.random.default_rng(0)
    scales = np.linspace(0.25, 1.0, N_CHECK_IMAGES)[:, None, None, None]
    images = (generator.random((N_CHECK_IMAGES, 1, size, size)) * scales).astype(np.float32)
    device = next(model.parameters()).device
    with torch.inference_mode():
        answer = model(torch.from_numpy(images).to(device))
    found = Session(path).answers(images)
    pairs = [
        (phase_of(answer), found.phase),
        (gate_of(answer), found.t1_brain),
        (kinds_of(answer), found.kinds),
    ]
    return max(
        float((torch.from_numpy(ours).sigmoid() - theirs.double().cpu().sigmoid()).abs().max())
        for theirs, ours in pairs
        if theirs is not None and ours is not None
    )
