"""What is sent is answered as the command line answers it; what is hostile gets a clear answer of 4xx."""

import io
import json
import socket
import time
import zipfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import pytest

import gadoscope as gs
from gadoscope.labels import SeriesResult
from tests.support.dicom_files import classic_series, write_series
from tests.support.nifti_files import save, values
from tests.support.slices import write_slice
from tests.support.web_server import Served
from tests.web.conftest import SMALL

CLASSIFY = "/api/v1/classify"
AnswerData = dict[str, Any]


def send(client: httpx.Client, files: dict[str, bytes], **headers: str) -> httpx.Response:
    parts = [("files", (name, content)) for name, content in files.items()]
    return client.post(CLASSIFY, files=parts, headers=headers)


def answers_of(response: httpx.Response) -> list[AnswerData]:
    assert response.status_code == 200, response.text
    return list(response.json()["answers"])


def plain(row: SeriesResult) -> AnswerData:
    said = {one.name: getattr(row, one.name) for one in fields(SeriesResult)}
    return dict(json.loads(json.dumps({**said, "path": ""})))


def without_path(answers: list[AnswerData]) -> list[AnswerData]:
    return [{**one, "path": ""} for one in answers]


def refused_as(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    said = response.json()
    assert said["status"] == response.status_code
    assert said["detail"].endswith((".", ")"))
    return response.status_code, said["type"].rpartition(":")[2]


@pytest.fixture(autouse=True)
def nothing_stays(served: Served, folder: Path) -> Iterator[None]:
    """No test leaves a file of an upload behind."""
    yield
    until = time.monotonic() + 5
    while (
        left := [one for one in (folder / "spool").rglob("*") if one.is_file()]
    ) and time.monotonic() < until:
        time.sleep(0.02)
    assert left == []


def test_a_slice_is_answered_as_the_command_line_answers_it(client: httpx.Client, folder: Path) -> None:
    paths = sorted((folder / "slices").glob("*.png"))
    answers = answers_of(send(client, {path.name: path.read_bytes() for path in paths}))
    assert without_path(answers) == [plain(row) for row in gs.classify(paths, folder / "tiny.onnx", jobs=1)]
    assert [one["path"] for one in answers] == [path.name for path in paths]


def test_the_name_of_a_file_says_of_contrast_what_it_says_on_disk(
    client: httpx.Client, folder: Path, tmp_path: Path
) -> None:
    scan = save(tmp_path / "sub-01_ce-gadovist_T1w.nii.gz", values())
    (answer,) = answers_of(send(client, {scan.name: scan.read_bytes()}))
    (row,) = gs.classify(scan, folder / "tiny.onnx", jobs=1)
    assert answer["header_state"] == "administered"
    assert without_path([answer]) == [plain(row)]


def test_instances_of_a_series_are_one_answer_sent_singly_or_in_a_zip(
    client: httpx.Client, folder: Path, tmp_path: Path
) -> None:
    files = write_series(classic_series(), tmp_path / "series")
    content = {path.name: path.read_bytes() for path in sorted((tmp_path / "series").iterdir())}
    assert files
    expected = [plain(row) for row in gs.classify(tmp_path / "series", folder / "tiny.onnx", jobs=1)]
    assert len(expected) == 1
    assert without_path(answers_of(send(client, content))) == expected
    packed = answers_of(
        send(client, {"study.zip": zip_of({f"in/{name}": one for name, one in content.items()})})
    )
    assert without_path(packed) == expected
    assert packed[0]["path"].startswith("study.zip!in/")


def zip_of(members: dict[str, bytes], **how: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, **how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd", "..\\..\\boot.ini", "/etc/cron.d/x", "C:\\x", "..", ".", "a\0b", "", "x" * 900],
)
def test_no_name_of_an_upload_becomes_a_path(client: httpx.Client, folder: Path, name: str) -> None:
    before = sorted(folder.iterdir())
    content = (folder / "slices" / "0.png").read_bytes()
    body = (
        (b'--B\r\nContent-Disposition: form-data; name="files"; filename="' + name.encode() + b'"\r\n\r\n')
        + content
        + b"\r\n--B--\r\n"
    )
    response = client.post(
        CLASSIFY, content=body, headers={"Content-Type": "multipart/form-data; boundary=B"}
    )
    (answer,) = answers_of(response)
    assert answer["status"] == "answered"
    assert not {"/", "\\", "\0"} & set(answer["path"])
    assert sorted(folder.iterdir()) == before


def test_markup_in_a_name_stays_a_text_in_json(client: httpx.Client, folder: Path) -> None:
    name = "<script>alert(1)<b>.png"
    response = send(client, {name: (folder / "slices" / "0.png").read_bytes()})
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert answers_of(response)[0]["path"] == name.rpartition("/")[2]


def test_a_member_of_a_zip_leads_nowhere(client: httpx.Client, folder: Path) -> None:
    content = (folder / "slices" / "0.png").read_bytes()
    (answer,) = answers_of(send(client, {"a.zip": zip_of({"../../../../tmp/gado-escaped.png": content})}))
    assert answer["status"] == "answered"
    assert not Path("/tmp/gado-escaped.png").exists()  # noqa: S108


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"empty.png": b""}, "empty_file"),
        ({"text.png": b"hello"}, "text_file"),
        ({"cut.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"}, "truncated"),
        ({"cut.zip": b"PK\3\4" + b"\0" * 40}, "damaged_archive"),
    ],
)
def test_what_cannot_be_read_is_a_row_that_says_so(
    client: httpx.Client, files: dict[str, bytes], reason: str
) -> None:
    (answer,) = answers_of(send(client, files))
    assert answer["status"] in ("failed", "refused")
    assert answer["reason"].partition(":")[0] == reason, answer["reason"]


def test_bombs_are_refused_before_they_are_unpacked(client: httpx.Client) -> None:
    zeros = b"\0" * (SMALL.unpacked_bytes + 1)
    assert refused_as(send(client, {"bomb.zip": zip_of({"a": zeros})})) == (413, "unpacked-too-large")
    many = zip_of({str(number): b"" for number in range(SMALL.files + 1)})
    assert refused_as(send(client, {"many.zip": many})) == (413, "too-many-files")
    import gzip  # noqa: PLC0415

    assert refused_as(send(client, {"bomb.nii.gz": gzip.compress(zeros)}))[0] == 413


def test_archives_inside_an_archive_are_counted_too(client: httpx.Client) -> None:
    inner = zip_of({str(number): b"x" for number in range(SMALL.files)})
    response = send(client, {"outer.zip": zip_of({f"{number}.zip": inner for number in range(5)})})
    assert refused_as(response) == (413, "too-many-files")


def test_too_many_files_are_refused_while_they_come(client: httpx.Client) -> None:
    files = {str(number): b"x" for number in range(SMALL.files + 1)}
    assert refused_as(send(client, files)) == (413, "too-many-files")


def test_a_body_that_is_too_long_is_refused_by_what_it_declares_and_by_what_comes(
    client: httpx.Client,
) -> None:
    assert refused_as(send(client, {"long": b"\0" * (SMALL.body_bytes + 1)})) == (413, "body-too-long")

    def endless() -> Iterator[bytes]:
        yield b'--B\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        while True:
            yield b"\0" * 65_536

    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    try:
        response = client.post(CLASSIFY, content=endless(), headers=headers)
    except (httpx.WriteError, httpx.RemoteProtocolError):
        return  # it hung up while we were sending: nobody reads an endless body to its end
    assert refused_as(response)[0] == 413


def test_five_gigabytes_are_refused_before_a_byte_of_them_comes(served: Served) -> None:
    said = speak(served, declared=5 * 2**30, content=b"")
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in said


def test_an_upload_that_is_cut_off_leaves_nothing_and_the_server_goes_on(
    served: Served, client: httpx.Client
) -> None:
    content = b'--B\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n' + b"\0" * 100_000
    speak(served, declared=1_000_000, content=content, hangs_up=True)
    assert client.get("/healthz").status_code == 200
    assert not any('"fault"' in line or '"library"' in line for line in served.lines)


def speak(served: Served, *, declared: int, content: bytes, hangs_up: bool = False) -> bytes:
    """Send a body by hand, and return what comes back; nothing where one hangs up first."""
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(
            f"POST {CLASSIFY} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {declared}\r\n"
            "Content-Type: multipart/form-data; boundary=B\r\n\r\n".encode()
            + content
        )
        if hangs_up:
            return b""
        said = b""
        while b"\r\n\r\n" not in said and (chunk := line.recv(65_536)):
            said += chunk
        return said


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"", "multipart/form-data; boundary=B", (400, "damaged-body")),
        (b"--B--\r\n", "multipart/form-data; boundary=B", (422, "no-file")),
        (
            b'--B\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nx',
            "multipart/form-data; boundary=B",
            (400, "damaged-body"),
        ),
        (
            b'--B\r\nContent-Disposition: form-data; name="model"\r\n\r\nx\r\n--B--\r\n',
            "multipart/form-data; boundary=B",
            (422, "unknown-field"),
        ),
        (b"x", "multipart/form-data", (415, "no-multipart")),
        (b"x", "image/png", (415, "no-multipart")),
        (b"{", "application/json", (422, "invalid-request")),
        (b'{"path": 1}', "application/json", (422, "invalid-request")),
    ],
)
def test_a_body_that_is_none_is_refused_in_one_sentence(
    client: httpx.Client, body: bytes, kind: str, expected: tuple[int, str]
) -> None:
    response = client.post(CLASSIFY, content=body, headers={"Content-Type": kind})
    assert refused_as(response) == expected


def test_a_tar_is_not_taken(client: httpx.Client, tmp_path: Path) -> None:
    import tarfile  # noqa: PLC0415

    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(write_slice(tmp_path / "a.png"), "a.png")
    sent = send(client, {"a.tar": (tmp_path / "a.tar").read_bytes()})
    assert refused_as(sent) == (415, "unsupported-archive")


def test_only_paths_below_a_root_are_read_and_nobody_learns_what_lies_elsewhere(
    client: httpx.Client, folder: Path
) -> None:
    (folder / "slices" / "link").symlink_to(folder / "tiny.onnx")
    try:
        for path in (
            "/etc/passwd",
            "/etc/nowhere",
            str(folder),
            f"{folder}/slices/../tiny.onnx",
            str(folder / "slices/link"),
            "x\0y",
        ):
            response = client.post(CLASSIFY, json={"path": path})
            assert refused_as(response) == (403, "outside-roots"), path
    finally:
        (folder / "slices" / "link").unlink()
