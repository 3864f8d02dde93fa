"""One SHA-256 of labelled images, whatever their order and their names: which data something was found in."""

import hashlib
from collections.abc import Iterable, Sequence

from gadoscope.labels import Label
from gadoscope.preparation.items import Item


def digest_files(digests: Iterable[str]) -> str:
    """Return the SHA-256 of the files' own, in hexadecimal."""
    return _digest(digests)


def digest_labelled(items: Sequence[Item], digests: Sequence[str]) -> str:
    """Return the SHA-256 of the contents and labels of the pre- and post-contrast images.

    Images labelled other leave it as it is: a run that trains no gate does not know of them.

    Parameters
    ----------
    digests
        SHA-256 of each item's file; empty where it cannot be read.
    """
    pairs = zip(items, digests, strict=True)
    return _digest(f"{digest} {item.label}" for item, digest in pairs if item.label is not Label.OTHER)


def digest_described(items: Sequence[Item], digests: Sequence[str], left_out: Iterable[str]) -> str:
    """Return the SHA-256 of contents and labels, and of all else that a manifest says of an image.

    Parameters
    ----------
    left_out
        Columns that do not count.
    """
    left_out = frozenset(left_out)
    return _digest(
        repr((digest, item.label.value, item.subject_id, item.plane.value, item.source, columns))
        for item, digest in zip(items, digests, strict=True)
        for columns in [sorted((k, v) for k, v in item.extra.items() if v and k.casefold() not in left_out)]
    )


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()
