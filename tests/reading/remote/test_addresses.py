"""What an address is and what of it is shown; what is no address, needs a library, or is a web server's."""

import functools
import http.server
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gadoscope as gs
from gadoscope.errors import UsageError
from gadoscope.labels import Status
from gadoscope.reading.remote.addresses import hide_secrets
from gadoscope.reading.remote.failures import explain
from gadoscope.reading.remote.naming import locate
from gadoscope.reading.remote.path import RemotePath, Seen, read_location, spell_location
from tests.support.commands import run_command
from tests.support.dicom_files import classic_series, write_series
from tests.support.nifti_files import save

fsspec: Any = pytest.importorskip("fsspec", reason="fsspec is of the extra s3")
SIGNED = "https://host/a.nii.gz?X-Amz-Credential=AKIA&X-Amz-Signature=77ab&id=3"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://ann:s3cret@host:8000/a/b.nii", "https://host:8000/a/b.nii"),
        (SIGNED, "https://host/a.nii.gz?X-Amz-Credential=***&X-Amz-Signature=***&id=3"),
        ("s3://bucket/what?/b#1", "s3://bucket/what?/b#1"),
        ("https://host/wado?objectUID=1.2.3", "https://host/wado?objectUID=1.2.3"),
    ],
)
def test_what_signs_an_address_is_never_shown(address: str, shown: str) -> None:
    place = locate(address)
    assert str(place) == hide_secrets(address) == shown
    assert "s3cret" not in repr(place)
    assert "77ab" not in repr(place)
    assert spell_location(place).startswith(address)  # but it is opened with it


def test_a_place_at_an_address_is_asked_as_a_path_is() -> None:
    place, path = RemotePath("s3://bucket/a/b.tar/c.nii.gz"), Path("/bucket/a/b.tar/c.nii.gz")
    assert (place.name, place.suffix) == (path.name, path.suffix)
    assert [str(one) for one in place.parents] == ["s3://bucket/a/b.tar", "s3://bucket/a", "s3://bucket"]
    assert str(place.with_name("d")) == str(place.parent / "d") == "s3://bucket/a/b.tar/d"
    assert RemotePath("s3://bucket").parent == RemotePath("s3://bucket")
    assert place > Path("/a") and RemotePath("s3://a") < RemotePath("s3://b")  # noqa: PT018 — one order
    seen = RemotePath("s3://bucket/a", Seen(5, "etag"))
    assert read_location(spell_location(seen)).seen == seen.seen  # type: ignore[union-attr]
    assert read_location(spell_location(path)) == path


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("s4://bucket/a", "'s4://' is no scheme that is known; did you mean s3://?"),
        ("nonsense://a", "'nonsense://' is no scheme that is known; s3:// and https:// are some that are."),
        ("simplecache::s3://b/c.zip", "'simplecache::s3://' chains file systems"),
        ("zip://a/b.zip", "is no scheme that is known"),
        ("gs://bucket/a", "'gs://' needs a library that is not installed: pip install gcsfs"),
        ("s3://key:secret@bucket/a", "s3://bucket/a came with a user or a password"),
    ],
)
def test_an_address_that_cannot_be_read_is_wrong_usage_and_says_what_to_do(address: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as failed:
        locate(address)
    assert "secret" not in str(failed.value)
    done = run_command("classify", address)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


def test_without_the_extra_an_address_says_how_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UsageError, match=r"'s3://' needs fsspec, which is not installed: .*\[s3\]"):
        locate("s3://bucket/a")


def test_file_addresses_are_paths_and_drives_no_addresses() -> None:
    assert locate("file:///data/a%20b.nii") == Path("/data/a b.nii")
    assert locate(r"C://data") == Path(r"C://data")
    assert locate("data/s3:") == Path("data/s3:")


def test_what_a_library_says_is_not_told_for_it_may_hold_a_password() -> None:
    said = explain(RuntimeError("https://ann:s3cret@host"))
    assert (
        str(said.meaning)
        == "io_error: the server could not give it (RuntimeError); check the address and try again."
    )


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Return a volume with a sidecar, one without, and a series."""
    top = tmp_path / "scans"
    (top / "sub").mkdir(parents=True)
    for name in ("named", "other"):
        save(top / "sub" / f"{name}.nii.gz", np.full((12, 12, 9), 5, np.int16))
    (top / "sub" / "named.json").write_text('{"ContrastBolusIngredient": "GADOLINIUM"}')
    write_series(classic_series(), top / "series")
    return top


def test_what_lies_in_memory_is_read_in_this_process(scans: Path, tiny_bundle: Path) -> None:
    fsspec.filesystem("memory").put(str(scans), "/held-scans", recursive=True)
    rows, expected = (
        list(gs.classify("memory://held-scans", tiny_bundle)),
        list(gs.classify(scans, tiny_bundle)),
    )
    assert [replace(row, path="") for row in rows] == [replace(row, path="") for row in expected]
    assert [row.path for row in rows] == [
        row.path.replace(str(scans), "memory://held-scans") for row in expected
    ]


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve a folder as Python's own server does: with pages of links, and whole files only."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=served.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{served.server_port}"
    finally:
        served.shutdown()
        served.server_close()


def test_a_web_server_is_walked_by_its_links_and_need_know_no_ranges(scans: Path, tiny_bundle: Path) -> None:
    expected = list(gs.classify(scans, tiny_bundle))
    with serve_folder(scans) as address:
        rows = list(gs.classify(f"{address}/", tiny_bundle))
        (alone,) = gs.classify(f"{address.replace('//', '//ann:s3cret@')}/sub/named.nii.gz", tiny_bundle)
        (gone,) = gs.classify(f"{address}/sub/none.nii.gz", tiny_bundle)
    assert [replace(row, path="") for row in rows] == [replace(row, path="") for row in expected]
    assert alone == next(row for row in rows if row.path.endswith("named.nii.gz"))
    assert gone.status is Status.FAILED
    assert gone.reason.startswith("missing: there is no such object")


def test_a_server_that_is_not_there_is_told_without_the_password(tiny_bundle: Path) -> None:
    (row,) = gs.classify("http://ann:s3cret@127.0.0.1:1/a.nii.gz", tiny_bundle)
    assert row.reason.startswith("unreachable: ")
    assert "s3cret" not in repr(row)
