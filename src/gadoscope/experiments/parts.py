"""Which of several runs this is: in what is printed, in the record, and in what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

from gadoscope.errors import GadoscopeError, InputError


def name_part(unit: str, number: int, n: int, what: str = "") -> str:
    """Return such as ``fold 2 of 5``, or ``source 1 of 3 (ixi)``."""
    return f"{unit} {number} of {n}{f' ({what})' if what else ''}"


@contextmanager
def naming(part: str) -> Iterator[None]:
    """Let what goes wrong within say in which run it did."""
    try:
        yield
    except InputError as error:
        error.sentence = f"in {part}: {error.sentence}"
        raise
    except GadoscopeError as error:
        error.args = (f"in {part}: {error}",)
        raise
