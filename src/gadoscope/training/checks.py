"""Whether a setting's value fits, and the sentence for what does not."""

import math
from collections.abc import Iterable, Mapping, Sequence

from gadoscope.errors import ConfigError
from gadoscope.misfits import name_choices

SHARE_ROUNDING = 1e-9
"""Shares that a person wrote as decimals add up to 1 only so closely."""


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


def check_shares(name: str, shares: Mapping[str, float]) -> None:
    """Check a table of source and share: none below 0, all together 1 at most."""
    for source, share in shares.items():
        check_range(f"{name}.{source}", share, least=0)
    if sum(shares.values()) > 1 + SHARE_ROUNDING:
        raise ConfigError(f"{name} add up to {sum(shares.values()):g}; expected 1 at most.")


def check_sources(name: str, shares: Mapping[str, float], sources: Iterable[str]) -> None:
    """Raise ConfigError if a share is of a source that the data do not have: most likely misspelt."""
    known = sorted(set(sources))
    unknown = [source for source in shares if source not in known]
    if unknown:
        raise ConfigError(
            f"{name} name {', '.join(unknown)}, but the data have the sources {', '.join(known)}."
        )
