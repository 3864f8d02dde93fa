"""Start from the weights of a bundle instead of from noise."""

from dataclasses import replace

import torch
from torch import nn

from gadoscope.errors import ConfigError
from gadoscope.inference.bundle import Bundle
from gadoscope.training.config import TrainingConfig

OWN_SUFFIX = "-finetuned"
ALWAYS_FITS = 331
"""Pixels a side: the lesson's; every network here takes it."""


def take_own_name(config: TrainingConfig, start: Bundle | None) -> tuple[TrainingConfig, tuple[str, ...]]:
    """Return the config of a run that starts from ``start``, and what the user must know of it.

    A bundle that other images were added to is not the one that it began as: where the config still has that
    one's name, the new one gets a name of its own, and of its licence says no more than where it comes from.
    """
    if start is None or config.name != start.metadata.name:
        return config, ()
    base = start.metadata
    stated = f"{base.licence} for {start.model_id}" if base.licence else f"none stated for {start.model_id}"
    licence = f"not stated; fine-tuned from weights under: {stated}"
    named = replace(config, name=f"{base.name}{OWN_SUFFIX}", licence=licence)
    return named, (
        f"this bundle is called {named.name} and states no licence, since it starts from {start.model_id}: "
        "give it yours with --set name=... --set licence=...",
    )


def check_size(network: nn.Module, config: TrainingConfig) -> None:
    """Check that the network takes images of the config's size, before any is decoded for an hour.

    Raises
    ------
    ConfigError
        If they are too small for it.
    """
    size = config.image.size
    if size > ALWAYS_FITS:  # a trial of large ones would take the memory that it is to spare
        return
    was_training = network.training
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, 1, size, size))
    except RuntimeError as error:
        raise ConfigError(
            f"image.size = {size} is too small for the network {config.network}: nothing is left of an image "
            f"after its last layer. Name a larger size, such as {ALWAYS_FITS}."
        ) from error
    finally:
        network.train(was_training)
