"""A way to compute something that travels in a bundle: its name, and the numbers that it needs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from gadoscope.records import beside


@dataclass(frozen=True)
class NamedMethod:
    """A method and its parameters, checked when they are put together.

    Subclasses name the methods that they know, and what each needs.

    Raises
    ------
    ValueError
        If the method is unknown, or a parameter is missing, superfluous, or out of its range.
    """

    method: str
    parameters: Mapping[str, float] = field(default_factory=dict, metadata=beside())

    KIND: ClassVar[str]
    """What it is called in a sentence."""
    PARAMETERS: ClassVar[Mapping[str, tuple[str, ...]]]
    """Names of the parameters of each method."""
    LEAST: ClassVar[Mapping[str, float]]
    """The smallest value of each parameter."""

    def __post_init__(self) -> None:
        if self.method not in self.PARAMETERS:
            raise ValueError(
                f"{self.KIND} has the method {self.method!r}; this Gadoscope knows "
                f"{', '.join(self.PARAMETERS)}: upgrade with pip."
            )
        expected = self.PARAMETERS[self.method]
        if set(self.parameters) != set(expected):
            raise ValueError(
                f"{self.KIND} by {self.method} needs {', '.join(expected) or 'no parameter'}, "
                f"but it has {', '.join(sorted(self.parameters)) or 'none'}."
            )
        for name, value in self.parameters.items():
            least = self.LEAST[name]
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not math.isfinite(value) or value < least:
                bound = f" of at least {least:g}" if least > -math.inf else ""
                raise ValueError(f"{self.KIND} has {name} {value!r}; expected a finite number{bound}.")
        # One order, whatever that of the file was: what is written of it is the same to the byte.
        object.__setattr__(self, "parameters", {name: self.parameters[name] for name in expected})
