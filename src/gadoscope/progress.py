"""How far a long command is: one protocol for whoever works and whoever shows it."""

from collections.abc import Callable

OnProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, and how many there are."""

OnCount = Callable[[int, int], None]
"""The same within one step, whose name the caller knows: ``partial(on_progress, "Reading images")``."""


def say_nothing(what: str, done: int, of: int) -> None:
    """Take progress and show none."""


def count_nothing(done: int, of: int) -> None:
    """Take the progress of one step and show none."""
