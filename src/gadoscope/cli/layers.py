"""A network's layers as a table for the terminal."""

from collections.abc import Iterable, Mapping
from typing import Any


def format_layers(layers: Iterable[Mapping[str, Any]]) -> str:
    """Return a line a layer (name, output shape, parameters) and one with all parameters.

    ``layers`` are rows as `record.json` holds them.
    """
    rows = list(layers)
    lines = [f"{'layer':<10}{'output shape':>18}{'parameters':>12}"]
    for layer in rows:
        shape = " x ".join(str(side) for side in layer["output_shape"])
        lines.append(f"{layer['name']:<10}{shape:>18}{layer['parameters']:>12,}")
    lines.append(f"{'in all':<10}{'':>18}{sum(layer['parameters'] for layer in rows):>12,}")
    return "\n".join(lines) + "\n"
