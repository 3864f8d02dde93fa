"""The file systems of fsspec, one for each host or bucket: asked for listings and ranges, and nothing else.

Credentials are those of the environment and its profiles, as fsspec and the library of each scheme find them;
none is ever kept here. fsspec's own caches of listings and blocks are off: they grow with an archive.
"""

import errno
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from gadoscope.extras import name_what_is_missing
from gadoscope.reading.os_errors import ExplainedOSError
from gadoscope.reading.remote.addresses import WEB
from gadoscope.reading.remote.failures import explain
from gadoscope.reading.remote.path import RemotePath, Seen

CONNECT_SECONDS, READ_SECONDS = 10, 60
"""Until a try is given up; botocore then tries again, 4 times unless AWS_MAX_ATTEMPTS says otherwise."""
CONNECTIONS = 64
"""At once to one host: as many objects as one group of headers has."""
_KEPT_STORES = 64
_STAMPS = ("ETag", "etag", "LastModified", "Last-Modified", "mtime", "modified", "md5Hash", "created")
_S3 = ("s3", "s3a")


@lru_cache(maxsize=_KEPT_STORES)
def _open(root: str) -> Any:  # one of fsspec's file systems, which have no types
    with name_what_is_missing(f"'{root.partition(':')[0]}://'", extra="s3"):
        import fsspec  # noqa: PLC0415 — only where an address is named
    # Not one of fsspec's instances: it would hold the environment of the first one who asked.
    options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
    if root.startswith(_S3):
        options["config_kwargs"] = {
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "max_pool_connections": CONNECTIONS,
        }
    return fsspec.core.url_to_fs(root, **options)[0]


def open_store(path: RemotePath) -> Any:
    """Return fsspec's file system of an address; errors as of `read_range`."""
    try:
        return _open(path.root)
    except Exception as error:
        raise explain(error) from None


def _inside(store: Any, path: RemotePath) -> str:
    return str(store._strip_protocol(path.address))


def read_range(path: RemotePath, start: int, end: int) -> bytes:
    """Return the bytes from ``start`` to before ``end``; more where the server knows no ranges.

    Raises
    ------
    OSError
        `ExplainedOSError`, with the reason and the sentence of a row.
    """
    store = open_store(path)
    try:
        return bytes(store.cat_file(_inside(store, path), start=start, end=end))
    # Each library raises its own; every one of them must become a row.
    except Exception as error:
        raise explain(error) from None


def read_whole(path: RemotePath) -> bytes:
    """Return all bytes of an object whose length the server does not tell; errors as `read_range`."""
    store = open_store(path)
    try:
        return bytes(store.cat_file(_inside(store, path)))
    except Exception as error:
        raise explain(error) from None


def read_ranges(
    paths: Sequence[RemotePath], starts: Sequence[int], ends: Sequence[int]
) -> list[bytes | None]:
    """Return bytes of several objects, all asked for at once; ``None`` where that failed."""
    stores: dict[str, list[int]] = {}
    for number, path in enumerate(paths):
        stores.setdefault(path.root, []).append(number)
    found: list[bytes | None] = [None] * len(paths)
    for numbers in stores.values():
        try:
            store = open_store(paths[numbers[0]])
            if not store.async_impl:
                continue
            parts = store.cat_ranges(
                [_inside(store, paths[number]) for number in numbers],
                [starts[number] for number in numbers],
                [ends[number] for number in numbers],
                batch_size=CONNECTIONS,
            )
        # Whatever is wrong, the one who opens the object is told.
        except Exception:  # noqa: S112 — as above
            continue
        for number, part in zip(numbers, parts, strict=True):
            found[number] = part if isinstance(part, bytes) else None
    return found


def look_at(path: RemotePath) -> Seen | None:
    """Return what is said of one object, ``None`` of a folder; errors as `read_range`."""
    store = open_store(path)
    try:
        info = store.info(_inside(store, path))
    except Exception as error:
        raise explain(error) from None
    return None if info.get("type") == "directory" else _see(info)


def _see(info: dict[str, Any]) -> Seen:
    stamp = next((str(info[name]) for name in _STAMPS if info.get(name)), "")
    size = info.get("size")
    return Seen(UNKNOWN if size is None else int(size), stamp)


UNKNOWN = -1
"""The length of what the server does not tell."""


def iter_listing(folder: RemotePath) -> Iterator[tuple[str, Seen | None]]:
    """Yield name and what was seen of each object of a folder, ``None`` of folders in it, in no order.

    Of a bucket page by page: a folder may hold millions.

    Raises
    ------
    OSError
        As `read_range`; `FileNotFoundError`'s number where there is no such folder.
    """
    store = open_store(folder)
    try:
        if folder.root.startswith(_S3):
            yield from _iter_bucket(store, folder)
        else:
            yield from _iter_others(store, folder)
    except ExplainedOSError:
        raise
    except Exception as error:
        raise explain(error) from None


def _iter_bucket(store: Any, folder: RemotePath) -> Iterator[tuple[str, Seen | None]]:
    prefix = f"{folder.inside}/" if folder.inside else ""
    asked = {"Bucket": folder.root.partition("://")[2], "Prefix": prefix, "Delimiter": "/", **store.req_kw}
    n_found = 0
    while True:
        page = store.call_s3("list_objects_v2", **asked)
        names: Iterable[tuple[str, Seen | None]] = (
            *((one["Prefix"][:-1], None) for one in page.get("CommonPrefixes", ())),
            *((one["Key"], Seen(one["Size"], one.get("ETag", ""))) for one in page.get("Contents", ())),
        )
        for name, seen in names:
            n_found += 1
            if len(name) > len(prefix):  # else the folder's own mark
                yield name[len(prefix) :], seen
        if not page.get("IsTruncated"):
            break
        asked["ContinuationToken"] = page["NextContinuationToken"]
    if not n_found and prefix:
        raise explain(FileNotFoundError(errno.ENOENT, "no such folder"))


def _iter_others(store: Any, folder: RemotePath) -> Iterator[tuple[str, Seen | None]]:
    own = _inside(store, folder)
    if folder.root.partition(":")[0] in WEB:
        own = own.rstrip("/") + "/"
    for info in store.ls(own, detail=True):
        below = info["name"].removeprefix(own.rstrip("/")).lstrip("/")
        is_folder = info["type"] == "directory"
        name = below.rstrip("/")
        # A page links to its own columns, to other pages, and further down.
        if name and "/" not in name and "?" not in name and "#" not in name and info["name"] != own:
            yield name, None if is_folder else _see(info)
