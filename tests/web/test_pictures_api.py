"""Slices over the API, and what argued for a phase; files that have moved leave the row and no picture."""

import io
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from gadoscope.web.opened import Scans
from gadoscope.web.settings import Settings
from tests.support.nifti_files import save, values
from tests.support.web_server import make_store, serve_in_thread
from tests.web.test_uploads import refused_as

SERIES = "/api/v1/series"


@pytest.mark.parametrize("form", ["png", "webp"])
def test_a_slice_is_given_as_it_lies_on_disk(client: httpx.Client, folder: Path, form: str) -> None:
    number = client.get(SERIES).json()["items"][0]["id"]
    response = client.get(f"{SERIES}/{number}/slice/0.{form}")
    assert response.headers["content-type"] == f"image/{form}"
    picture = np.asarray(Image.open(io.BytesIO(response.content)).convert("L"), np.float64)
    files = [np.asarray(Image.open(path), np.float64) for path in (folder / "slices").glob("*.png")]
    assert max(np.corrcoef(picture.ravel(), one.ravel())[0, 1] for one in files) > 0.99
    assert refused_as(client.get(f"{SERIES}/{number}/slice/1.{form}")) == (404, "no-picture")


def test_what_argued_for_a_phase_is_given_for_each_slice_that_was_read(tmp_path: Path) -> None:
    (tmp_path / "slices").mkdir()
    scan = save(tmp_path / "slices" / "scan.nii.gz", values())
    store = make_store(tmp_path, n=0)
    settings = Settings(store=str(store), model=str(tmp_path / "tiny.onnx"))
    with serve_in_thread(settings) as served, served.client() as client:
        number = client.get(SERIES).json()["items"][0]["id"]
        said = client.get(f"{SERIES}/{number}/explanation").json()
        assert said["slices"]
        for one in said["slices"]:
            assert Image.open(io.BytesIO(client.get(one["picture"]).content)).format == "PNG"
        scan.unlink()
        served.app.state.scans = Scans()  # as if the server had begun anew
        assert refused_as(client.get(f"{SERIES}/{number}/slice/0.png")) == (404, "missing")
        assert refused_as(client.get(f"{SERIES}/{number}/explanation")) == (404, "missing")
        assert client.get(f"{SERIES}/{number}").status_code == 200
