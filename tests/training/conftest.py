"""One finished run that the tests of training share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gadoscope.training.job import Job, TrainedRun
from gadoscope.training.run import train
from tests.support.lessons import small_config, write_slices


@pytest.fixture(scope="session")
def slices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in the lesson's layout."""
    return write_slices(tmp_path_factory.mktemp("slices") / "data")


@pytest.fixture(scope="session")
def trained(slices: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Return a finished run of two epochs."""
    run = train(Job(config=small_config(), data=slices, run=tmp_path_factory.mktemp("runs") / "first"))
    assert run is not None
    return run


@pytest.fixture(autouse=True)
def _torch_settings_stay() -> Iterator[None]:
    """Undo what a training process sets for itself."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)
