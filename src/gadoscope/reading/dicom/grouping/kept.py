"""Batches of headers that outlive a run: written as JSON, for what is read from a file is not to be trusted.

Within a run batches are packed by `marshal`, which is quicker, and may crash the interpreter where somebody
else wrote it.
"""

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from gadoscope.reading.dicom.grouping.batches import Batch, Traits, pack_plainly

FORMAT = 1
"""Rises with every change of what a header or a batch holds: what is of another format is read anew."""


def encode_scan(batches: Sequence[Batch], left: Sequence[int], n_files: int) -> bytes:
    """Return what was found in a group of files.

    Parameters
    ----------
    batches
        The instances among them, all on disk.
    left
        Places in the group of everything else.
    n_files
        In the group.
    """
    said = [FORMAT, n_files, list(left), [_spell(batch) for batch in batches]]
    return zlib.compress(json.dumps(said).encode())


def decode_scan(content: bytes, n_files: int) -> tuple[list[Batch], list[int]] | None:
    """Return what `encode_scan` was given of so many files; ``None`` if damaged, or of another format."""
    try:
        number, n_kept, left, spelt = json.loads(zlib.decompress(content))
        batches = [_read(*batch) for batch in spelt]
        n_found = sum(batch.n_instances for batch in batches) + len(left)
        is_whole = n_kept == n_files == n_found and set(left) <= set(range(n_files))
        return (batches, left) if number == FORMAT and is_whole else None
    except (ValueError, TypeError, zlib.error, RecursionError):
        return None


def _spell(batch: Batch) -> list[Any]:
    traits = {name: _to_text(value) for name, value in asdict(batch.traits).items()}
    plain = replace(batch, packed=pack_plainly(batch.packed))
    return [
        *map(_to_text, (plain.study, plain.key, plain.first, plain.packed, plain.folder)),
        *(plain.n_instances, plain.about_first, traits),
    ]


def _read(
    study: str,
    key: str,
    first: str,
    packed: str,
    folder: str,
    n_instances: int,
    about_first: str,
    traits: Any,
) -> Batch:
    values: dict[str, Any] = {
        name: b64decode(value) if isinstance(value, str) else value for name, value in traits.items()
    }
    return Batch(
        study=b64decode(study),
        key=b64decode(key),
        n_instances=n_instances,
        first=b64decode(first),
        about_first=about_first,
        packed=b64decode(packed),
        traits=Traits(**values),
        folder=b64decode(folder),
    )


def _to_text(value: Any) -> Any:
    return b64encode(value).decode() if isinstance(value, bytes) else value
