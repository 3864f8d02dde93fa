"""Users and tokens, in one private file: passwords by Argon2, tokens by SHA-256, neither as it was given.

`gadoscope access` writes it and the server reads it, again when it has changed: who is taken out of it is out
at once.
"""

import hashlib
import json
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gadoscope.errors import UsageError
from gadoscope.files import write_text
from gadoscope.misfits import MisfitError
from gadoscope.records import from_plain, to_plain

TOKEN_PREFIX = "gado_"  # noqa: S105 — by which a scanner of secrets knows one that leaked
MIN_PASSWORD = 10
"""Characters: what NIST SP 800-63B asks of a password that stands alone is 8, since revision 4 15."""
MAX_PASSWORD = 1000
MAX_NAME = 64
_SECRET_BYTES = 32
_PRIVATE = 0o077
_HASHER = PasswordHasher()  # RFC 9106, low memory
_NOBODY = _HASHER.hash(secrets.token_hex())
"""Compared where there is no such user, so that both take as long."""


class Scope(StrEnum):
    """What whoever asks may do."""

    READ = "read"
    """See what the store holds."""
    CLASSIFY = "classify"
    """Have uploads answered."""
    REVIEW = "review"
    """Decide."""


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, kw_only=True)
class User:
    """Somebody with a password.

    Parameters
    ----------
    password
        Its hash, by Argon2id.
    scopes
        What they may.
    """

    password: str = field(repr=False)
    scopes: tuple[Scope, ...] = tuple(Scope)


@dataclass(frozen=True, kw_only=True)
class Token:
    """A program's key.

    Parameters
    ----------
    digest
        SHA-256 of it, in hexadecimal.
    scopes
        What it may.
    expires
        When it ends: UTC, as ISO 8601.
    """

    digest: str = field(repr=False)
    scopes: tuple[Scope, ...]
    expires: str

    @property
    def is_over(self) -> bool:
        """Tell whether it has expired."""
        return datetime.fromisoformat(self.expires) <= datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who may ask.

    Parameters
    ----------
    secret
        By which the server signs its cookies.
    users, tokens
        By name.
    """

    secret: str = field(default_factory=lambda: secrets.token_hex(_SECRET_BYTES), repr=False)
    users: Mapping[str, User] = field(default_factory=dict)
    tokens: Mapping[str, Token] = field(default_factory=dict)

    def check_password(self, name: str, password: str) -> bool:
        """Tell whether a user has this password; takes as long where there is no such user."""
        user = self.users.get(name)
        try:
            is_so = _HASHER.verify(_NOBODY if user is None else user.password, password[:MAX_PASSWORD])
        except (VerificationError, InvalidHashError):
            return False
        return is_so and user is not None

    def find_token(self, given: str) -> tuple[str, Token] | None:
        """Return the name of a token and what is known of it; ``None`` if nobody gave it out."""
        digest = hash_token(given)
        return next((one for one in self.tokens.items() if one[1].digest == digest), None)

    def with_user(self, name: str, password: str, scopes: tuple[Scope, ...]) -> "Access":
        """Return the same with a user, new or with another password.

        Raises
        ------
        UsageError
            If the name or the password will not do.
        """
        _check_name(name)
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise UsageError(
                f"a password has {MIN_PASSWORD} characters or more; this one has {len(password)}."
            )
        user = User(password=_HASHER.hash(password), scopes=scopes)
        return replace(self, users={**self.users, name: user})

    def with_token(self, name: str, scopes: tuple[Scope, ...], days: int) -> tuple["Access", str]:
        """Return the same with a token, and the token, which nobody can read here again.

        Raises
        ------
        UsageError
            If the name will not do.
        """
        _check_name(name)
        given = TOKEN_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        expires = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
        token = Token(digest=hash_token(given), scopes=scopes, expires=expires)
        return replace(self, tokens={**self.tokens, name: token}), given

    def without(self, name: str) -> "Access":
        """Return the same without a user or a token.

        Raises
        ------
        UsageError
            If there is neither.
        """
        if name not in self.users and name not in self.tokens:
            known = ", ".join(sorted({*self.users, *self.tokens})) or "nobody yet"
            raise UsageError(f"there is no user and no token {name!r}; there are: {known}.")
        return replace(
            self,
            users={key: user for key, user in self.users.items() if key != name},
            tokens={key: token for key, token in self.tokens.items() if key != name},
        )


def hash_token(given: str) -> str:
    """Return the digest by which a token is known: it is random, and needs no slow hash."""
    return hashlib.sha256(given.encode(errors="surrogateescape")).hexdigest()


def read_access(path: Path) -> Access:
    """Return what the file says.

    Raises
    ------
    UsageError
        If it cannot be read, or is none of ours.
    """
    try:
        access = from_plain(Access, json.loads(path.read_text(encoding="utf-8")))
        for token in access.tokens.values():
            datetime.fromisoformat(token.expires)
    except FileNotFoundError:
        raise UsageError(f"there is no {path}; `gadoscope access {path} --add-user NAME` makes it.") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}.") from None
    except MisfitError as error:
        raise UsageError(f"{path} is no file of users and tokens: {error}") from None
    except ValueError:
        raise UsageError(f"{path} is no file of users and tokens; `gadoscope access` writes one.") from None
    return access


def write_access(path: Path, access: Access) -> None:
    """Write the file, readable by its owner alone.

    Raises
    ------
    OutputError
        If the system cannot write.
    """
    before = os.umask(_PRIVATE)
    try:
        write_text(path, json.dumps(to_plain(access), indent=1) + "\n")
    finally:
        os.umask(before)


class AccessFile:
    """The file, read again when it has changed. For several threads.

    Parameters
    ----------
    path
        Of the file.

    Raises
    ------
    UsageError
        As of `read_access`.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._stamp = self._look()
        self._access = read_access(path)

    @property
    def access(self) -> Access:
        """Return what the file says now; where it is gone or damaged, what it said last."""
        stamp = self._look()
        with self._lock:
            if stamp is not None and stamp != self._stamp:
                try:
                    self._access = read_access(self._path)
                except UsageError:
                    return self._access  # it is perhaps being written by hand
                self._stamp = stamp
            return self._access

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def _check_name(name: str) -> None:
    if not name.isprintable() or not name.strip() or len(name) > MAX_NAME:
        raise UsageError(f"{name!r} is no name; give one of 1 to {MAX_NAME} characters that can be read.")
