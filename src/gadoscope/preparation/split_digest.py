"""One SHA-256 of who is on which side: two runs with the same one trained and were judged on the same."""

import hashlib

from gadoscope.errors import LeakError
from gadoscope.preparation.items import Manifest, printable


def digest_split(manifest: Manifest) -> str:
    """Return the SHA-256 of each image's content, label and side, whatever the order of the rows.

    An image is known by the SHA-256 of its file, so that moving the folder changes nothing; where that
    is unknown, by its name.
    """
    lines = sorted(
        f"{item.extra.get('sha256') or printable(item.path)} {item.label} {item.split or ''}"
        for item in manifest.items
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check_split(manifest: Manifest, recorded: str) -> None:
    """Check that nobody changed the sides after they were recorded.

    Raises
    ------
    LeakError
        If an image was moved, added, removed or labelled anew.
    """
    present = digest_split(manifest)
    if present != recorded:
        raise LeakError(
            f"{printable(manifest.origin)} is not the split that was trained with: its digest is "
            f"{present[:8]}, and {recorded[:8]} was recorded. An image was moved to another side, added, "
            "removed or labelled anew; put the file back as it was, or train again."
        )
