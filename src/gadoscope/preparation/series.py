"""Which slices belong to one series: one answer for what is frozen and for what is judged.

A series is what the data call one, of one subject within its source. Where they name none, the slices of one
subject, source, label and plane are taken for one: two pre-contrast series of one plane are then not told
apart. A series is pre- or post-contrast, never both: where one name stands on images of both, a label or the
name is wrong, and either would make every figure of series wrong; so that is an error, and never a guess.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from gadoscope.errors import ManifestError
from gadoscope.labels import Label
from gadoscope.preparation.items import Item
from gadoscope.preparation.subjects import within_source
from gadoscope.wording import name_some

SERIES_COLUMN = "series"
"""Column of a manifest that names the series of each image."""
UID_COLUMNS = ("series_instance_uid", "seriesinstanceuid")
"""Columns that name a DICOM series; where the path is a folder, they say which one in it is meant."""
SERIES_COLUMNS = (SERIES_COLUMN, "series_id", *UID_COLUMNS)
"""What that column may be called, in the order in which they are looked for."""


def find_series(extra: Mapping[str, str]) -> str:
    """Return what an item's further columns call its series; empty where they do not."""
    return next((extra[column].strip() for column in SERIES_COLUMNS if extra.get(column)), "")


def name_series(items: Sequence[Item]) -> tuple[str, ...] | None:
    """Return the series of each image, in the order of ``items``; see `name_series_of`."""
    return name_series_of(
        [item.path for item in items],
        [find_series(item.extra) for item in items],
        [within_source(item.subject_id, item.source) for item in items],
        [item.plane for item in items],
        [item.label for item in items],
    )


def name_series_of(
    paths: Sequence[Path | str],
    named: Sequence[str],
    owners: Sequence[tuple[str, str]],
    planes: Sequence[str],
    labels: Sequence[Label],
) -> tuple[str, ...] | None:
    """Return the series of each image.

    Parameters
    ----------
    paths
        Only for messages.
    named
        What the data call the series of each image; it counts where every image has one.
    owners
        Of each image, from `within_source`.

    Returns
    -------
    tuple of str or None
        None where some image is without a name for its series, and some without a subject.

    Raises
    ------
    ManifestError
        If one name stands on pre- and on post-contrast images.
    """
    if named and all(named):
        names = tuple("\0".join((*owner, name)) for owner, name in zip(owners, named, strict=True))
        _check_labels(paths, names, labels)
        return names
    if not owners or not all(subject for subject, _ in owners):
        return None
    return tuple(
        "\0".join((*owner, label.value, plane))
        for owner, label, plane in zip(owners, labels, planes, strict=True)
    )


def _check_labels(paths: Sequence[Path | str], names: Sequence[str], labels: Sequence[Label]) -> None:
    """Raise ManifestError if a series has two labels; slices labelled other, such as of air, take no part."""
    by_series: dict[str, dict[Label, Path | str]] = defaultdict(dict)
    for path, name, label in zip(paths, names, labels, strict=True):
        if label is not Label.OTHER:
            by_series[name].setdefault(label, path)
    mixed = [firsts for firsts in by_series.values() if len(firsts) > 1]
    if mixed:
        raise ManifestError(
            f"{len(mixed)} of {len(by_series)} series have images of two labels, such as "
            f"{name_some([Path(path) for path in mixed[0].values()])}; a series has one label: "
            f"correct the labels or the column {SERIES_COLUMN}."
        )
