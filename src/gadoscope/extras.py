"""What the extras bring, and the command that installs one."""

import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

PACKAGE = "gadoscope"
BASE = "base"
"""What is installed without any extra."""
_OF_TRAINING = (
    "captum",
    "h5py",
    "lightning_fabric",
    "matplotlib",
    "onnx",
    "safetensors",
    "scipy",
    "sklearn",
    "threadpoolctl",
    "torch",
)
MODULES_OF_EXTRA = {
    "train": _OF_TRAINING,
    "notebook": (*_OF_TRAINING, "IPython", "jupyterlab"),
    "phantom": ("scipy",),
    "mlflow": ("alembic", "mlflow", "sqlalchemy"),
    "tune": ("optuna",),
    "pandas": ("pandas",),
    "parquet": ("pyarrow",),
    "tensorboard": ("tensorboard",),
    "s3": ("aiobotocore", "dateutil", "fsspec", "s3fs"),
    "store": ("alembic", "sqlalchemy"),
    "postgresql": ("alembic", "psycopg", "sqlalchemy"),
    "cluster": ("dask", "distributed"),
    "web": (
        "alembic",
        "anyio",
        "argon2",
        "fastapi",
        "prometheus_client",
        "pydantic",
        "python_multipart",
        "sqlalchemy",
        "starlette",
        "uvicorn",
    ),
}
"""The extras of a user, and the libraries of each that a base installation lacks, as they are imported; of
two extras with one library the first is named where nobody says which."""
DEVELOPMENT = frozenset({"dev", "docs"})
"""The extras of those who work on Gadoscope itself; their absence is no news to a user."""
EXTRA_OF_MODULE = {
    module: extra for extra, modules in reversed(MODULES_OF_EXTRA.items()) for module in modules
}

_TAKEN_IN = re.compile(rf"{PACKAGE}\[(?P<extras>[^\]]+)\]")
_EXTRA = re.compile(r"extra\s*==\s*['\"](?P<extra>[^'\"]+)['\"]")


def group_requirements() -> dict[str, list[str]]:
    """Return what Gadoscope requires, as installers write it, by ``base`` and by extra."""
    from importlib import metadata  # noqa: PLC0415 — a twentieth of what a first answer waits for

    groups: dict[str, list[str]] = {BASE: []}
    for line in metadata.requires(PACKAGE) or []:
        requirement, _, condition = line.partition(";")
        extra = _EXTRA.search(condition)
        groups.setdefault(extra["extra"] if extra else BASE, []).append(requirement.strip())
    return groups


def install_command(extra: str = BASE, *, again: bool = False) -> str:
    """Return a command for a shell that installs an extra, or the base, where we run.

    From the clone, the folder or the archive that we were installed from. Where that is gone, and after an
    installation from elsewhere, the libraries are named: those are on the package index.

    Parameters
    ----------
    extra
        Name of the extra.
    again
        Install Gadoscope itself once more, where a file of it is missing.
    """
    brackets = "" if extra == BASE else f"[{extra}]"
    words = ["--force-reinstall", "--no-deps"] if again else []
    if (clone := _find_clone()) is not None:
        words += ["--editable", f"{clone}{brackets}"]
    elif (origin := _find_origin()) is not None:
        words.append(f"{origin}{brackets}")
    else:
        words += [PACKAGE] if again else _list_libraries(extra)
    return f"{_find_pip()} install {shlex.join(words)}"


def _list_libraries(extra: str) -> list[str]:
    """Return what an extra requires, with the libraries of the extras of ours that it takes in."""
    groups = group_requirements()
    listed: list[str] = []
    for requirement in groups[extra]:
        taken = _TAKEN_IN.fullmatch(requirement)
        names = taken["extras"].split(",") if taken else []
        listed += [library for name in names for library in _list_libraries(name)] or [requirement]
    return listed


def name_extra(module: str) -> str | None:
    """Return the extra that brings a library, by the name that is imported."""
    return EXTRA_OF_MODULE.get(module.partition(".")[0])


@contextmanager
def name_what_is_missing(what: str, extra: str | None = None) -> Iterator[None]:
    """Say which command brings a library that is imported inside the block and is not installed.

    Parameters
    ----------
    what
        What needs it, as the subject of the sentence.
    extra
        The smallest extra that is enough; else the one that `name_extra` knows.

    Raises
    ------
    UsageError
        In place of ModuleNotFoundError, where an extra brings the library.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        known = name_extra(error.name or "")
        if known is None:
            raise
        from gadoscope.errors import UsageError  # noqa: PLC0415 — only where something is missing

        raise UsageError(
            f"{what} needs {error.name}, which is not installed: {install_command(extra or known)}"
        ) from error


def _find_clone() -> Path | None:
    """Return the clone that the running source lies in."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() and (root / "src" / PACKAGE).is_dir() else None


def _find_origin() -> Path | None:
    """Return the folder or the archive that pip noted as where we came from, if it is still there."""
    from importlib import metadata  # noqa: PLC0415 — as above

    try:
        noted = metadata.distribution(PACKAGE).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    address = urlsplit(json.loads(noted)["url"]) if noted else None
    if address is None or address.scheme != "file":
        return None
    path = Path(unquote(address.path))
    return path if path.exists() else None


def _find_pip() -> str:
    """Return what calls the pip of this Python."""
    found = shutil.which("pip")
    if found and Path(found).parent == Path(sys.executable).parent:
        return "pip"
    return f"{shlex.quote(sys.executable)} -m pip"
