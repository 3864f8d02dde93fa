"""`python -m gadoscope` is the command `gadoscope`.

Processes that read headers import this file once more, whoever started the command: so it imports nothing.
"""


def main() -> None:
    """Run the command line."""
    from gadoscope.cli.main import main as run  # noqa: PLC0415 — as above

    run()


if __name__ == "__main__":
    main()
