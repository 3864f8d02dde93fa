"""`python -m gadoscope` is the command `gadoscope`.

Processes that read headers import this file once more, whoever started the command: so it imports nothing.
"""


def main() -> None:
    """Run the command line, in a process that is its own: it starts and ends as fast as it can."""
    from gadoscope.cycles import look_rarely  # noqa: PLC0415 — as above

    look_rarely()
    from gadoscope.cli.main import main as run  # noqa: PLC0415 — as above
    from gadoscope.cli.process import end_now  # noqa: PLC0415 — as above

    try:
        run()
    except SystemExit as end:
        end_now(end)
        raise


if __name__ == "__main__":
    main()
