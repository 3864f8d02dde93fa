"""Write docs/reference/cli.md from the commands' own `--help`; `make docs` runs it, a test compares."""

from pathlib import Path

import click

from gadoscope.cli.main import COMMANDS, cli

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "cli.md"
WIDTH = 100


def render() -> str:
    """Return the page: the help of `gadoscope` and of every command."""
    parts = ["# Command line", "", "Every text here is the output of `--help`; a test compares them.", ""]
    for name in ("", *COMMANDS):
        words = f"gadoscope {name}".strip()
        parts += [f"## `{words}`", "", "```text", _help(name), "```", ""]
    return "\n".join(parts)


def _help(name: str) -> str:
    context = click.Context(cli, info_name="gadoscope", terminal_width=WIDTH, max_content_width=WIDTH)
    if not name:
        return cli.get_help(context)
    command = cli.get_command(context, name)
    if command is None:
        raise LookupError(name)
    inner = click.Context(
        command, info_name=name, parent=context, terminal_width=WIDTH, max_content_width=WIDTH
    )
    return command.get_help(inner)


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(render() + "\n", encoding="utf-8")
