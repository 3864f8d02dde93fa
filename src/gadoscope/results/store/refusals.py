"""What a database has against a store, in one sentence of ours; and what may pass if one waits."""

import errno
import os

from sqlalchemy.exc import DBAPIError, OperationalError

from gadoscope.errors import GadoscopeError, OutputError, UsageError
from gadoscope.files import explain_refusal
from gadoscope.results.sqlite_files import BUSY, DISK_ERRORS, error_kind, may_write
from gadoscope.results.store.address import Address

_CONNECTION, _ENDING, _TOO_MANY = "08", "57P0", "53300"
_IN_A_CIRCLE = ("40001", "40P01")
"""Two writers waited for each other, and one was sent away to try again."""
_DISK_FULL = "53100"
AGAIN = "then run the command again: what is in the store is taken over."


def is_away(error: DBAPIError) -> bool:
    """Return whether a database that was there may be there again in a moment."""
    if error_kind(error.orig) is not None:
        return error_kind(error.orig) in BUSY
    state = find_state(error)
    if not state:  # the server did not get to say why
        return error.connection_invalidated or isinstance(error, OperationalError)
    return state.startswith((_CONNECTION, _ENDING)) or state in (_TOO_MANY, *_IN_A_CIRCLE)


def find_state(error: Exception) -> str:
    """Return the SQLSTATE of PostgreSQL's error; empty where the server is not there to say one."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def explain_database(address: Address, error: Exception, *, writes: bool) -> GadoscopeError:
    """Return in one sentence why a store cannot be used, and what to do; without the password."""
    original = getattr(error, "orig", None) or error
    said = (address.hide(str(original)).splitlines() or [""])[0].strip().rstrip(".")
    if address.path is not None:
        return _explain_file(address, original, said, writes=writes)
    state = find_state(error)
    if state == _DISK_FULL:
        return OutputError(
            f"cannot write {address.shown}: {said}. Let somebody free some space there, {AGAIN}"
        )
    if not state or state.startswith((_CONNECTION, _ENDING)):
        return OutputError(
            f"the store {address.shown} cannot be reached: {said}. Check the URL and the server."
        )
    return OutputError(f"the database of {address.shown} refuses: {said}. Ask who keeps it, {AGAIN}")


def _explain_file(address: Address, error: BaseException, said: str, *, writes: bool) -> GadoscopeError:
    path, kind = address.path, error_kind(error)
    assert path is not None  # noqa: S101 — for the type checker
    if isinstance(error, OSError):
        return OutputError(explain_refusal(path, error))
    if kind in BUSY:
        return OutputError(
            f"{address.shown} is being written by another program for long now; wait for it, {AGAIN}"
        )
    if kind in DISK_ERRORS:
        if writes and not may_write(path):
            return OutputError(explain_refusal(path, OSError(errno.EACCES, os.strerror(errno.EACCES))))
        verb = "write" if writes else "read"
        return OutputError(
            f"cannot {verb} {address.shown}: {said}. Free some space or check the disk, {AGAIN}"
        )
    return refuse_store(address, said)


def refuse_store(address: Address, why: str) -> UsageError:
    """Return the sentence about what is no store."""
    return UsageError(f"{address.shown} is no store of Gadoscope ({why}); name another one.")
