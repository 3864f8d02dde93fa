"""Who is let in, from where, and what nobody learns: real requests to servers with and without accounts."""

import json
import socket
import sqlite3
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from gadoscope.errors import UsageError
from gadoscope.results.store import room
from gadoscope.results.store.schema import VERSION_TABLE
from gadoscope.web.app import make_app
from gadoscope.web.limits import RateLimit
from gadoscope.web.security.access import Access, AccessFile, Scope, read_access, write_access
from gadoscope.web.security.sign_in import TRIES_PER_MINUTE
from gadoscope.web.settings import LOOPBACK, Limits, Settings
from tests.support.rights import as_nobody
from tests.support.web_server import Served, make_store, serve_in_thread
from tests.web.conftest import PASSWORD, Guarded
from tests.web.test_uploads import CLASSIFY, refused_as, send

SERIES = "/api/v1/series"
REVIEWS = "/api/v1/reviews"
REVIEW = {"series": 1, "verdict": "pre", "token": "a-token-for-security"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104 — refused
def test_other_machines_are_not_served_without_accounts(host: str) -> None:
    with pytest.raises(UsageError, match="--access"):
        Settings(store="a.db", host=host)
    assert Settings(store="a.db", host=host, access=Path("access.json")).host == host


def test_settings_that_do_not_fit_each_other_are_refused(tmp_path: Path) -> None:
    for said, words in (
        ({"certificate": tmp_path}, "--key"),
        ({"proxies": ("10.0.0.1",)}, "--access"),
        ({"roots": (tmp_path / "no",)}, "no folder"),
        ({"port": 70_000}, "port"),
    ):
        with pytest.raises(UsageError, match=words):
            Settings(store="a.db", **said)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, (401, "not-signed-in")),
        ({"Authorization": "Bearer gado_wrong"}, (401, "invalid-token")),
        ({"Authorization": "Bearer"}, (401, "invalid-token")),
        ({"Authorization": "Basic YTpi"}, (401, "invalid-token")),
        ({"Authorization": "Bearer gado_over"}, (401, "invalid-token")),
        ({"Cookie": "gadoscope_session=x"}, (401, "not-signed-in")),
        ({"Cookie": "gadoscope_session=" + "A" * 64}, (401, "not-signed-in")),
    ],
)
def test_strangers_are_told_nothing(
    guarded: Guarded, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    with guarded.served.client(headers=headers) as client:
        for path in (SERIES, "/metrics", "/api/v1/openapi.json", "/queue", "/nothing"):
            response = client.get(path)
            assert refused_as(response) == expected, path
            assert response.headers["www-authenticate"].startswith("Bearer")
        assert client.get("/healthz").status_code == 200


def test_a_token_may_what_its_scope_says_and_no_more(guarded: Guarded, folder: Path) -> None:
    content = {"0.png": (folder / "slices" / "0.png").read_bytes()}
    asks: dict[str, Callable[[httpx.Client], httpx.Response]] = {
        "read": lambda client: client.get(SERIES),
        "classify": lambda client: send(client, content),
        "review": lambda client: client.post(REVIEWS, json=REVIEW),
    }
    for name in asks:
        with guarded.served.client(headers=guarded.bearer(name)) as client:
            for what, ask in asks.items():
                response = ask(client)
                if what == name:
                    assert response.is_success, (name, what, response.text)
                else:
                    assert refused_as(response) == (403, "insufficient-scope"), (name, what)


def test_a_token_that_asks_too_often_is_told_when_to_ask_again(guarded: Guarded) -> None:
    settings = replace(guarded.served.app.state.settings, limits=Limits(token_per_minute=60), spool=None)
    with serve_in_thread(settings) as served, served.client(headers=guarded.bearer("read")) as client:
        answers = [client.get(SERIES) for _ in range(15)]
        late = next(one for one in answers if one.status_code != 200)
        assert refused_as(late) == (429, "too-many-requests")
        assert 1 <= int(late.headers["retry-after"]) <= 2


def let_all_try(guarded: Guarded, often: int = TRIES_PER_MINUTE) -> None:
    """Forget how often the tests before signed in."""
    guarded.served.app.state.sign_in_tries = RateLimit(often, "sign-ins", burst=often)


def sign_in(
    client: httpx.Client, name: str = "anna", password: str = PASSWORD, **said: str
) -> httpx.Response:
    return client.post("/sign-in", data={"name": name, "password": password, **said})


def test_a_reader_signs_in_decides_under_that_name_and_signs_out(guarded: Guarded) -> None:
    with guarded.served.client() as client:
        sent_away = client.get("/queue?look=conflict", headers={"Accept": "text/html"})
        assert sent_away.headers["location"] == "/sign-in?next=%2Fqueue%3Flook%3Dconflict"
        assert 'name="next" value="/queue?look=conflict"' in client.get(sent_away.headers["location"]).text
        let_in = sign_in(client, next="/queue?look=conflict")
        assert (let_in.status_code, let_in.headers["location"]) == (303, "/queue?look=conflict")
        cookie = let_in.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        sent = client.post(REVIEWS, json={**REVIEW, "token": "token-of-anna"})
        assert sent.json()["reader"] == "anna"
        client.post("/sign-out")
        assert client.get(SERIES).status_code == 401


def test_nobody_learns_whether_it_was_the_name_or_the_password(guarded: Guarded) -> None:
    with guarded.served.client() as client:
        wrong = [sign_in(client, "anna", "not it"), sign_in(client, "nobody", PASSWORD)]
        assert {one.status_code for one in wrong} == {401}
        assert wrong[0].text == wrong[1].text
        assert "set-cookie" not in wrong[0].headers


def test_a_list_of_passwords_is_too_few_a_minute(guarded: Guarded) -> None:
    assert TRIES_PER_MINUTE <= 10
    let_all_try(guarded, 2)
    with guarded.served.client() as client:
        statuses = [sign_in(client, "mallory", str(number)).status_code for number in range(3)]
    assert statuses == [401, 401, 429]
    let_all_try(guarded)


@pytest.mark.parametrize(
    "link", ["//evil.example", "https://evil.example/", "/\\evil.example", "evil", "/a\nb"]
)
def test_nobody_is_led_elsewhere_after_signing_in(guarded: Guarded, link: str) -> None:
    let_all_try(guarded)
    with guarded.served.client() as client:
        assert sign_in(client, next=link).headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_a_strange_page_in_the_same_browser_changes_nothing(
    served: Served, guarded: Guarded, headers: dict[str, str]
) -> None:
    let_all_try(guarded)
    with served.client(headers=headers) as client:
        assert refused_as(client.post(REVIEWS, json=REVIEW)) == (403, "cross-origin")
        assert client.get(SERIES).status_code == 200  # the browser itself keeps it from reading that
    with guarded.served.client() as client:
        assert sign_in(client).status_code == 303
        assert refused_as(client.post(REVIEWS, json=REVIEW, headers=headers)) == (403, "cross-origin")
        assert refused_as(client.post("/sign-in", headers=headers))[0] == 403


def test_a_page_of_ours_may(served: Served) -> None:
    headers = {"Origin": served.url, "Sec-Fetch-Site": "same-origin"}
    with served.client(headers=headers) as client:
        assert client.post(REVIEWS, json={**REVIEW, "token": "token-of-ours"}).status_code == 201


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[::1"])
def test_a_strange_name_that_leads_here_is_not_answered(served: Served, host: str) -> None:
    """DNS rebinding: the browser takes the strange page and this server for one address."""
    said = speak(served, f"GET {SERIES} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    assert said.split()[1] in (b"421", b"400")


def speak(served: Served, text: str) -> bytes:
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(text.encode())
        return line.recv(65_536)


def test_every_answer_says_what_a_browser_may_do_with_it(served: Served) -> None:
    with served.client() as client:
        for path in ("/", "/nothing", SERIES, "/healthz", "/static/sign_in.css"):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "'unsafe-inline'" not in policy
            assert "'unsafe-eval'" not in policy
            assert "http" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
        assert client.get(SERIES).headers["cache-control"] == "private, no-cache"


def test_the_log_names_nobody_and_nothing_that_was_asked_for(served: Served, folder: Path) -> None:
    with served.client() as client:
        client.get(f"{SERIES}?reader=MUELLER&reviewed=by")
        client.get("/api/v1/studies/2.25.4711")
        send(client, {"MUELLER^ANNA.png": (folder / "slices" / "0.png").read_bytes()})
        client.get("/MUELLER")
        client.post(CLASSIFY, json={"path": "/archive/MUELLER"})
    events = [json.loads(line) for line in served.lines]
    assert all({"at", "event"} <= one.keys() for one in events)
    for secret in ("MUELLER", "2.25.4711", str(folder)):
        assert secret not in "".join(served.lines)


def test_whoever_is_taken_out_of_the_file_is_out_at_once(guarded: Guarded) -> None:
    access = read_access(guarded.file)
    more, given = access.with_user("bert", PASSWORD, (Scope.READ,)).with_token("short", (Scope.READ,), 1)
    try:
        write_access(guarded.file, more)
        let_all_try(guarded)
        with guarded.served.client() as bert:
            assert sign_in(bert, "bert").status_code == 303
            assert bert.get(SERIES).status_code == 200
            assert refused_as(bert.post(REVIEWS, json=REVIEW)) == (403, "insufficient-scope")
            header = {"Authorization": f"Bearer {given}"}
            assert httpx.get(guarded.served.url + SERIES, headers=header).status_code == 200
            write_access(guarded.file, more.with_user("bert", "another long password", (Scope.READ,)))
            assert bert.get(SERIES).status_code == 401
            write_access(guarded.file, access)
            assert httpx.get(guarded.served.url + SERIES, headers=header).status_code == 401
    finally:
        write_access(guarded.file, access)


def test_the_file_holds_no_password_and_no_token_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    access, given = Access().with_user("anna", PASSWORD, tuple(Scope)).with_token("pacs", (Scope.READ,), 1)
    write_access(tmp_path / "access.json", access)
    text = (tmp_path / "access.json").read_text()
    assert PASSWORD not in text
    assert given not in text
    assert "$argon2id$" in text
    assert read_access(tmp_path / "access.json") == access
    assert stat.S_IMODE((tmp_path / "access.json").stat().st_mode) & 0o077 == 0
    assert PASSWORD not in repr(access)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"users": {}}', '{"secret": "", "users": 1, "tokens": {}}'])
def test_a_file_that_is_none_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "access.json").write_text(text)
    with pytest.raises(UsageError, match="no file of users and tokens"):
        AccessFile(tmp_path / "access.json")
    with pytest.raises(UsageError, match="there is no"):
        AccessFile(tmp_path / "nowhere.json")


def test_a_port_that_is_taken_is_refused(served: Served) -> None:
    from gadoscope.web.serving import _listen  # noqa: PLC0415

    port = int(served.url.rpartition(":")[2])
    with pytest.raises(UsageError, match="cannot listen"):
        _listen(Settings(store="a.db", host=LOOPBACK, port=port))


def test_a_store_that_may_not_be_written_is_shown_and_takes_no_decision(tmp_path: Path) -> None:
    store = make_store(tmp_path, n=2)
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool").chmod(0o777)
    settings = Settings(store=str(store), model=str(tmp_path / "tiny.onnx"), spool=tmp_path / "spool")
    with as_nobody(tmp_path), serve_in_thread(settings) as served, served.client() as client:
        assert client.get(SERIES).status_code == 200
        assert refused_as(client.post(REVIEWS, json=REVIEW)) == (503, "store-unavailable")


def test_a_store_that_is_locked_is_said_to_be_and_free_again_it_takes_the_decision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "BUSY_SECONDS", 0.2)
    store = make_store(tmp_path, n=2)
    settings = Settings(store=str(store), model=str(tmp_path / "tiny.onnx"))
    with serve_in_thread(settings) as served, served.client() as client:
        other = sqlite3.connect(store, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert client.get(SERIES).status_code == 200
        locked = client.post(REVIEWS, json=REVIEW)
        assert refused_as(locked) == (503, "store-unavailable")
        assert int(locked.headers["retry-after"]) > 0
        other.execute("ROLLBACK")
        other.close()
        assert client.post(REVIEWS, json=REVIEW).status_code == 201


def test_a_store_of_a_newer_gadoscope_is_not_opened(tmp_path: Path) -> None:
    store = make_store(tmp_path, n=1)
    connection = sqlite3.connect(store)
    connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")  # noqa: S608 — ours
    connection.commit()
    connection.close()
    with pytest.raises(UsageError, match="newer Gadoscope"):
        make_app(Settings(store=str(store), model=str(tmp_path / "tiny.onnx")))
