"""What is no store, or cannot be used, is one sentence; and no password is ever shown."""

import sqlite3
import traceback
from pathlib import Path
from typing import Any

import pytest

from gadoscope.errors import GadoscopeError, OutputError, UsageError
from gadoscope.results.store.address import hide_credentials, parse_address
from gadoscope.results.store.store import Store
from tests.support.postgresql import Server
from tests.support.rights import as_nobody
from tests.support.stored import ANSWERED, begin, keep

SECRET = "hush%21-hush"  # noqa: S105 — of nobody


def refuse(url: str) -> str:
    """Return what is said of a store that a run should begin with."""
    with pytest.raises(GadoscopeError) as caught, begin(url):
        pass
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sqlit:///a.db", "Did you mean sqlite://?"),
        ("postgres://u@h/d", "Did you mean postgresql://?"),
        ("mysql://u@h/d", "begins with sqlite://"),
        ("sqlite://a.db", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///a.db?mode=ro", "names no file"),
        ("sqlite:/a.db", "is no store"),
        ("answers.csv", "is no store"),
        ("", "is no store"),
        ("postgresql://u@h:x/d", "is no URL"),
        ("postgresql://u@h:5432", "names no database"),
        ("postgresql://u:a@b@h/d", "an @ too many"),
        ("postgresql://u@h/d?password=hush%21-hush", "stands before the @"),
    ],
)
def test_a_url_with_a_typo_is_told(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://u:{SECRET}@h/d",
        f"postgresql:/u:{SECRET}@h/d",
        f"postgrsql://u:{SECRET}@h/d",
        f"postgresql://u:{SECRET}",
        f"postgresql://u:a:{SECRET}@b@h/d",
        f"u:{SECRET}@h/d.db",
        f"postgresql://u@h/d?password={SECRET}",
    ],
)
def test_a_password_is_hidden_also_where_the_url_is_none(text: str) -> None:
    assert SECRET not in hide_credentials(text)
    assert "h/d" not in text or "h/d" in hide_credentials(text)


def test_a_password_stands_in_no_sentence_traceback_or_name(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(state.parents[1])
    store = Store(f"postgresql://u:{SECRET}@127.0.0.1:1/d")
    with pytest.raises(OutputError, match="cannot be reached") as caught:
        store.begin(model="m", version="1")
    told = "".join(traceback.format_exception(caught.value)) + repr(store) + repr(store.address)
    for secret in (SECRET, "hush!-hush"):
        assert secret not in told
        assert secret not in store.address.key
    assert "u:***@127.0.0.1:1/d" in str(caught.value)


def test_a_wrong_password_is_a_sentence_without_it(server: Server) -> None:
    said = refuse(server.url("no_such_database", secret=SECRET))
    assert 'database "no_such_database" does not exist' in said
    assert "hush" not in said


def test_tables_of_another_program_are_not_touched(url: str, server: Server, tmp_path: Path) -> None:
    if url.startswith("sqlite"):
        with sqlite3.connect(tmp_path / "answers.db") as database:
            database.execute("CREATE TABLE runs (theirs INTEGER)")
        database.close()
    else:
        server.ask(url.rpartition("/")[2], "CREATE TABLE runs (theirs INTEGER)")
    assert "is no store of Gadoscope (it holds other tables: runs)" in refuse(url)


def test_a_store_of_a_newer_gadoscope_is_refused(url: str, server: Server, tmp_path: Path) -> None:
    with begin(url) as store:
        keep(store, "one", [ANSWERED])
    newer = "UPDATE gadoscope_version SET version_num = '9999'"
    if url.startswith("sqlite"):
        with sqlite3.connect(tmp_path / "answers.db") as database:
            database.execute(newer)
        database.close()
    else:
        server.ask(url.rpartition("/")[2], newer)
    assert "of a newer Gadoscope" in refuse(url)
    with pytest.raises(UsageError, match="update Gadoscope"):
        Store(url).count()


@pytest.mark.parametrize("content", [b"path,phase\n" * 100, b"SQLite format 3\0" + bytes(4000)])
def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.db").write_bytes(content)
    assert "is no store of Gadoscope" in refuse(f"sqlite:///{tmp_path / 'a.db'}")
    assert (tmp_path / "a.db").read_bytes() == content


def test_where_there_is_no_store_none_is_made_by_asking(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no store"):
        Store(str(tmp_path / "a.db")).count()
    assert not (tmp_path / "a.db").exists()


def test_a_store_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    path = folder / "answers.db"
    with begin(str(path)) as store:
        keep(store, "one", [ANSWERED])
    path.chmod(0o444)
    folder.chmod(0o555)
    with as_nobody(folder):
        assert [one.name for one in folder.iterdir()] == ["answers.db"]
        assert Store(str(path)).count() == 1
        assert "You have no permission to write in" in refuse(str(path))
    folder.chmod(0o755)


def test_a_query_with_a_word_that_is_none_is_told(tmp_path: Path) -> None:
    with begin(str(tmp_path / "a.db")) as store:
        keep(store, "one", [ANSWERED])
    words: list[tuple[dict[str, Any], str]] = [
        ({"phase": "post"}, "expected one of PRE_CONTRAST"),
        ({"since": "yesterday"}, "since 'yesterday' is no moment; write a date"),
        ({"model": "nobody"}, "no model 'nobody' answered"),
        ({"colour": "red"}, "not by colour"),
    ]
    for asked, said in words:
        with pytest.raises(UsageError, match=said):
            store.count(**asked)
