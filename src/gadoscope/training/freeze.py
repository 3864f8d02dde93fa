"""The operating point: chosen on the validation images with the finished bundle, then frozen in it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gadoscope.evaluation.metrics import confusion_at, roc_auc
from gadoscope.evaluation.operating_point import choose_threshold
from gadoscope.imaging.intensity import ImagePath
from gadoscope.inference.bundle import OperatingPoint
from gadoscope.inference.decide import sigmoid
from gadoscope.training.config import OperatingPointConfig
from gadoscope.training.loop import VALIDATION_BATCH_SIZE, TrainingData


@dataclass(frozen=True, kw_only=True)
class FrozenPoint:
    """An operating point and what it reaches on the images it was chosen on."""

    point: OperatingPoint
    performance: Mapping[str, Any]


def freeze_operating_point(
    network: nn.Module,
    data: TrainingData,
    image_path: ImagePath,
    config: OperatingPointConfig,
    n_subjects: int | None,
) -> FrozenPoint:
    """Choose the threshold on the validation images by ``config.rule``.

    ``n_subjects`` is None where subjects are unknown; it is for the words only.
    """
    is_post = data.store.labels[data.validation] == 1
    probability = sigmoid(_infer(network, data, image_path))
    threshold = choose_threshold(is_post, probability, config.rule)
    confusion = confusion_at(is_post, probability, threshold)
    subjects = "subjects unknown" if n_subjects is None else f"{n_subjects} subjects"
    logit = math.log(threshold / (1 - threshold))
    band = config.abstain_below_logit
    point = OperatingPoint(
        threshold=threshold,
        lower=float(sigmoid(np.array(logit - band))) if band else threshold,
        upper=float(sigmoid(np.array(logit + band))) if band else threshold,
        rule=config.rule,
        chosen_on=f"validation: {len(is_post)} images, {subjects}",
    )
    performance = {
        "validation": {
            "n_images": len(is_post),
            "n_subjects": n_subjects,
            "auc": roc_auc(is_post, probability),
            "accuracy": (confusion.true_pre + confusion.true_post) / len(is_post),
            "confusion": confusion.matrix,
        }
    }
    return FrozenPoint(point=point, performance=performance)


@torch.inference_mode()
def _infer(network: nn.Module, data: TrainingData, image_path: ImagePath) -> NDArray[np.float64]:
    """Return the logits of the validation images in full precision, whatever the run trained in."""
    network.eval()
    device = next(network.parameters()).device
    logits = []
    for start in range(0, len(data.validation), VALIDATION_BATCH_SIZE):
        rows = data.validation[start : start + VALIDATION_BATCH_SIZE]
        images = torch.from_numpy(image_path.scale(data.store.images[rows])).to(device)
        logits.append(network(images).double().cpu().numpy())
    return np.concatenate(logits)
