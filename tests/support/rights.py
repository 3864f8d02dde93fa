"""Give up root's right to read everything, for tests of files that may not be read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534
"""The user with the fewest rights, on Linux and in containers."""


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Run the block as a user who may enter ``folder`` but owns nothing; skip where that cannot be."""
    for path in (folder, *folder.parents):  # pytest makes its levels for their owner alone
        path.chmod(0o755)
        if path.name.startswith("pytest-of-"):
            break
    if os.geteuid() != 0:  # an ordinary user already
        yield
        return
    try:
        os.seteuid(NOBODY)
    except OSError:
        pytest.skip("this system does not let the test give up its rights")
    try:
        yield
    finally:
        os.seteuid(0)
