"""What the property tests share: settings, and texts."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# The first example builds hypothesis' tables of Unicode: seconds on a busy machine, and none of ours.
UNHURRIED = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
"""The texts of `st.text()`, by what UTF-8 leaves out: to list what it holds takes seconds in each copy."""
