"""`gadoscope serve`: the review room and the REST API of a store."""

from pathlib import Path

import click

from gadoscope.cli.console import say_aside
from gadoscope.cli.options import model_option


@click.command(name="serve")
@click.argument("store", metavar="STORE")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Where to listen; others than this machine need --access.",
)
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8050, show_default=True, help="0 takes a free one."
)
@click.option(
    "--access",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Users and tokens, which `gadoscope access` writes.",
)
@model_option("Bundle (.onnx) that answers uploads.")
@click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Let programs name paths below it, in place of an upload; may be given several times.",
)
@click.option("--certificate", type=click.Path(path_type=Path), metavar="PEM", help="For TLS, with --key.")
@click.option("--key", type=click.Path(path_type=Path), metavar="PEM", help="Of the certificate.")
@click.option(
    "--proxy",
    "proxies",
    multiple=True,
    metavar="ADDRESS",
    help="Of a proxy whose X-Forwarded headers are believed; may be given several times.",
)
@click.option(
    "--cases",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="REPORT",
    help="Folder that evaluate or suspects wrote: its cases open in the room; may be given several times.",
)
@click.option("--show-identity", is_flag=True, help="Show paths and what else may name a patient.")
def command(  # noqa: PLR0913 - one for each option
    store: str,
    *,
    host: str,
    port: int,
    access: Path | None,
    model: Path,
    roots: tuple[Path, ...],
    certificate: Path | None,
    key: Path | None,
    proxies: tuple[str, ...],
    cases: tuple[Path, ...],
    show_identity: bool,
) -> None:
    """Open the review room and the REST API of a store.

    STORE is what `classify --store` was given. A browser on this machine shows the room; programs find the
    API below /api/v1. Others than this machine are served with --access only: a file of users and tokens.

    \b
    Example:
        gadoscope serve answers.db
        gadoscope access access.json --add-user anna
        gadoscope serve answers.db --host 0.0.0.0 --access access.json --certificate room.pem --key room.key
    """
    from gadoscope.extras import name_what_is_missing

    with name_what_is_missing("this command", "web"):
        from gadoscope.web.serving import serve
        from gadoscope.web.settings import Settings

    settings = Settings(
        store=store,
        host=host,
        port=port,
        access=access,
        model=str(model),
        roots=roots,
        certificate=certificate,
        key=key,
        proxies=proxies,
        cases=cases,
        show_identity=show_identity,
    )
    serve(settings, say=say_aside)
