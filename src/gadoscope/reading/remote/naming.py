"""What a user names becomes a place: a path of the disk, or an address."""

import difflib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gadoscope.errors import UsageError
from gadoscope.extras import install_command, name_what_is_missing
from gadoscope.reading.remote.addresses import WEB, hide_secrets, split_scheme
from gadoscope.reading.remote.path import Location, RemotePath

_OF_OTHERS = frozenset(
    (
        *("async_wrapper", "blockcache", "cached", "dask", "data", "dir", "filecache", "generic"),
        *("libarchive", "list", "reference", "simplecache", "tar", "zip"),
    )
)
"""What fsspec knows as schemes and is no place of its own."""
EXTRA = "s3"
"""What brings fsspec itself, and the libraries of these schemes."""
_OF_THE_EXTRA = ("s3", "s3a", *WEB)
_PACKAGES = {
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "sftp": "paramiko",
    "ssh": "paramiko",
}
_LOCAL = ("file", "local")
_WITHOUT_LOGIN = ("s3", "s3a", "gs", "gcs")


def locate(text: str) -> Location:
    """Return the place that a text names.

    Raises
    ------
    UsageError
        If it is an address, and its scheme is unknown or needs a library that is not installed.
    """
    scheme, chain = split_scheme(text)
    if not scheme:
        return Path(text)
    if chain:
        raise UsageError(
            f"'{scheme}{chain}://' chains file systems, which are not read; name the address itself."
        )
    if scheme in _LOCAL:
        return Path(unquote(urlsplit(text).path))
    _check_scheme(scheme)
    address = scheme + text[len(scheme) :]
    if "@" in RemotePath(address).root and scheme in _WITHOUT_LOGIN:
        raise UsageError(
            f"{hide_secrets(address)} came with a user or a password, which are not read from an address of "
            "this kind; leave them, and set AWS_PROFILE or the other variables that its library asks."
        )
    is_folder = scheme in WEB and address.endswith("/")
    if address.startswith("memory:///"):
        address = address.replace(":///", "://", 1)
    return RemotePath(_strip(address), is_folder=is_folder)


def _strip(address: str) -> str:
    """Take the slash of a folder away; the name of an object never ends with one."""
    scheme, mark, rest = address.partition("://")
    return scheme + mark + rest.rstrip("/")


def _check_scheme(scheme: str) -> None:
    with name_what_is_missing(f"'{scheme}://'", extra=EXTRA):
        import fsspec  # noqa: PLC0415 — only where an address is named
    known = sorted({*fsspec.available_protocols()} - _OF_OTHERS)
    if scheme not in known:
        near = [
            *difflib.get_close_matches(scheme, ["s3", *WEB], 1, 0.5),
            *difflib.get_close_matches(scheme, known, 1),
        ]
        hint = f"did you mean {near[0]}://?" if near else "s3:// and https:// are some that are."
        raise UsageError(f"'{scheme}://' is no scheme that is known; {hint} A path on disk has no '://'.")
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        missing = _PACKAGES.get(scheme)
        remedy = f"pip install {missing}" if missing else "install what fsspec asks for it"
        raise UsageError(
            f"'{scheme}://' needs a library that is not installed: "
            f"{install_command(EXTRA) if scheme in _OF_THE_EXTRA else remedy}"
        ) from error
