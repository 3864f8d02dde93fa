"""The commands `serve` and `access`, as whole processes: over TLS, behind a proxy, and ended politely."""

import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gadoscope.web.security.access import read_access
from tests.support.commands import run_command
from tests.web.conftest import PASSWORD, Guarded

SECONDS = 60.0


@contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "gadoscope", "serve", str(folder / "answers.db"), "--port", "0"]
    with subprocess.Popen(
        [*command, "--model", str(folder / "tiny.onnx"), *options], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            said = process.stderr.readline()
            address = re.match(r"https?://\S+", said)
            assert address, said + process.stderr.read()
            yield address[0].rstrip("/"), process
        finally:
            process.kill()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Return a certificate of this machine and its key, or skip."""
    certificate, key = folder / "room.pem", folder / "room.key"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost"
    try:
        subprocess.run(
            [
                "openssl",
                *words.split(),
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-out",
                certificate,
                "-keyout",
                key,
            ],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("needs openssl")
    return certificate, key


@pytest.mark.slow
def test_a_server_speaks_tls_and_ends_when_asked_to(folder: Path, guarded: Guarded, tmp_path: Path) -> None:
    """Its twin is below: a server without TLS."""
    certificate, key = make_certificate(tmp_path)
    options = ("--access", str(guarded.file), "--certificate", str(certificate), "--key", str(key))
    with running(folder, *options) as (url, process):
        assert url.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(certificate))
        with httpx.Client(base_url=url, verify=trusted, timeout=SECONDS) as client:
            signed_in = client.post("/sign-in", data={"name": "anna", "password": PASSWORD})
            assert "secure" in signed_in.headers["set-cookie"].lower()
            assert signed_in.headers["strict-transport-security"]
            assert client.get("/api/v1/series").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0


def test_a_server_behind_a_proxy_believes_it_and_ends_when_asked_to(folder: Path, guarded: Guarded) -> None:
    with running(folder, "--access", str(guarded.file), "--proxy", "127.0.0.1") as (url, process):
        name = {"Host": "room.example.org", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
        with httpx.Client(base_url=url, headers=name, timeout=SECONDS) as client:
            said = {"name": "anna", "password": PASSWORD}
            own = {"Origin": "https://room.example.org"}
            signed_in = client.post("/sign-in", data=said, headers=own)
            assert signed_in.status_code == 303
            assert "secure" in signed_in.headers["set-cookie"].lower()
            strange = client.post("/sign-in", data=said, headers={"Origin": url})
            assert strange.status_code == 403
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
        assert process.stderr is not None
        assert '"event": "stopped"' in process.stderr.read()


def test_a_token_is_printed_once_and_listed_without_itself(tmp_path: Path) -> None:
    words = ("access", "access.json", "--add-token", "pacs", "--scope", "classify", "--days", "365")
    given = run_command(*words, folder=tmp_path).stdout.strip()
    found = read_access(tmp_path / "access.json").find_token(given)
    assert found is not None
    assert found[0] == "pacs"
    listed = run_command("access", "access.json", folder=tmp_path).stdout
    assert listed.startswith("token  pacs  classify  until ")
    assert given not in listed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--add-token", "a"), "say what the token may"),
        (("--add-user", "a", "--remove", "b"), "one at a time"),
        (("--remove", "b"), "there is no"),
        ((), "there is no"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    ended = run_command("access", "access.json", *words, folder=tmp_path)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
