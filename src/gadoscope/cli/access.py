"""`gadoscope access`: who may use a server."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gadoscope.cli.console import say, say_aside
from gadoscope.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gadoscope.web.security.access import Access

SCOPES = ("read", "classify", "review")
PASSWORD_VARIABLE = "GADOSCOPE_PASSWORD"  # noqa: S105 — its name


@click.command(name="access")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--add-user", metavar="NAME", help="Somebody who signs in with a password, or a new password.")
@click.option("--add-token", metavar="NAME", help="A program's key, which is printed once.")
@click.option("--remove", metavar="NAME", help="A user or a token that is to be let in no more.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="What a user or a token may; may be given several times. A user may all, a token must be told.",
)
@click.option(
    "--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="After which a token ends."
)
def command(
    file: Path,
    *,
    add_user: str | None,
    add_token: str | None,
    remove: str | None,
    scopes: tuple[str, ...],
    days: int,
) -> None:
    """Say who may use `gadoscope serve --access FILE`.

    A password is asked for, or taken from the variable GADOSCOPE_PASSWORD. It and tokens are kept as hashes.
    A server that runs takes over every change at once. Without an option it lists who is let in.

    \b
    Example:
        gadoscope access access.json --add-user anna
        gadoscope access access.json --add-token pacs --scope classify --days 365
        gadoscope access access.json
    """
    from gadoscope.extras import name_what_is_missing

    with name_what_is_missing("this command", "web"):
        from gadoscope.web.security.access import Access, Scope, read_access, write_access

    if sum(one is not None for one in (add_user, add_token, remove)) > 1:
        raise UsageError("--add-user, --add-token and --remove are three things; do one at a time.")
    may = tuple(Scope(scope) for scope in dict.fromkeys(scopes))
    if add_user is None and add_token is None:
        access = read_access(file)
        if remove is None:
            say(*_list_all(access))
            return
        write_access(file, access.without(remove))
        say(f"{remove} is let in no more.")
        return
    access = read_access(file) if file.exists() else Access()
    if add_user is not None:
        write_access(file, access.with_user(add_user, _ask_password(), may or tuple(Scope)))
        say(f"user {add_user}: {file}")
        return
    if not may:
        raise UsageError(f"say what the token may: --scope {' or --scope '.join(SCOPES)}.")
    access, given = access.with_token(str(add_token), may, days)
    write_access(file, access)
    say(given)
    say_aside(f"token {add_token}: {file}. It is shown this once; send it as `Authorization: Bearer TOKEN`.")


def _ask_password() -> str:
    import os

    given = os.environ.get(PASSWORD_VARIABLE)
    return (
        given
        if given is not None
        else str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    )


def _list_all(access: "Access") -> "Iterator[str]":
    if not access.users and not access.tokens:
        yield "Nobody is let in yet."
    for name, user in sorted(access.users.items()):
        yield f"user   {name}  {', '.join(user.scopes)}"
    for name, token in sorted(access.tokens.items()):
        ends = "expired" if token.is_over else "until"
        yield f"token  {name}  {', '.join(token.scopes)}  {ends} {token.expires}"
