"""How long the whole default run may take, and what it says of itself at its end."""

import os
import time

import pytest

ASKED_MINUTES = 4
"""Of the whole default run on two cores, what is asked."""
STATED = "under 4 minutes on 2 cores"
"""What it takes, as Makefile and CONTRIBUTING say."""

_BEGAN = time.monotonic()
_OUTCOMES = ("passed", "failed", "xfailed", "xpassed", "error")


def tell_duration(reporter: pytest.TerminalReporter) -> None:
    """Print how many claims were looked at, how long it took, and how long the whole may take."""
    claims = sum(len(reporter.stats.get(outcome, [])) for outcome in _OUTCOMES)
    seconds = time.monotonic() - _BEGAN
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    asked = f"the whole is to take {60 * ASKED_MINUTES} s at most on 2"
    reporter.write_line(f"{claims:,} claims in {seconds:.0f} s on {cores} cores; {asked}")
