"""`python -m gadoscope` is the command `gadoscope`."""

from gadoscope.cli.main import main

if __name__ == "__main__":
    main()
