"""A BIDS data set as labelled data: who has the entity ``ce-`` in its name was scanned with contrast.

References
----------
BIDS 1.10, "Magnetic Resonance Imaging": entity ``ce``
"""

import os
from collections.abc import Iterator
from pathlib import Path

from gadoscope.errors import ManifestError
from gadoscope.labels import Label
from gadoscope.preparation.items import Item, Manifest, check_names
from gadoscope.reading.bids.dataset import DESCRIPTION
from gadoscope.reading.bids.names import BidsName, parse_image_name
from gadoscope.reading.discover import iter_inputs
from gadoscope.wording import plural, show_path

SUFFIX = "t1w"


def is_bids(folder: Path) -> bool:
    """Return whether a folder is the root of a BIDS data set."""
    return os.path.isfile(folder / DESCRIPTION)  # noqa: PTH113 - Path's own raises on some names


def read_bids_layout(folder: Path) -> Manifest:
    """List the T1-weighted images of a data set: post-contrast with ``ce-``, pre-contrast without.

    Raises
    ------
    ManifestError
        If no image has the entity, or all have: then the names say nothing of a difference.
    """
    items = tuple(_list_items(folder))
    check_names(item.path for item in items)
    n_post = sum(item.label is Label.POST for item in items)
    n_pre = len(items) - n_post
    if not n_post or not n_pre:
        raise ManifestError(
            f"of {plural(len(items), 'T1w image')} in {show_path(folder)} {n_post} have the entity ce- in "
            "their names, so these do not tell pre- from post-contrast; say which is which with --labels."
        )
    notice = f"{plural(n_pre, 'T1w image')} without ce- in the name were taken for pre-contrast."
    return Manifest(items=items, origin=folder, notices=(notice,))


def _list_items(folder: Path) -> Iterator[Item]:
    for found in iter_inputs([folder]):
        path = found.source.on_disk
        name = parse_image_name(path) if found.error is None else None
        if name is not None and name.suffix.lower() == SUFFIX:
            yield Item(
                path=path,
                label=Label.POST if "ce" in name.entities else Label.PRE,
                subject_id=f"sub-{name.entities['sub']}",
                source=folder.name,
                extra=_describe(name),
            )


def _describe(name: BidsName) -> dict[str, str]:
    return {"session": name.entities["ses"]} if "ses" in name.entities else {}
