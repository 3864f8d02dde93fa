"""What it costs to take one id under two sources for one person, and what it costs not to.

    python -m benchmarks.shared_ids

Of simulated people some are answered rightly more often than others. The same ids stand under two sources:
once they are the same people, scanned in both; once two different people have each. Asked is how often a 95 %
interval for the share of right answers holds the true share, and how wide it is.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gadoscope.decision.calibration import sigmoid
from gadoscope.statistics.shares import estimate_share

SEED = 28
N_SOURCES, N_IMAGES = 2, 4
"""Of each id, and of each of its sources."""
MEAN, SPREAD = 1.5, 1.5
"""Of the people's log odds to be answered rightly: some 78 % on average."""
N_FOR_TRUTH = 1_000_000
SAME, DIFFERENT = "the same people", "different people"
BY_ID, BY_BOTH = "id", "source and id"


@dataclass(frozen=True)
class Measured:
    """How often the interval holds the truth, and its mean width."""

    people: str
    rule: str
    coverage: float
    width: float


def measure(n_ids: int, draws: int) -> list[Measured]:
    """Return what each rule does for each kind of data."""
    generator = np.random.default_rng(SEED)
    truth = float(sigmoid(generator.normal(MEAN, SPREAD, N_FOR_TRUTH)).mean())
    by_id = np.repeat(np.arange(n_ids), N_SOURCES * N_IMAGES)
    by_both = np.repeat(np.arange(n_ids * N_SOURCES), N_IMAGES)
    measured = []
    for people in (SAME, DIFFERENT):
        drawn = [_draw(people, n_ids, generator) for _ in range(draws)]
        for rule, group in ((BY_BOTH, by_both), (BY_ID, by_id)):
            bounds = np.array([_interval(right, group) for right in drawn])
            holds = (bounds[:, 0] <= truth) & (truth <= bounds[:, 1])
            width = float((bounds[:, 1] - bounds[:, 0]).mean())
            measured.append(Measured(people, rule, float(holds.mean()), width))
    return measured


def _draw(people: str, n_ids: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Return which images are answered rightly: of each id, of each of its sources, shape (n,)."""
    n_people = 1 if people == SAME else N_SOURCES
    odds = generator.normal(MEAN, SPREAD, (n_ids, n_people)).repeat(N_SOURCES // n_people, axis=1)
    right: NDArray[np.bool_] = generator.random((n_ids, N_SOURCES, N_IMAGES)) < sigmoid(odds)[..., np.newaxis]
    return right.ravel()


def _interval(right: NDArray[np.bool_], group: NDArray[np.int64]) -> tuple[float, float]:
    estimate = estimate_share(right, group)
    assert estimate.lower is not None  # noqa: S101 - there are images: narrows the type only
    assert estimate.upper is not None  # noqa: S101 - as above
    return estimate.lower, estimate.upper


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ids", type=int, default=20)
    parser.add_argument("--draws", type=int, default=2000)
    arguments = parser.parse_args()
    print("| under one id in two sources | a subject is | 95 % interval holds the truth | width |")
    print("|---|---|---|---|")
    for row in measure(arguments.ids, arguments.draws):
        print(f"| {row.people} | {row.rule} | {row.coverage:.1%} | {row.width:.3f} |")


if __name__ == "__main__":
    main()
