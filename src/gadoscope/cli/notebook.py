"""`gadoscope notebook`: writes the lesson out as a notebook."""

import shlex
from pathlib import Path

import click

NAME = "the-lesson.ipynb"
SUFFIX = ".ipynb"


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=NAME, metavar="[FILE]")
def command(file: Path) -> None:
    """Write the lesson as a notebook: ten minutes, no data needed.

    FILE is the-lesson.ipynb in the current folder unless another is named. A file that is there is never
    written over: it may hold somebody's work.

    \b
    Example:
        gadoscope notebook my-lesson.ipynb
    """
    from importlib import resources

    from gadoscope.api.installation import find_missing
    from gadoscope.cli.console import say
    from gadoscope.errors import UsageError
    from gadoscope.extras import install_command
    from gadoscope.files import write_text

    if file.suffix != SUFFIX:
        raise UsageError(f"{file} is no name of a notebook; end it in {SUFFIX}.")
    if file.exists():
        raise UsageError(f"{file} exists already; name another file, or move that one away.")
    write_text(file, (resources.files("gadoscope.notebooks") / NAME).read_text(encoding="utf-8"))
    say(f"notebook: {file}")
    if find_missing("notebook"):
        say(f"install:  {install_command('notebook')}")
    say(f"next:     jupyter lab {shlex.quote(str(file))}")
