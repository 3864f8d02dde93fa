"""Scans in a bucket are read as those of a disk are: the same rows, from few bytes, whatever goes wrong."""

import pickle
import time
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import gadoscope as gs
from gadoscope.labels import Phase, SeriesResult, Status
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.dicom.grouping.batches import unpack
from gadoscope.reading.discover import iter_inputs
from gadoscope.reading.remote import file, listings
from gadoscope.reading.remote.file import START_BYTES
from gadoscope.reading.remote.naming import locate
from gadoscope.reading.remote.path import RemotePath
from gadoscope.reading.scan import scan_group
from tests.support.commands import run_command
from tests.support.dicom_files import (
    classic_series,
    rename_series,
    set_pixels,
    stored_pixels,
    write_series,
)
from tests.support.nifti_files import save
from tests.support.s3 import BUCKET, Store, forget_stores

SLICES, MATRIX, SCALE = 30, 32, 8


def without_paths(rows: Sequence[SeriesResult]) -> list[SeriesResult]:
    return [replace(row, path="") for row in rows]


def below(rows: Sequence[SeriesResult], top: Path | str) -> list[str]:
    return [row.path.removeprefix(str(top)) for row in rows]


@pytest.mark.parametrize("part", ["", "medium/DICOMDIR", "series.zip", "pairs/pair.img"])
@pytest.mark.usefixtures("s3")
def test_rows_are_those_of_the_same_files_on_disk(part: str, archive: Path, bundle: Path, mixed: str) -> None:
    expected, rows = list(gs.classify(archive / part, bundle)), list(gs.classify(f"{mixed}/{part}", bundle))
    assert below(rows, mixed) == below(expected, archive)
    assert without_paths(rows) == without_paths(expected)


def test_of_a_series_the_headers_and_the_slices_used_are_read_and_no_more(
    tmp_path: Path, bundle: Path, s3: Store
) -> None:
    series = classic_series(n_slices=SLICES, matrix=MATRIX)
    for one in series:
        set_pixels(one, np.kron(stored_pixels(one), np.ones((SCALE, SCALE), np.uint16)))
    paths = write_series(series, tmp_path / "series")
    address = s3.put_folder(tmp_path / "series", "long")
    s3.forget()
    (row,) = gs.classify(address, bundle)
    whole = max(path.stat().st_size for path in paths)
    assert row.n_slices == SLICES
    assert 0 < row.n_slices_used < SLICES / 2
    assert sum(s3.bytes_of.values()) <= SLICES * START_BYTES + row.n_slices_used * whole
    assert sum(s3.n_asked.values()) <= SLICES + row.n_slices_used + 5


def test_of_a_volume_the_slices_asked_for_are_read_and_a_compressed_one_once(
    tmp_path: Path, bundle: Path, s3: Store
) -> None:
    noise = np.random.default_rng(0).integers(0, 4000, (64, 64, 300), dtype=np.int16)
    plain, packed = save(tmp_path / "plain.nii", noise), save(tmp_path / "packed.nii.gz", noise)
    s3.put("plain.nii", plain.read_bytes())
    gs.read_series(f"s3://{BUCKET}/plain.nii").volumes[0].open().read_slices([100, 200])
    assert s3.bytes_of["plain.nii"] < plain.stat().st_size / 10

    s3.put("packed.nii.gz", packed.read_bytes())
    output = tmp_path / "rows.csv"  # whose journal digests the whole file first
    run_command("classify", f"s3://{BUCKET}/packed.nii.gz", "--model", bundle, "--output", output)
    assert s3.bytes_of["packed.nii.gz"] == packed.stat().st_size


def test_of_a_zip_the_contents_and_the_members_asked_for_are_read(tmp_path: Path, s3: Store) -> None:
    packed = tmp_path / "large.zip"
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as file:
        file.writestr("a/noise.bin", rng.bytes(2**22))
        file.writestr("b/small.bin", b"some words")
    s3.put("large.zip", packed.read_bytes())
    s3.forget()
    with Source(locate(f"s3://{BUCKET}/large.zip"), "b/small.bin").open() as member:
        assert member.read() == b"some words"
    assert sum(s3.bytes_of.values()) < 2**20


def test_an_object_that_vanishes_after_it_was_listed_is_one_failed_row(
    tmp_path: Path, bundle: Path, s3: Store
) -> None:
    for name in "abc":
        save(tmp_path / f"{name}.nii.gz", np.full((8, 8, 8), 5, np.int16))
    address = s3.put_folder(tmp_path, "vanishing")
    inputs = iter_inputs([locate(address)])
    first = next(inputs)
    s3.client.delete_object(Bucket=BUCKET, Key="vanishing/b.nii.gz")
    found = [first, *inputs]
    with pytest.raises(gs.InputError, match="removed after it was listed") as failed, found[1].source.open():
        pass
    assert failed.value.reason == "missing"

    address = s3.put_folder(tmp_path, "vanishing2")

    def remove(name: str) -> None:
        if name.endswith("a.nii.gz"):
            s3.on_get = lambda _: None
            s3.client.delete_object(Bucket=BUCKET, Key="vanishing2/b.nii.gz")

    s3.on_get = remove
    rows = list(gs.classify(address, bundle, jobs=1))
    assert [row.reason.partition(":")[0] for row in rows if row.status is Status.FAILED] in ([], ["missing"])
    assert len(rows) == 3


def test_what_may_not_be_read_says_which_credentials_to_check(
    tmp_path: Path, bundle: Path, s3: Store
) -> None:
    save(tmp_path / "secret.nii.gz", np.full((8, 8, 8), 5, np.int16))
    save(tmp_path / "open.nii.gz", np.full((8, 8, 8), 5, np.int16))
    address = s3.put_folder(tmp_path, "closed")
    s3.refused.add("closed/secret")
    rows = list(gs.classify(address, bundle))
    assert [row.path.rpartition("/")[2] for row in rows] == ["open.nii.gz", "secret.nii.gz"]
    assert [row.status is Status.FAILED for row in rows] == [False, True]
    assert rows[1].reason.startswith("no_permission: the server gives no permission")


@pytest.mark.parametrize("name", [f"{BUCKET}/no/such", "no-such-bucket/a", "No_Such Bucket/a"])
def test_what_is_not_there_is_a_failed_row(name: str, bundle: Path, s3: Store) -> None:
    (row,) = gs.classify(f"s3://{name}", bundle)
    assert row.status is Status.FAILED
    assert row.reason.startswith("missing: there is no ")
    assert ("bucket of this name" in row.reason) is (not name.startswith(BUCKET))


def test_a_server_that_cannot_be_reached_is_tried_a_few_times_and_told(
    bundle: Path, s3: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    forget_stores()
    began = time.monotonic()
    (row,) = gs.classify("s3://far-away/a.nii.gz", bundle)
    assert row.reason.startswith("unreachable: the server could not be reached")
    assert time.monotonic() - began < 30


def test_without_credentials_the_row_says_where_they_are_looked_for(
    bundle: Path, s3: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    forget_stores()
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    (row,) = gs.classify("s3://nobodys/a.nii.gz", bundle)
    assert row.reason.startswith("no_permission: no credentials were found; set AWS_PROFILE")


def test_no_key_is_told_whatever_fails(
    bundle: Path, s3: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    done = run_command("classify", "s3://not-there/a", f"s3://{BUCKET}/b", "--model", bundle, "--json")
    assert "wJalrXUtnFEMI" not in done.stdout + done.stderr
    assert done.returncode == 3


def test_a_source_pickles_and_is_packed_with_what_its_listing_said(archive: Path, s3: Store) -> None:
    address = s3.put_folder(archive / "dicom", "packed")
    found = list(iter_inputs([locate(address)]))
    again = pickle.loads(pickle.dumps([one.source for one in found]))  # noqa: S301 — ours
    assert again == [one.source for one in found]
    scanned = scan_group(found)
    assert not scanned.left
    sources = [source for _, source in unpack(batch.packed for batch in scanned.batches)]
    assert sorted(sources, key=str) == sorted(again, key=str)
    assert all(isinstance(source.path, RemotePath) and source.path.seen for source in sources)


def test_one_series_is_opened(tmp_path: Path, s3: Store) -> None:
    write_series(rename_series(classic_series(), "one"), tmp_path / "one")
    series = gs.read_series(s3.put_folder(tmp_path, "one-series"))
    here = gs.read_series(tmp_path)
    assert np.array_equal(
        series.volumes[0].open().read_slices([0, 1]), here.volumes[0].open().read_slices([0, 1])
    )


def test_a_folder_is_listed_page_by_page_and_only_a_short_one_is_remembered(
    s3: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        s3.put(f"many/{number}", b"x")
    monkeypatch.setattr(listings, "MOST_NAMES", 3)
    folder = RemotePath(f"s3://{BUCKET}/many")
    assert [place.name for place in folder.iterdir()] == list("01234")
    assert listings._kept.find_folder(folder) is None
    assert not (folder / "none").is_file()
    assert (folder / "3").is_file()


def test_objects_that_are_as_they_were_are_not_read_again_and_one_that_was_written_anew_is(
    archive: Path, bundle: Path, s3: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sqlalchemy", reason="the store needs the extra `store`")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    address, kept = s3.put_folder(archive / "dicom", "nightly"), f"sqlite:///{tmp_path / 'answers.db'}"

    def run() -> list[str]:
        forget_stores()
        monkeypatch.setattr(
            file, "remembered", file._Remembered()
        )  # as another process, which has nothing in memory
        s3.forget()
        output = tmp_path / "rows.csv"
        output.unlink(missing_ok=True)
        run_command("classify", address, "--model", bundle, "--store", kept, "--output", output, "--quiet")
        return sorted(output.read_text().splitlines())

    first = run()
    assert s3.bytes_of
    assert (run(), sum(s3.bytes_of.values())) == (first, 0)
    changed = min((archive / "dicom" / Phase.PRE_CONTRAST).iterdir())
    name = f"nightly/{changed.relative_to(archive / 'dicom').as_posix()}"
    content = changed.read_bytes()
    s3.put(name, content[:-2] + bytes((content[-2] ^ 1, content[-1])))
    run()
    assert name in s3.bytes_of
