"""What a look at a series is worth: in which order a reader is shown what the machine left, and the rest.

Conflicts first, of header and pixels or within a study, those first of which the pixels are sure: somebody
wrote something wrong there. Then what got no answer, then the least certain answers. The sure ones come in an
order by chance, the same each time: however many of them are looked at, they are a random sample. Last what
was refused, by chance too, and what cannot be read.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from gadoscope.labels import Phase, Status
from gadoscope.results.ledger import STUDY_WARNINGS
from gadoscope.results.store.schema import WHOLE

SURE_LOGITS = 3.0
"""How far from the threshold an answer is sure: odds of twenty to one against the other phase."""
MOST_LOGITS = 16.0
"""A calibrated probability of 0 or 1 is that far away; more than a float32 can tell from 1."""
SEED = b"gadoscope audits"
"""Of the order by chance."""
_HASH_BYTES = 6
"""Of a fraction that a double holds exactly."""


class Look(IntEnum):
    """Why a series is worth a look; lower comes first."""

    CONFLICT = 0
    """Header and pixels, or the series of its study, contradict each other."""
    UNDECIDED = 1
    """Inside the abstention band."""
    UNCERTAIN = 2
    """Answered near the threshold, or of several phases."""
    AUDIT = 3
    """Answered, and sure: one of a random sample."""
    REFUSED = 4
    """Not a T1 brain series, the machine says."""
    UNREAD = 5
    """It failed: there is nothing to look at."""


@dataclass(frozen=True)
class Point:
    """Where a probability becomes an answer: an operating point of `gadoscope.decision`."""

    lower: float = 0.5
    threshold: float = 0.5
    upper: float = 0.5


@dataclass(frozen=True)
class Points:
    """The operating points of a bundle, for what was decided by one slice, and by several."""

    of_slice: Point
    of_series: Point

    def at(self, n_slices_used: int) -> Point:
        """Return the one for so many slices."""
        return self.of_series if n_slices_used > 1 else self.of_slice


UNKNOWN_POINTS = Points(Point(), Point())
"""Of a bundle that does not say so."""


def read_points(metadata: str) -> Points:
    """Return the operating points that a bundle's metadata say, as JSON; what they do not say is a half."""
    try:
        said = json.loads(metadata)
        of_slice = _read_point(said.get("operating_point"), Point())
        return Points(of_slice, _read_point(said.get("series_operating_point"), of_slice))
    except (ValueError, TypeError, AttributeError, RecursionError):  # of an odd bundle; an order hangs on it
        return UNKNOWN_POINTS


def _read_point(said: Mapping[str, Any] | None, otherwise: Point) -> Point:
    if said is None:
        return otherwise
    lower, threshold, upper = (float(said.get(name, 0.5)) for name in ("lower", "threshold", "upper"))
    return Point(lower, threshold, upper)


def distance_logits(probability: float, point: Point) -> float:
    """Return how far a probability is from the threshold, in logits."""
    return abs(_to_logit(probability) - _to_logit(point.threshold))


def look_order(row: Mapping[str, Any], points: Points) -> float | None:
    """Return the place of an answer in the order of `Look`, whose whole part says which it is.

    Parameters
    ----------
    row
        Of the table `answers`: `digest` and what `codec` writes.
    points
        Of the model.

    Returns
    -------
    float or None
        None of a single volume: the whole series is looked at.
    """
    if row["volume_index"] != WHOLE:
        return None
    probability = row["probability"]
    distance = 0.0 if probability is None else distance_logits(probability, points.at(row["n_slices_used"]))
    look = _find_look(row, distance)
    if look is Look.CONFLICT:
        return look + 1 / (2 + distance)
    is_by_distance = look in (Look.UNDECIDED, Look.UNCERTAIN)
    return look + (distance / (1 + distance) if is_by_distance else _by_chance(row["digest"]))


def _find_look(row: Mapping[str, Any], distance: float) -> Look:
    status = Status(row["status"])
    if status is Status.FAILED:
        return Look.UNREAD
    if row["agreement"] == "conflict" or any(warning in row["warnings"] for warning in STUDY_WARNINGS):
        return Look.CONFLICT
    if status is not Status.ANSWERED:
        return Look.REFUSED if status is Status.REFUSED else Look.UNDECIDED
    is_near = distance < SURE_LOGITS or row["phase"] == Phase.MIXED.value
    return Look.UNCERTAIN if is_near else Look.AUDIT


def _to_logit(probability: float) -> float:
    if not 0 < probability < 1:
        return math.copysign(MOST_LOGITS, probability - 0.5)
    return min(max(math.log(probability / (1 - probability)), -MOST_LOGITS), MOST_LOGITS)


def _by_chance(digest: str) -> float:
    """Return a number in [0, 1) that has nothing to do with what a content shows."""
    drawn = hashlib.blake2b(digest.encode(), key=SEED, digest_size=_HASH_BYTES).digest()
    return int.from_bytes(drawn) / 2.0 ** (8 * _HASH_BYTES)
