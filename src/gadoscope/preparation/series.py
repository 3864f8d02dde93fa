"""Which slices belong to one series: what the manifest says of it, or what its columns make likely."""

from collections import defaultdict
from collections.abc import Sequence

from gadoscope.errors import ManifestError
from gadoscope.labels import Label
from gadoscope.preparation.items import Item
from gadoscope.wording import name_some

SERIES_COLUMN = "series"
"""Column of a manifest that names the series of each image."""


def name_series(items: Sequence[Item]) -> tuple[str, ...] | None:
    """Return the series of each image, in the order of ``items``.

    It is the column ``series`` together with the subject where every image has one. Else slices of one
    subject, source, label and plane are taken for one series: two pre-contrast series of one plane are
    then not told apart.

    Returns
    -------
    tuple of str or None
        None where no image of the manifest has a series and some subject is unknown.

    Raises
    ------
    ManifestError
        If one series has images of two labels.
    """
    named = [item.extra.get(SERIES_COLUMN, "").strip() for item in items]
    if items and all(named):
        names = tuple(
            "\0".join((item.subject_id or "", item.source, name))
            for item, name in zip(items, named, strict=True)
        )
        _check_labels(items, names)
        return names
    if not items or any(item.subject_id is None for item in items):
        return None
    return tuple(
        "\0".join((item.subject_id or "", item.source, item.label.value, item.plane.value)) for item in items
    )


def _check_labels(items: Sequence[Item], names: Sequence[str]) -> None:
    by_series: dict[str, dict[Label, Item]] = defaultdict(dict)
    for item, name in zip(items, names, strict=True):
        by_series[name].setdefault(item.label, item)
    mixed = [list(labels.values()) for labels in by_series.values() if len(labels) > 1]
    if mixed:
        raise ManifestError(
            f"{len(mixed)} of {len(by_series)} series have images of two labels, such as "
            f"{name_some([item.path for item in mixed[0]])}; a series has one label: "
            f"correct the column {SERIES_COLUMN}."
        )
