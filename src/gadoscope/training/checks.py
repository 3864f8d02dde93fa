"""Whether a setting's value fits, and the sentence for what does not."""

import math
from collections.abc import Sequence

from gadoscope.errors import ConfigError
from gadoscope.misfits import name_choices


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise ConfigError if ``value`` is none of ``choices``."""
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}; expected {name_choices(value, choices)}.")


def check_range(
    name: str,
    value: float,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
) -> None:
    """Raise ConfigError if ``value`` is outside, or no number."""
    if not (above < value < below and value >= least):
        lower = f"of {least:g} or more" if least > -math.inf else f"above {above:g}"
        upper = "" if below == math.inf else f" and below {below:g}"
        raise ConfigError(f"{name} is {value}; expected a number {lower}{upper}.")


def check_share(name: str, value: float) -> None:
    """Check a share that 0 turns off."""
    check_range(name, value, least=0, below=1)
