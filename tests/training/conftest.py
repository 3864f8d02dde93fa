"""Finished runs that the tests of training share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gadoscope.training.job import Job, TrainedRun
from gadoscope.training.run import train
from tests.support.lessons import quick_config, small_config, write_slices
from tests.support.quick_runs import narrow_compact, remember_shortcuts, train_quickly


@pytest.fixture(scope="session")
def slices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in the lesson's layout."""
    return write_slices(tmp_path_factory.mktemp("slices") / "data")


@pytest.fixture(scope="session")
def few(slices: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table of six of its images: four train, two validate."""
    rows = ["path,subject_id,label,plane,source,split"]
    for label, name in (("pre", "no_gad"), ("post", "with_gad")):
        for index, split in enumerate(("train", "train", "validation")):
            rows.append(f"{slices}/Train/{name}/{index:02d}.png,{label}{index},{label},,,{split}")
    path = tmp_path_factory.mktemp("few") / "manifest.csv"
    path.write_text("\n".join(rows))
    return path


@pytest.fixture(scope="session")
def trained(slices: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Return a finished run of two epochs of the lesson's network."""
    with pytest.MonkeyPatch.context() as patch:
        remember_shortcuts(patch)
        run = train(Job(config=small_config(), data=slices, run=tmp_path_factory.mktemp("runs") / "first"))
    assert run is not None
    return run


@pytest.fixture(scope="session")
def trained_once(slices: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Return a finished run of one epoch of a quick network."""
    job = Job(config=quick_config(epochs=1), data=slices, run=tmp_path_factory.mktemp("runs") / "once")
    with pytest.MonkeyPatch.context() as patch:
        train_quickly(patch)
        narrow_compact(patch)
        run = train(job)
    assert run is not None
    return run


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out of the other runs what is claimed of `trained`, or elsewhere."""
    train_quickly(monkeypatch)


@pytest.fixture(autouse=True)
def _torch_settings_stay() -> Iterator[None]:
    """Undo what a training process sets for itself."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("default")
