"""Trainings that end early: by themselves after an epoch, or in a copy of this process that is killed."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from gadoscope.training.loop import Moment
from tests.support.copies import Copy, start_copy


class StoppedError(Exception):
    """Ends a run as a killed process would: its last checkpoint stays, and nothing is exported."""


def stop_after(epoch: int) -> Callable[[Moment], None]:
    """Return a watch that ends the run when the checkpoint of ``epoch`` is written."""

    def watch(moment: Moment) -> None:
        if moment.row is not None and moment.epoch == epoch:
            raise StoppedError

    return watch


def start_training(train: Callable[..., None], *arguments: Any) -> Copy:
    """Start ``train`` in a copy of this process, which has torch already; skip where none can be made."""
    if torch.cuda.is_available():
        pytest.skip("needs a process that can be copied; the slow test starts one of its own")

    def run() -> int:
        train(*arguments)
        return 0

    return start_copy(run)
