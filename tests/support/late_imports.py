"""What our code imports while it runs: the quick half of what a cold process would have loaded."""

import builtins
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.syntax import list_imports


@contextmanager
def note_late_imports() -> Iterator[set[str]]:
    """Yield a set that our modules' late imports are added to, also of what this process has loaded."""
    noted: set[str] = set()
    load = builtins.__import__

    def note(
        name: str,
        scope: Mapping[str, Any] | None = None,
        local: Mapping[str, Any] | None = None,
        wanted: Sequence[str] = (),
        level: int = 0,
    ) -> Any:
        if str((scope or {}).get("__name__")).startswith("gadoscope"):
            noted.update((name, *(f"{name}.{part}" for part in wanted or ())))
        return load(name, scope, local, wanted, level)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtins, "__import__", note)
        yield noted


def list_loaded(module: str, late: set[str]) -> set[str]:
    """Return what a cold process has loaded that imports a module of ours and then imports these."""
    ours = {name for name in late if name.startswith("gadoscope")}
    loaded = set().union(*(list_imports(name, early=True) for name in {module, *ours}))
    return loaded | {name.partition(".")[0] for name in late - ours}
