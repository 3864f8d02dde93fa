"""What a bundle froze, as one thing: from the logits of a network to an answer, or to none."""

from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from gadoscope.arrays import Bools, Floats
from gadoscope.decision.aggregation import MEAN, Aggregation, aggregate_logits
from gadoscope.decision.calibration import Calibration, sigmoid
from gadoscope.decision.gate import Gate, check_t1_brain
from gadoscope.decision.operating_point import OperatingPoint, decide
from gadoscope.labels import Level, Phase
from gadoscope.records import beside, written_as


@dataclass(frozen=True, kw_only=True)
class LevelDecision:
    """How one logit of a level becomes a probability, and where that becomes an answer.

    The two go together: a threshold holds on the scale on which it was chosen.
    """

    point: OperatingPoint = field(metadata=written_as("operating_point"))
    calibration: Calibration = field(default_factory=Calibration)

    @property
    def has_band(self) -> bool:
        """Whether some probabilities get no answer."""
        return self.point.lower < self.point.upper

    def calls_post(self, probability: Floats) -> Bools:
        """Return the answers at the threshold, as if there were no band; of the same shape."""
        return np.asarray(probability >= self.point.threshold)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Chosen when a network is finished, then never changed.

    Training makes it, the bundle holds it, `classify` applies it and the report prints it.

    Parameters
    ----------
    of_slice
        Of a slice alone.
    aggregation
        How several slices become one.
    of_series
        Of several slices made one, on a scale of its own; None where they are decided as a slice is.
    gate
        Below which probability of a T1 brain nothing is answered; None of a network that cannot tell.
    """

    of_slice: LevelDecision = field(metadata=beside())
    aggregation: Aggregation = MEAN
    of_series: LevelDecision | None = field(default=None, metadata=beside("series_"))
    gate: Gate | None = None

    def at(self, level: Level) -> LevelDecision:
        """Return what holds at ``level``; the images of a subject are several slices, as a series' are."""
        return self.of_slice if level is Level.SLICE or self.of_series is None else self.of_series

    def pool(self, logits: Annotated[NDArray[np.float64], "n"]) -> float:
        """Return the one logit that the slices' logits become, shape (n,); see `aggregate_logits`."""
        return aggregate_logits(logits, self.aggregation)

    def probability(self, logits: NDArray[np.floating], level: Level = Level.SLICE) -> Floats:
        """Return P(post-contrast) for logits of any shape.

        Parameters
        ----------
        logits
            As the network gives them for slices, or as `pool` does for series.
        level
            Which of the two they are: each has its own calibration.
        """
        return self.at(level).calibration.apply(logits)

    def decide(self, probability: float, level: Level = Level.SLICE) -> Phase:
        """Return the phase that a probability of ``level`` stands for; INDETERMINATE inside the band.

        Raises
        ------
        ValueError
            If ``probability`` is not in [0, 1]; NaN is not.
        """
        return decide(probability, self.at(level).point)

    def refuses(self, t1_brain_logits: NDArray[np.floating]) -> Bools:
        """Return which slices, each alone, the gate gives no answer; none where there is no gate.

        Parameters
        ----------
        t1_brain_logits
            The network's second output, of any shape.
        """
        if self.gate is None:
            return np.zeros(np.shape(t1_brain_logits), dtype=np.bool_)
        return np.asarray(self.gate.refuses(sigmoid(t1_brain_logits)))

    def check_t1_brain(
        self, t1_brain_logits: NDArray[np.float64] | None, kinds: NDArray[np.float64] | None = None
    ) -> None:
        """Let the slices of one volume pass if the gate takes them together for a T1 brain, shape (n,).

        A refusal says what they look like where ``kinds``, shape (n, n_kinds), are there and sure.

        Raises
        ------
        RefusedError
            If it does not.
        ReadError
            If a logit is no finite number.
        """
        if self.gate is not None and t1_brain_logits is not None:
            check_t1_brain(t1_brain_logits, self.gate, kinds)
