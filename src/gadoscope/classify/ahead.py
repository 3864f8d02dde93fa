"""Work a little ahead of whoever reads the results, in order, holding few of them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


def map_ahead(
    pool: Executor, function: Callable[[Given], Made], given: Iterable[Given], n_ahead: int
) -> Iterator[Made]:
    """Yield ``function`` of each of ``given``, in their order; at most ``n_ahead`` are under way.

    ``given`` is taken only as results leave, so it may be endless. What is under way when the reader
    stops is cancelled, or runs to its end in the pool.
    """
    rest = iter(given)
    under_way: deque[Future[Made]] = deque()
    try:
        for one in islice(rest, n_ahead):
            under_way.append(pool.submit(function, one))
        while under_way:
            made = under_way.popleft().result()
            for one in islice(rest, 1):
                under_way.append(pool.submit(function, one))
            yield made
    finally:
        for future in under_way:
            future.cancel()


def in_groups(given: Iterable[Given], size: int) -> Iterator[list[Given]]:
    """Yield lists of ``size``, the last one perhaps shorter."""
    rest = iter(given)
    return iter(lambda: list(islice(rest, size)), [])
