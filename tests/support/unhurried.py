"""Settings of the property tests in this folder."""

from hypothesis import HealthCheck, settings

# The first example builds hypothesis' tables of Unicode: seconds on a busy machine, and none of ours.
UNHURRIED = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
