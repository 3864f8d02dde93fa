"""Tars are folders as zips are: every member is found and read where it lies, within the limits of zips."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.archives import tars, unpack, zip_limits, zips
from gadoscope.reading.archives.zips import close_archives, list_members, open_member
from gadoscope.reading.formats import PREFIX_BYTES, Kind, find_kind

NOISE = np.random.default_rng(0).bytes(300_000)
ENDINGS: dict[str, Literal["w", "w:gz", "w:bz2", "w:xz"]] = {
    "tar": "w", "tar.gz": "w:gz", "tar.bz2": "w:bz2", "tar.xz": "w:xz"
}  # fmt: skip


@pytest.fixture(autouse=True)
def closed_archives() -> Iterator[None]:
    yield
    close_archives()
    assert not zips._open


def write_tar(
    path: Path, members: dict[str, bytes], *, ending: str = "tar", form: int = tarfile.PAX_FORMAT
) -> Path:
    with tarfile.open(path, ENDINGS[ending], format=form) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def listed(path: Path, member: str = "") -> list[str]:
    return [
        name if error is None else f"{name}: {error.reason}" for name, error in list_members(path, member)
    ]


def read(path: Path, member: str) -> bytes:
    with open_member(path, member) as file:
        return file.read()


FORMS = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)


# Every ending in one form, and every form in one ending; the slow ones are the same two claims at once.
@pytest.mark.parametrize(
    ("ending", "form"),
    [
        pytest.param(ending, form, marks=() if form == FORMS[0] or ending == "tar" else pytest.mark.slow)
        for ending in ENDINGS
        for form in FORMS
    ],
)
def test_members_come_in_the_order_of_a_walk_and_are_read_from_any_place(
    tmp_path: Path, ending: str, form: int
) -> None:
    names = ["b/2", "./a", "b/1", "B", ".git/x", "d/._hidden", "n" * 90, "../../etc/passwd", "/abs"]
    members = {name: NOISE if name.endswith("a") else b"small" for name in names}
    path = write_tar(tmp_path / "archive", members, ending=ending, form=form)
    assert find_kind(path.read_bytes()[:PREFIX_BYTES]) is Kind.TAR
    assert listed(path) == ["/abs", "../../etc/passwd", "B", "a", "b/1", "b/2", "n" * 90]
    with open_member(path, "a") as file:
        assert file.seek(0, io.SEEK_END) == len(NOISE)
        for start in (0, 200_000, 17, len(NOISE) - 5, len(NOISE) + 9):
            assert file.seek(start) == start
            assert file.read(100) == NOISE[start : start + 100]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_and_names_in_any_script_are_kept(tmp_path: Path, form: int) -> None:
    names = ["d/" * 300 + "x", "Schädel/頭.dcm"]
    path = write_tar(tmp_path / "a.tar", dict.fromkeys(names, b"x"), form=form)
    assert listed(path) == sorted(names)
    assert read(path, names[0]) == b"x"


def test_links_devices_and_pipes_are_never_followed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo(f"special{kind.decode()}")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("folder")
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    assert {name.partition(": ")[2] for name in listed(tmp_path / "a.tar")} == {"special_member"}
    assert len(listed(tmp_path / "a.tar")) == 5
    with pytest.raises(RefusedError, match="special_member"):
        read(tmp_path / "a.tar", "special2")


def test_of_two_members_of_one_name_the_last_is_read_and_the_other_is_told(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar", {"x": b"first", "./x": b"last"})
    assert sorted(listed(tmp_path / "a.tar")) == ["x", "x: duplicate_member"]
    assert read(tmp_path / "a.tar", "x") == b"last"


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_tar_in_a_zip_and_a_zip_in_a_tar_are_read(tmp_path: Path, ending: str) -> None:
    inner = write_tar(tmp_path / "in", {"deep/x": NOISE}, ending=ending)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(inner, "in.tar")
    assert listed(tmp_path / "a.zip", "in.tar") == ["deep/x"]
    assert read(tmp_path / "a.zip", "in.tar!deep/x") == NOISE
    write_tar(tmp_path / "b.tar", {"a.zip": (tmp_path / "a.zip").read_bytes()}, ending=ending)
    assert read(tmp_path / "b.tar", "a.zip!in.tar!deep/x") == NOISE


def test_archives_deeper_than_three_are_refused(tmp_path: Path) -> None:
    content = b"x"
    for _ in range(4):
        content = write_tar(tmp_path / "a.tar", {"a.tar": content}).read_bytes()
    assert listed(tmp_path / "a.tar", "a.tar!a.tar") == ["a.tar"]
    with pytest.raises(RefusedError, match="to a depth of 3"):
        list_members(tmp_path / "a.tar", "a.tar!a.tar!a.tar")


# --- Bombs


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gz", "bz2", "xz"])
def test_a_tar_that_unpacks_to_far_more_than_it_is_is_refused(
    tmp_path: Path, pack: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "MIN_BOMB_BYTES", 6 * 2**20)
    plain = write_tar(tmp_path / "a.tar", {"x": bytes(7 * 2**20)})
    assert callable(pack)
    (tmp_path / "a.tgz").write_bytes(pack(plain.read_bytes()))
    with pytest.raises(RefusedError, match="zip_bomb"):
        list_members(tmp_path / "a.tgz")


def test_a_header_that_is_extended_without_end_is_refused_unread(tmp_path: Path) -> None:
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 2**40
    (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(2000))
    with pytest.raises(RefusedError, match="zip_bomb: a header of this archive is extended"):
        list_members(tmp_path / "a.tar")


def test_a_member_with_holes_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (0, 512)  # one piece
    header[483:495] = b"%011o\0" % 2**32  # of a file of 4 GiB
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "a.tar").write_bytes(bytes(header) + bytes(512 + 1024))
    assert listed(tmp_path / "a.tar") == ["x: unsupported_compression"]


def test_more_members_than_are_read_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "MAX_MEMBERS", 10)
    path = write_tar(tmp_path / "a.tar", {str(n): b"" for n in range(11)})
    with pytest.raises(RefusedError, match="too_many_members"):
        list_members(path)


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
def test_more_tiny_members_than_have_any_use_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(zip_limits, "MAX_SMALL_MEMBERS", 10)
    path = write_tar(tmp_path / f"a.{ending}", {str(n): b"x" for n in range(11)}, ending=ending)
    with pytest.raises(RefusedError, match="too_many_members"):
        list_members(path)


def test_tiny_members_before_slices_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_limits, "MAX_SMALL_MEMBERS", 10)
    path = write_tar(tmp_path / "a.tar", {**{str(n): b"" for n in range(20)}, "slice": NOISE})
    assert len(list_members(path)) == 21


def test_a_larger_copy_than_fits_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "MAX_UNPACKED_BYTES", 100_000)
    path = write_tar(tmp_path / "a.tgz", {"x": NOISE}, ending="tar.gz")
    with pytest.raises(RefusedError, match="too_large"):
        list_members(path)


def test_xz_that_takes_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_XZ_BYTES", 2**16)
    path = write_tar(tmp_path / "a.txz", {"x": NOISE}, ending="tar.xz")
    with pytest.raises(RefusedError, match="takes too much memory"):
        list_members(path)


# --- Damage


@pytest.mark.parametrize("ending", ["tar.gz", "tar.bz2", "tar.xz"])
@pytest.mark.parametrize("n_bytes", [100, 100_000, -1])
def test_a_compressed_tar_that_ends_too_early_is_one_row(tmp_path: Path, ending: str, n_bytes: int) -> None:
    path = write_tar(tmp_path / "a.tgz", {"x": NOISE}, ending=ending)
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ReadError, match="damaged or ends too early"):
        list_members(path)


def test_a_tar_that_ends_too_early_gives_what_is_whole_and_says_that_it_is_damaged(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"x": NOISE, "y": NOISE, "z": NOISE})
    path.write_bytes(path.read_bytes()[:500_000])
    assert listed(path) == [": damaged_archive", "x", "y: damaged_archive"]
    assert read(path, "x") == NOISE


def test_a_damaged_header_hides_nothing_without_a_word(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"x": b"x", "y": b"y", "z": b"z"})
    content = bytearray(path.read_bytes())
    content[1024 + 20 : 1024 + 40] = b"?" * 20
    path.write_bytes(content)
    assert listed(path) == [": damaged_archive", "x"]


def test_a_compressed_file_that_is_no_tar_is_refused(tmp_path: Path) -> None:
    for name, content in (("a.bz2", bz2.compress(NOISE)), ("b.gz", gzip.compress(NOISE))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RefusedError, match="is no tar"):
            list_members(tmp_path / name)


def test_several_streams_in_one_file_are_one_tar(tmp_path: Path) -> None:
    plain = write_tar(tmp_path / "a.tar", {"x": NOISE, "y": b"y"}).read_bytes()
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        (tmp_path / "a.tgz").write_bytes(pack(plain[:70_000]) + pack(plain[70_000:]))
        assert listed(tmp_path / "a.tgz") == ["x", "y"]
        close_archives()


@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_tar_with_any_bytes_changed_is_read_or_named_an_error(
    tmp_path: Path, changes: list[tuple[int, int]]
) -> None:
    path, intact = tmp_path / "a.tar", tmp_path / "intact"
    if not intact.exists():  # the examples share the folder
        write_tar(intact, {"x" * 200: b"x", "y": NOISE[:600], "é": b"z"})
    content = bytearray(intact.read_bytes())
    for at, value in changes:
        content[at] = value
    path.write_bytes(content)
    try:
        for name, error in list_members(path):
            if error is None:
                read(path, name)
    except InputError:
        pass
    close_archives()


# --- Many


def test_threads_read_one_tar_at_once(tmp_path: Path) -> None:
    contents = {str(n): np.random.default_rng(n).bytes(50_000) for n in range(40)}
    for ending in ("tar", "tar.gz"):
        path = write_tar(tmp_path / ending, contents, ending=ending)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda name, path=path: read(path, name), contents))
        assert found == list(contents.values())


def test_copies_are_kept_longer_than_archives_that_cost_nothing_to_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [
        write_tar(tmp_path / f"{n}", {"x": bytes([n])}, ending="tar.gz") for n in range(2 * zips.MAX_OPEN)
    ]
    assert [read(path, "x") for path in paths * 2] == [bytes([n]) for n in range(2 * zips.MAX_OPEN)] * 2
    assert len(zips._open) == 2 * zips.MAX_OPEN
    monkeypatch.setattr(zips, "MAX_COPIED_BYTES", 1)
    plain = write_tar(tmp_path / "plain.tar.gz", {"x": b"x"}, ending="tar.gz")
    assert read(plain, "x") == b"x"
    assert len(zips._open) == 1
