"""No name of a patient, whether of a path or quoted from a header, is told unless the server may."""

from dataclasses import replace
from pathlib import Path

import pytest

from gadoscope.labels import QuoteMode
from gadoscope.web.settings import Settings
from tests.support.nifti_files import save, values
from tests.support.web_server import make_store, serve_in_thread

NAME = "MUELLER_ANNA"
API = "/api/v1"


@pytest.mark.parametrize("shows", [False, True])
def test_a_name_in_a_path_and_in_a_full_quote_is_told_only_by_a_server_that_may(
    tmp_path: Path, *, shows: bool
) -> None:
    (tmp_path / "slices" / NAME).mkdir(parents=True)
    save(tmp_path / "slices" / NAME / f"{NAME}_ce-gadovist_T1w.nii.gz", values())
    store = make_store(tmp_path, n=0, quote=QuoteMode.FULL)
    settings = replace(Settings(store=str(store), model=str(tmp_path / "tiny.onnx")), show_identity=shows)
    with serve_in_thread(settings) as served, served.client() as client:
        number = client.get(f"{API}/series").json()["items"][0]["id"]
        addresses = [f"{API}/{one}" for one in ("series", f"series/{number}", "answers", "studies")]
        told = {one: NAME in client.get(one).text for one in (*addresses, "/", "/queue", f"/series/{number}")}
        log = "".join(served.lines)
    assert NAME not in log
    of_rows = dict.fromkeys(addresses[:3], shows)
    assert {one: told[one] for one in of_rows} == of_rows
    assert shows or not any(told.values()), told
