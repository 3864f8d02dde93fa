"""How often somebody may ask: a bucket that fills steadily and is emptied by requests."""

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from gadoscope.web.problems import Problem

BURST_SECONDS = 10.0
"""A bucket holds what so many seconds bring: programs ask in bursts."""
MAX_BUCKETS = 10_000
"""That are remembered; beyond it the one that was not asked for longest is forgotten, which is full."""


@dataclass
class _Bucket:
    left: float
    at: float


class RateLimit:
    """Lets so many requests a minute pass, for each of those who ask. For several threads.

    Parameters
    ----------
    per_minute
        Requests.
    what
        What is limited, as the beginning of a sentence.
    burst
        How many may come at once; by default what `BURST_SECONDS` bring.
    """

    def __init__(self, per_minute: int, what: str, *, burst: int | None = None) -> None:
        self._per_second, self._what = per_minute / 60, what
        self._most = float(burst or max(1.0, self._per_second * BURST_SECONDS))
        self._per_minute, self._lock = per_minute, threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def check(self, key: str) -> None:
        """Count a request.

        Raises
        ------
        Problem
            429, with when to ask again, if there were too many.
        """
        now = time.monotonic()
        with self._lock:
            bucket = self._buckets.setdefault(key, _Bucket(self._most, now))
            self._buckets.move_to_end(key)
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
            bucket.left = min(self._most, bucket.left + (now - bucket.at) * self._per_second)
            bucket.at = now
            if bucket.left >= 1:
                bucket.left -= 1
                return
            seconds = math.ceil((1 - bucket.left) / self._per_second)
        raise Problem(
            429,
            "too-many-requests",
            f"{self._what} may come {self._per_minute} times a minute; ask again in {seconds} s.",
            headers={"Retry-After": str(seconds)},
        )
