"""Where a store is: a URL or a file, checked before anything is opened; a password in it is never shown."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gadoscope.errors import UsageError
from gadoscope.misfits import find_near

SQLITE, POSTGRESQL = "sqlite", "postgresql"
DRIVER = "postgresql+psycopg"
"""What SQLAlchemy calls PostgreSQL by the library that the extra brings."""
SCHEMES = (SQLITE, POSTGRESQL, DRIVER)
FILE_SUFFIXES = (".db", ".sqlite", ".sqlite3", ".journal")
"""By which a file is known for a store without `sqlite:///` before it."""
HIDDEN = "***"
EXAMPLES = "sqlite:///answers.db or postgresql://user@host/database"


@dataclass(frozen=True)
class Address:
    """Where a store is.

    Parameters
    ----------
    url
        For SQLAlchemy; holds the password, if there is one.
    path
        Of the file; None of a server.
    shown
        As it may be printed.
    secrets
        What must not be: the password, as it was written and as it is meant.
    """

    url: str = field(repr=False)
    path: Path | None
    shown: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def key(self) -> str:
        """Return what names this store among others, as part of a file's name."""
        named = self.shown if self.path is None else str(self.path.absolute())
        return hashlib.sha256(named.encode(errors="surrogateescape")).hexdigest()[:16]

    def hide(self, text: str) -> str:
        """Return what somebody else says of it without the password."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return text


def parse_address(text: str) -> Address:
    """Return where a store is.

    Parameters
    ----------
    text
        ``sqlite:///FILE``, ``postgresql://...``, or a file whose name ends as `FILE_SUFFIXES` do.

    Raises
    ------
    UsageError
        If it is neither. A password in it is not quoted.
    """
    scheme, mark, rest = text.partition("://")
    if not mark:
        return _parse_path(text)
    if scheme == SQLITE:
        return _parse_sqlite(text, rest)
    if scheme in (POSTGRESQL, DRIVER):
        return _parse_server(text)
    near = find_near(scheme, SCHEMES) if re.fullmatch(r"[a-z0-9+]*", scheme) else None
    meant = f" Did you mean {near}://?" if near else ""
    raise UsageError(
        f"a store's URL begins with {' or '.join(f'{one}://' for one in SCHEMES)}, and this one with "
        f"{hide_credentials(scheme)!r}.{meant} Write {EXAMPLES}."
    )


def hide_credentials(text: str) -> str:
    """Return a text that may be a URL with a typo in it without what may be a password."""
    text = re.sub(r"(password=)[^&]*", rf"\1{HIDDEN}", text)
    before, at, host = text.rpartition("@")
    if not at:  # perhaps it was forgotten: what stands there in the place of a port
        return re.sub(r"(://[^:/]*:)(?!\d*(?:/|\?|$)).*", rf"\1{HIDDEN}", text)
    scheme, mark, user = before.rpartition("://")
    name, colon, _ = user.partition(":")
    return f"{scheme}{mark}{name}{colon and f':{HIDDEN}'}@{host}"


def _parse_path(text: str) -> Address:
    path = Path(text)
    if path.suffix.lower() not in FILE_SUFFIXES or re.match(r"\w+:(/|$)", text) or "@" in text:
        raise UsageError(
            f"{hide_credentials(text)!r} is no store: write {EXAMPLES}, or a file's name that ends with "
            f"{', '.join(FILE_SUFFIXES)}."
        )
    return _at_file(path)


def _parse_sqlite(text: str, rest: str) -> Address:
    path, _, options = rest.partition("?")
    if not path.startswith("/") or path == "/" or options:
        raise UsageError(
            f"{hide_credentials(text)!r} names no file: write sqlite:///answers.db in the folder that you "
            "are in, or sqlite:////data/answers.db from the root, without options behind it."
        )
    return _at_file(Path(unquote(path[1:])))


def _at_file(path: Path) -> Address:
    return Address(f"{SQLITE}:///{path}", path, f"{SQLITE}:///{path}")


def _parse_server(text: str) -> Address:
    from sqlalchemy.engine import make_url  # noqa: PLC0415 — of the extra
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 — as above

    said = hide_credentials(text)
    if text.partition("?")[0].count("@") > 1:
        raise UsageError(f"{said!r} has an @ too many; write the one in a password as %40.")
    try:
        url = make_url(text).set(drivername=DRIVER)
        urlsplit(text).port  # noqa: B018 — raises where it is none
    except (ArgumentError, ValueError):
        raise UsageError(f"{said!r} is no URL: write postgresql://user@host:5432/database.") from None
    if not url.database:
        raise UsageError(f"{said!r} names no database: write postgresql://user@host:5432/database.")
    secret = url.password or url.query.get("password")
    if "password" in url.query:
        raise UsageError(
            "a password stands before the @ of a URL, or better in ~/.pgpass; not among the options."
        )
    secrets = (str(secret), *_spellings(text, str(secret))) if secret else ()
    return Address(
        url.render_as_string(hide_password=False), None, url.render_as_string(hide_password=True), secrets
    )


def _spellings(text: str, secret: str) -> tuple[str, ...]:
    """Return the password as it stands in the URL, where that is written otherwise."""
    before = text.partition("://")[2].rpartition("@")[0].partition(":")[2]
    return (before,) if before and before != secret else ()
