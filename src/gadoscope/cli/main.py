"""The command `gadoscope`: finds the subcommand, runs it, and turns errors into one line."""

import importlib
import os
import sys
from typing import Any

import click

from gadoscope.cli.console import open_standard_streams, say_aside
from gadoscope.cli.interrupt import end_on_signal
from gadoscope.errors import GadoscopeError, OutputError
from gadoscope.misfits import find_near
from gadoscope.text import printable
from gadoscope.version import __version__

COMMANDS = (
    "classify",
    "results",
    "serve",
    "access",
    "explain",
    "audit",
    "prepare",
    "train",
    "tune",
    "evaluate",
    "runs",
    "phantom",
    "notebook",
    "import-keras",
    "doctor",
)

EXIT_INTERRUPTED = 130
"""128 + SIGINT, as a shell reports a program that Ctrl-C ended."""


class LazyGroup(click.Group):
    """Imports a subcommand's module when it is asked for: `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called ``cmd_name``: the object `command` of its module."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"gadoscope.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the command that is nearly the one that was asked for."""
        if args[0] not in COMMANDS and (near := find_near(args[0], COMMANDS)):
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{near}'?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; name the extra that it lacks; end on Ctrl-C with the code shells expect."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError:
            from gadoscope.extras import name_what_is_missing

            with name_what_is_missing("this command"):
                raise
        except click.ClickException as error:
            vars(error)["message"] = printable(error.message)  # it may quote a name
            raise
        except KeyboardInterrupt:
            say_aside("Interrupted.")
            ctx.exit(EXIT_INTERRUPTED)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gadoscope")
def cli() -> None:
    """Tell from the pixels whether a T1 brain MRI was acquired before or after gadolinium.

    Not a medical device.
    """


def main() -> None:
    """Run the command line; an error of ours ends it with one line and its exit code."""
    open_standard_streams()
    try:
        with end_on_signal():
            cli(standalone_mode=True)
    except GadoscopeError as error:
        say_aside(f"Error: {error}")
        sys.exit(error.exit_code)
    except OSError as error:  # of a path that nobody has tried before: in a folder that may not be entered
        if error.filename is None:
            raise
        name = os.fsdecode(error.filename)
        say_aside(f"Error: cannot use {name}: {error.strerror}; check the path and its permissions.")
        sys.exit(OutputError.exit_code)
