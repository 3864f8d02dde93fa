"""Zips are folders: every member is found and read where it lies, and nothing leads out of them."""

import io
import struct
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gadoscope.classification.run import iter_results
from gadoscope.errors import InputError, ReadError, RefusedError
from gadoscope.reading.archives import zip_limits, zip_member, zips
from gadoscope.reading.archives.containers import list_archive
from gadoscope.reading.archives.sources import Source
from gadoscope.reading.archives.zips import close_archives, list_members, open_member

NOISE = np.random.default_rng(0).bytes(300_000)


@pytest.fixture(autouse=True)
def closed_archives() -> Iterator[None]:
    yield
    close_archives()


def write_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def zip_bytes(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def listed(path: Path, member: str = "") -> list[str]:
    return [
        name if error is None else f"{name}: {error.reason}" for name, error in list_members(path, member)
    ]


def read(path: Path, member: str) -> bytes:
    with open_member(path, member) as file:
        return file.read()


def reason_of(path: Path, member: str) -> str:
    with pytest.raises(InputError) as raised:
        read(path, member)
    return raised.value.reason


def test_members_come_in_the_order_of_a_walk_without_folders_and_hidden_names(tmp_path: Path) -> None:
    names = ["b/2", "a", "b/1", "B", "b-/x", "empty/", "__MACOSX/._a", ".git/x", "d/.hidden"]
    path = write_zip(tmp_path / "a.zip", dict.fromkeys(names, b"x"))
    assert listed(path) == ["B", "a", "b/1", "b/2", "b-/x"]


def test_names_that_begin_at_the_place_where_they_are_are_not_hidden(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"./a": b"x", "./b/c": b"x", "./.d": b"x"})
    assert listed(path) == ["./a", "./b/c"]


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_member_is_a_file_that_can_be_read_from_any_place(tmp_path: Path, method: int) -> None:
    path = write_zip(tmp_path / "a.zip", {"x": NOISE}, method)
    with open_member(path, "x") as file:
        assert file.seek(0, io.SEEK_END) == len(NOISE)
        for start in (0, 200_000, 17, len(NOISE) - 5, len(NOISE) + 9):
            assert file.seek(start) == start
            assert file.read(100) == NOISE[start : start + 100]
        file.seek(0)
        assert file.read() == NOISE


def test_only_what_is_read_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_zip(tmp_path / "a.zip", {"x": NOISE})
    unpacked = []
    read_some = zipfile.ZipExtFile.read

    def read_and_count(self: zipfile.ZipExtFile, n: int = -1) -> bytes:
        chunk = read_some(self, n)
        unpacked.append(len(chunk))
        return chunk

    monkeypatch.setattr(zipfile.ZipExtFile, "read", read_and_count)
    with open_member(path, "x") as file:
        file.read(1024)
    assert 1024 <= sum(unpacked) <= 2 * zip_member.FILL_BYTES


def test_an_archive_in_an_archive_is_read_by_a_name_with_two_marks(tmp_path: Path) -> None:
    inner = zip_bytes({"deep/x.dcm": b"found", "odd!name": b"odd"})
    path = write_zip(tmp_path / "a.zip", {"in/inner.zip": inner, "what!": b"?"})
    assert listed(path) == ["in/inner.zip", "what!"]
    assert listed(path, "in/inner.zip") == ["deep/x.dcm", "odd!name"]
    assert read(path, "in/inner.zip!deep/x.dcm") == b"found"
    assert read(path, "in/inner.zip!odd!name") == b"odd"
    assert read(path, "what!") == b"?"
    assert str(Source(path, "in/inner.zip!deep/x.dcm")) == f"{path}!in/inner.zip!deep/x.dcm"


def test_archives_deeper_than_three_are_refused_and_not_opened(tmp_path: Path) -> None:
    content = zip_bytes({"x": b"x"})
    for depth in (3, 2, 1):
        content = zip_bytes({f"{depth}.zip": content})
    (tmp_path / "a.zip").write_bytes(content)
    path = tmp_path / "a.zip"
    assert listed(path, "1.zip!2.zip") == ["3.zip"]
    with pytest.raises(RefusedError, match="to a depth of 3"):
        list_members(path, "1.zip!2.zip!3.zip")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..\\x", "a/../../x", "C:\\x"])
def test_a_name_that_leads_out_of_the_archive_is_only_a_name(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "a.zip", {name: b"inside"})
    (found,) = list_members(path)
    assert found == (name, None)
    assert read(path, name) == b"inside"
    assert list(tmp_path.iterdir()) == [path]


def test_of_two_members_of_one_name_the_last_is_read_and_the_other_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x", b"first")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x", b"last")
    assert sorted(listed(tmp_path / "a.zip")) == ["x", "x: duplicate_member"]
    assert read(tmp_path / "a.zip", "x") == b"last"


def change(path: Path, signature: bytes, offset: int, value: bytes) -> None:
    """Overwrite a field of the first record with this signature."""
    content = bytearray(path.read_bytes())
    at = content.index(signature) + offset
    content[at : at + len(value)] = value
    path.write_bytes(content)


def test_an_encrypted_member_is_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"x": b"secret", "y": b"open"})
    change(path, b"PK\1\2", 8, b"\1\0")
    assert listed(path) == ["x: encrypted", "y"]
    assert reason_of(path, "x") == "encrypted"
    assert read(path, "y") == b"open"


def test_a_way_of_compressing_that_is_unknown_is_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"x": b"x" * 99})
    change(path, b"PK\1\2", 10, b"\x63\0")
    change(path, b"PK\3\4", 8, b"\x63\0")
    assert reason_of(path, "x") == "unsupported_compression"


@pytest.mark.parametrize("offset", [40, 5000, 100_000])
def test_a_damaged_member_is_told_and_its_neighbour_is_read(tmp_path: Path, offset: int) -> None:
    path = write_zip(tmp_path / "a.zip", {"x": NOISE, "y": b"whole"})
    change(path, b"PK\3\4", offset, b"\xff" * 40)
    assert reason_of(path, "x") == "damaged_archive"
    assert read(path, "y") == b"whole"


@pytest.mark.parametrize("n_bytes", [4, 30, 1000, 300_000, -1, -22])
def test_an_archive_that_ends_too_early_is_one_row(tmp_path: Path, n_bytes: int) -> None:
    path = write_zip(tmp_path / "a.zip", {"x": NOISE})
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(ReadError, match="damaged or ends too early"):
        list_members(path)


def test_a_member_that_unpacks_to_far_more_than_it_is_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("noise", NOISE * 10)
        archive.writestr("bomb", bytes(zip_limits.MIN_BOMB_BYTES + 1))
    assert listed(path) == ["bomb: zip_bomb", "noise"]
    assert reason_of(path, "bomb") == "zip_bomb"


def test_an_archive_that_unpacks_to_far_more_than_it_is_is_refused(tmp_path: Path) -> None:
    blank = bytes(zip_limits.MIN_BOMB_BYTES // 4)
    path = write_zip(tmp_path / "a.zip", {str(n): blank for n in range(5)})
    with pytest.raises(RefusedError, match="unpacks to"):
        list_members(path)


def test_a_member_larger_than_any_volume_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "a.zip", {"x": NOISE})
    monkeypatch.setattr(zip_limits, "MAX_MEMBER_BYTES", len(NOISE) - 1)
    assert listed(path) == ["x: too_large"]
    assert reason_of(path, "x") == "too_large"


def test_a_table_of_contents_that_would_fill_the_memory_is_refused_unread(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"x": b"x"})
    change(path, b"PK\5\6", 12, struct.pack("<I", 2**32 - 2))
    with pytest.raises(RefusedError, match="members"):
        list_members(path)


def test_another_programs_document_is_refused_as_one(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "letter.docx", {"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"})
    with pytest.raises(RefusedError, match="another program's document"):
        list_members(path)


def test_an_archive_without_files_is_a_row(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"folder/": b"", "manifest.csv": b"path\n"})
    with pytest.raises(RefusedError, match="no file"):
        list_archive(Source(path))


def test_a_member_that_is_not_there_any_more_is_told(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"x": b"x"})
    assert reason_of(path, "y") == "missing"
    assert reason_of(tmp_path / "gone.zip", "y") == "missing"


def test_an_archive_that_changes_is_opened_again(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"x": b"before"})
    assert read(path, "x") == b"before"
    write_zip(path, {"x": b"afterwards"})
    assert read(path, "x") == b"afterwards"


def test_more_archives_than_are_kept_open_are_read(tmp_path: Path) -> None:
    paths = [write_zip(tmp_path / f"{n}.zip", {"x": bytes([n])}) for n in range(3 * zips.MAX_OPEN)]
    assert [read(path, "x") for path in paths * 2] == [bytes([n]) for n in range(3 * zips.MAX_OPEN)] * 2


def test_threads_read_one_archive_at_once(tmp_path: Path) -> None:
    contents = {f"inner.zip!{n}": np.random.default_rng(n).bytes(50_000) for n in range(40)}
    inner = zip_bytes({name.partition("!")[2]: content for name, content in contents.items()})
    path = write_zip(tmp_path / "a.zip", {"inner.zip": inner})
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda name: read(path, name), contents))
    assert found == list(contents.values())


def test_the_time_for_a_member_does_not_grow_with_their_number(tmp_path: Path) -> None:
    """Reading the table of contents anew for each of the members would take half a minute."""
    path = write_zip(tmp_path / "a.zip", {f"{n:05d}": b"x" for n in range(4_000)}, zipfile.ZIP_STORED)
    names = [name for name, _ in list_members(path)]
    begin = time.process_time()
    assert {read(path, name) for name in names[::5]} == {b"x"}
    assert time.process_time() - begin < 5


def test_a_member_without_a_name_is_told_and_its_neighbour_is_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"b.png": b"kept"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"nameless")
    (name, error), (neighbour, no_error) = list_members(path)
    assert (name, neighbour, no_error) == ("", "b.png", None)
    assert error is not None
    assert error.reason == "damaged_archive"


def _write_many(path: Path, n_members: int, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(n_members):
            archive.writestr(zipfile.ZipInfo(f"{index:06d}"), content)
    return path


@pytest.mark.parametrize("limit", [1_000, pytest.param(zip_limits.MAX_SMALL_MEMBERS, marks=pytest.mark.slow)])
def test_an_archive_of_more_tiny_members_than_have_any_use_is_one_row_soon(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """With the limit as it is; in small, with a lower one."""
    monkeypatch.setattr(zip_limits, "MAX_SMALL_MEMBERS", limit)
    path = _write_many(tmp_path / "tiny.zip", 2 * limit, b"x")
    start = time.process_time()
    rows = list(iter_results([path], model=tiny_bundle, jobs=1))
    assert time.process_time() - start < 5
    assert [(row.status.value, row.reason.partition(":")[0]) for row in rows] == [
        ("refused", "too_many_members")
    ]


def test_as_many_members_as_long_as_slices_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_limits, "MAX_SMALL_MEMBERS", 100)
    path = _write_many(tmp_path / "slices.zip", 200, bytes(2000))
    assert len(list(list_archive(Source(path)))) == 200


def test_archives_in_an_archive_hold_no_more_tiny_members_than_one(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zip_limits, "MAX_SMALL_MEMBERS", 100)
    inner = _write_many(tmp_path / "inner.zip", 60, b"x").read_bytes()
    outer = write_zip(tmp_path / "outer.zip", {"a.zip": inner, "b.zip": inner})
    rows = list(iter_results([outer], model=tiny_bundle, jobs=1))
    assert [row.reason.partition(":")[0] for row in rows].count("too_many_members") == 1
    assert len(rows) == 61
