"""A store of answers, for whoever asks it from Python."""

from typing import TYPE_CHECKING

from gadoscope.extras import name_what_is_missing

if TYPE_CHECKING:
    from gadoscope.results.store.store import Store


def open_store(url: str) -> "Store":
    """Open the answers of many runs: `rows` asks for them, and ``RunOptions(journal=store)`` adds to them.

    Parameters
    ----------
    url
        ``sqlite:///answers.db``, ``postgresql://user@host/database``, or the name of a file of SQLite.
        Nothing is made or asked before rows are.

    Raises
    ------
    UsageError
        If it is no such URL, or the extra `store` is not installed.
    """
    with name_what_is_missing("a store", "store"):
        from gadoscope.results.store.store import Store

        return Store(url)
