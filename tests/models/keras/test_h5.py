"""Old weights answer as Keras did, from every layout in which Keras saves them."""

import hashlib
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from gadoscope.errors import WeightsError
from gadoscope.imaging.intensity import ImagePath
from gadoscope.models.keras import h5
from gadoscope.models.keras.h5 import read_keras_file
from gadoscope.models.keras.layouts import read_layout
from gadoscope.models.siim import Siim
from tests.fixtures.keras.reference import draw_images, read_probabilities
from tests.support.keras_files import KERAS2, KERAS3, write_layout, write_sequential


def answer(weights: dict[str, NDArray[np.float32]], images: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the network's probabilities with ``weights``."""
    network = Siim()
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    with torch.inference_mode():
        probabilities: NDArray[np.float64] = network(torch.from_numpy(images)).double().sigmoid().numpy()
    return probabilities


@pytest.mark.parametrize(("file", "version"), [(KERAS2, "2.21.0"), (KERAS3, "3.15.1")])
def test_probabilities_equal_those_that_keras_gave(file: Path, version: str) -> None:
    read = read_keras_file(file)
    expected = read_probabilities()["synthetic"][file.name]
    assert max(expected) - min(expected) > 0.5, "a reference that hardly varies would prove nothing"
    np.testing.assert_allclose(answer(read.state, ImagePath().scale(draw_images())), expected, atol=1e-5)
    assert read.keras_version == version


def test_the_published_weights_answer_as_keras_did_on_real_slices(shared: Path) -> None:
    report, folder = read_probabilities(), shared / "data"
    file = folder / "lesson" / "SimpleGadClass.h5"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == report["published_sha256"]
    path, slices = ImagePath(), []
    for name in report["published"]:
        with Image.open(folder / name) as image:
            slices.append(path.resize_slice(np.asarray(image.convert("L"))))
    read = read_keras_file(file)
    answers = answer(read.state, path.scale(np.stack(slices)))
    np.testing.assert_allclose(answers, list(report["published"].values()), atol=1e-5)
    assert read.keras_version == "2.5.0"


@cache
def read_keras2() -> dict[str, NDArray[np.float32]]:
    return read_keras_file(KERAS2).state


@pytest.mark.parametrize("layout", ["keras3.h5", "keras2_weights.h5", "keras3.weights.h5"])
def test_every_other_layout_of_keras_gives_the_same_weights(layout: str, tmp_path: Path) -> None:
    assert_same_weights(write_layout(layout, tmp_path / "a.h5"))


def test_a_sequential_of_early_keras_2_gives_the_same_weights(tmp_path: Path) -> None:
    assert_same_weights(write_sequential(tmp_path / "sequential.h5"))


def test_the_content_counts_and_not_the_files_name(tmp_path: Path) -> None:
    shutil.copy(KERAS3, tmp_path / "weights.h5")
    assert_same_weights(tmp_path / "weights.h5")


def assert_same_weights(path: Path) -> None:
    """Read what was written here within this process, which is what the reader's process does."""
    expected = read_keras2()
    found = read_layout(path).state
    assert found.keys() == expected.keys() == Siim().state_dict().keys()
    for name, array in found.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, expected[name])


def test_a_crash_of_the_hdf5_library_becomes_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h5, "READER", (sys.executable, "-c", "import os; os.abort()"))
    with pytest.raises(WeightsError, match=r"keras2.h5 is damaged \(reading it crashed.*copy or download"):
        read_keras_file(KERAS2)


def test_a_file_that_keeps_the_library_busy_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h5, "READER", (sys.executable, "-c", "import time; time.sleep(60)"))
    monkeypatch.setattr(h5, "READ_LIMIT_S", 0.2)
    with pytest.raises(WeightsError, match=r"keras2.h5 is damaged \(not read after"):
        read_keras_file(KERAS2)


def test_modules_in_the_current_folder_are_not_run(tmp_path: Path) -> None:
    for module in ("h5py", "json", "numpy"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('ran')")
    code = f"from gadoscope.models.keras.h5 import *; read_keras_file(Path({str(KERAS2)!r}))"
    run = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
