"""What a store survives: a kill, a full disk, two writers, and a database that goes away, for good or not."""

import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from gadoscope.errors import OutputError
from gadoscope.results.store import opening, outage
from gadoscope.results.store import store as store_module
from gadoscope.results.store.store import Store
from tests.support.postgresql import Server
from tests.support.stored import ANSWERED, FAILED, MODEL, NAME, VERSION, begin, keep

RUN = """
import os, signal, sys
from dataclasses import replace
from gadoscope.results.store import store as module
from tests.support.stored import *
module.COMMIT_SECONDS = 0.0
first, n, url, how = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
if how == "full":
    import resource
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with begin(url) as store:
    if how == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        module.COMMIT_SECONDS = 0.02
    for index in range(first, first + n):
        keep(store, f"{index:08}", [replace(ANSWERED, path=f"{index}.dcm")])
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
"""


def start(first: int, n: int, url: str, how: str = "") -> subprocess.Popen[str]:
    words = [sys.executable, "-c", RUN, str(first), str(n), url, how]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_what_was_committed_survives_a_kill_and_the_next_run_goes_on(url: str) -> None:
    with start(0, 20, url, "kill") as run:
        assert run.wait() == -signal.SIGKILL, run.communicate()
    with begin(url) as store:
        assert store.count() == 20
        assert store.find("00000019") is not None
    assert [one.state for one in store.runs()] == ["running", "finished"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files (RLIMIT_FSIZE)")
def test_a_store_that_outgrows_the_disk_is_one_sentence_and_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    with start(0, 5000, str(path), "full") as run:
        _, said = run.communicate()
    last = said.strip().splitlines()[-1]
    assert last.startswith(f"gadoscope.errors.OutputError: cannot write sqlite:///{path}: "), said
    assert "then run the command again: what is in the store is taken over" in last
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    with begin(str(path)) as store:
        keep(store, "one", [ANSWERED])
    assert store.count() >= 1


def test_two_runs_write_one_store_at_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They answer the same contents partly, and each has its own commits: a second's work at most."""
    monkeypatch.setattr(store_module, "COMMIT_SECONDS", 0.0)
    failures: list[BaseException] = []

    def run(first: int, step: int) -> None:
        try:
            with begin(url) as store:
                for index in range(30)[first::step]:
                    keep(store, f"{index}", [replace(ANSWERED, path=f"{index}.dcm")])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(*order,)) for order in ((0, 1), (29, -1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Store(url).count() == 30
    assert Store(url).count(all_versions=True, gone=True) == 30


def test_a_database_that_is_away_for_a_moment_is_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.make_database("restarted")
    monkeypatch.setattr(store_module, "COMMIT_SECONDS", 0.0)
    said: list[str] = []
    with begin(url) as store:
        store.say = store._patience._say = said.append
        keep(store, "one", [ANSWERED])
        server.stop("immediate")
        back = threading.Timer(0.3, server.start)
        back.start()
        assert store.find("one") is not None
        keep(store, "two", [replace(ANSWERED, path="b")])
        back.join()
    assert store.kept_in is None
    assert store.count() == 2
    assert [one.partition("; ")[0].rpartition(" is ")[2] for one in said] == ["away", "there again."]
    assert [one.state for one in store.runs()] == ["finished"]


def test_a_database_that_stays_away_has_its_answers_in_a_journal_which_the_next_run_takes_in(
    server: Server, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    url = server.make_database("gone")
    monkeypatch.setattr(outage, "WAIT_SECONDS", 0.3)
    said: list[str] = []
    with Store(url, say=said.append) as store:
        store.begin(model=MODEL, version=VERSION, name=NAME, roots=["a"])
        keep(store, "one", [ANSWERED])
        server.stop("immediate")
        keep(store, "two", [replace(ANSWERED, path="b")])
        store.write()
        assert store.find("one") is not None  # this run's own
        store.add("three", [ANSWERED])
        store.settle("three", [replace(ANSWERED, path="c", phase=None)], "study")
        store.settle(None, [FAILED], "")
        store.finish()
    (kept,) = state.glob("*.journal")
    assert store.kept_in == kept
    assert "did not come back; answers are kept in" in said[-1]
    server.start()
    with begin(url) as again:
        assert again.find("two") is not None
    assert not kept.exists()
    assert {row.path: row.phase for row in again.rows()} == {
        "a/1.dcm": ANSWERED.phase,
        "b": ANSWERED.phase,
        "c": None,
        FAILED.path: None,
    }
    assert [one.state for one in again.runs()] == ["finished", "finished"]
    assert '"failed": 1' in again.runs()[0].counts


def test_a_store_that_another_program_keeps_locked_is_waited_for_and_then_kept_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(outage, "WAIT_SECONDS", 0.1)
    path = tmp_path / "answers.db"
    with begin(str(path)) as store:
        keep(store, "one", [ANSWERED])
        with sqlite3.connect(path) as other:
            other.execute("BEGIN IMMEDIATE")
            store.write()
        other.close()
    assert store.kept_in is not None
    with begin(str(path)) as again:
        assert again.find("one") is not None


def test_a_store_that_cannot_be_reached_at_the_start_ends_the_run_at_once(server: Server) -> None:
    with (
        pytest.raises(OutputError, match="cannot be reached"),
        begin(server.url().replace("127.0.0.1", "[::1]")),
    ):
        pass
