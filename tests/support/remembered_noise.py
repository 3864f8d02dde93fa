"""The fields that shape a head are drawn once for all tests that scan the same person.

Few persons are scanned by most tests, in other slices each time. To draw a person's fields takes longer than
to paint a few small slices of the head; they follow from seed and number alone.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from gadoscope.phantom.head.noise import Noise

ROOM = "gadoscope.phantom.head.individual"
"""Whose `Noise` is remembered: where a person's fields are drawn."""
MOST = 64
"""Fields that are kept, of 1 MB each: those of sixteen persons."""


def remember_noise() -> None:
    """Draw each field of a person once from now on, if tests of heads are among those collected."""
    if ROOM in sys.modules:
        from gadoscope.phantom.head.noise import Noise  # noqa: PLC0415 — it is loaded already

        sys.modules[ROOM].Noise = remembering(Noise)  # type: ignore[attr-defined]  # a module's own name


def remembering(draw: type[Noise]) -> Any:
    """Return what draws as ``draw`` does, but looks up what was drawn from a generator in the same state."""

    @lru_cache(MOST)
    def look_up(wavelength_mm: float, state: str, as_sheets: bool) -> tuple[Noise, dict[str, Any]]:
        import numpy as np  # noqa: PLC0415 — loaded with the room

        generator = np.random.default_rng()
        generator.bit_generator.state = json.loads(state)
        field = draw(wavelength_mm, generator, as_sheets=as_sheets)
        field._values.flags.writeable = False
        return field, dict(generator.bit_generator.state)

    def drawn(wavelength_mm: float, generator: np.random.Generator, *, as_sheets: bool = False) -> Noise:
        state = json.dumps(generator.bit_generator.state)
        field, generator.bit_generator.state = look_up(wavelength_mm, state, as_sheets)
        return field

    return drawn
