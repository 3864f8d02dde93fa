"""From the logits of a series' slices to one logit of the series."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "mean": (),
    "median": (),
    "trimmed_mean": (),
    "max": (),
    "log_mean_exp": ("sharpness",),
}
"""What each method needs to be applied, the simplest first."""
METHODS = tuple(PARAMETERS)

# Share of the slices that the trimmed mean leaves out at each end: of five slices, one and one.
TRIMMED_SHARE = 0.2


@dataclass(frozen=True)
class Aggregation:
    """How the slices of a series become one score.

    Parameters
    ----------
    method
        ``mean``, ``median``, ``trimmed_mean`` (without the ``TRIMMED_SHARE`` lowest and highest),
        ``max`` (one enhancing slice suffices), or ``log_mean_exp``, which lies between mean (sharpness
        near 0) and max (large), all of the logits.
    parameters
        ``{"sharpness": positive number}`` for ``log_mean_exp``, else empty.

    Raises
    ------
    ValueError
        If the method is unknown, or its parameters do not fit.
    """

    method: str = "mean"
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(
                f"aggregation has the method {self.method!r}; this Gadoscope knows "
                f"{', '.join(METHODS)}: upgrade with pip."
            )
        expected = PARAMETERS[self.method]
        if set(self.parameters) != set(expected):
            raise ValueError(
                f"aggregation by {self.method} needs {', '.join(expected) or 'no parameter'}, "
                f"but it has {', '.join(sorted(self.parameters)) or 'none'}."
            )
        for name, value in self.parameters.items():
            if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
                raise ValueError(f"aggregation has {name} {value!r}; expected a finite number above 0.")

    def apply(self, logits: NDArray[np.floating]) -> float:
        """Return the logit of a series from those of its slices, shape (n,), n at least 1.

        Raises
        ------
        ValueError
            If there is no slice.
        """
        values = np.asarray(logits, dtype=np.float64)
        if values.size == 0:
            raise ValueError("a series without slices has no logit.")
        match self.method:
            case "median":
                return float(np.median(values))
            case "trimmed_mean":
                n_cut = int(TRIMMED_SHARE * values.size)
                return float(np.sort(values)[n_cut : values.size - n_cut].mean())
            case "max":
                return float(values.max())
            case "log_mean_exp":
                sharpness = self.parameters["sharpness"]
                return float((np.logaddexp.reduce(sharpness * values) - math.log(values.size)) / sharpness)
            case _:
                return math.fsum(values) / values.size  # in any order, to the last bit

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"method": ..., parameter: number, ...}`` for JSON."""
        return {"method": self.method, **{name: self.parameters[name] for name in PARAMETERS[self.method]}}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Return the aggregation that `to_dict` wrote.

        Raises
        ------
        ValueError
            As the class does.
        """
        return cls(
            str(document.get("method")),
            {name: value for name, value in document.items() if name != "method"},
        )
