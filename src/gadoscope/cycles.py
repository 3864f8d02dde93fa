"""How often Python looks for cycles of objects, in the processes that are ours alone: seldom."""

import gc

ALLOCATIONS = 20_000
"""Between two looks; Python's own 700 make it look through all modules again and again while they are
imported, a tenth of a short run. What is in no cycle, as images are, goes at once as ever."""


def look_rarely() -> None:
    """Let Python look for cycles seldom; best before the imports."""
    gc.set_threshold(ALLOCATIONS)
