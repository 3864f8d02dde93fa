"""Trainings that end early: by themselves after an epoch, or in a copy of this process that is killed."""

import multiprocessing
import warnings
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
import torch

from gadoscope.training.loop import Moment


class StoppedError(Exception):
    """Ends a run as a killed process would: its last checkpoint stays, and nothing is exported."""


def stop_after(epoch: int) -> Callable[[Moment], None]:
    """Return a watch that ends the run when the checkpoint of ``epoch`` is written."""

    def watch(moment: Moment) -> None:
        if moment.row is not None and moment.epoch == epoch:
            raise StoppedError

    return watch


def start_copy(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    """Start ``target`` in a copy of this process, which has torch already; skip where none can be made."""
    if torch.cuda.is_available() or "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("needs a process that can be copied; the slow test starts one of its own")
    process = multiprocessing.get_context("fork").Process(target=target, args=arguments, daemon=True)
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message=".*multi-threaded, use of fork", category=DeprecationWarning
        )
        process.start()
    return process
