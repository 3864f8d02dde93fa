"""The configs that come with the installation, by name: `gadoscope train lesson` needs no file."""

from importlib.resources import files
from pathlib import Path

from gadoscope.errors import ConfigError
from gadoscope.misfits import find_near

CONFIGS = Path(str(files("gadoscope.configs")))
SUFFIX = ".toml"


def list_shipped() -> tuple[str, ...]:
    """Return the names, in alphabetical order."""
    return tuple(sorted(path.stem for path in CONFIGS.glob(f"*{SUFFIX}")))


def find_config(config: str | Path) -> Path:
    """Return the file that a user means: one of that path, or else one that ships under that name.

    A file comes first, as everywhere a name could be one; a folder of that name does not count, since no
    folder is a config, and people keep their slices in one called ``lesson``.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    path = Path(config)
    if path.exists() and not path.is_dir():
        return path
    shipped = CONFIGS / f"{path.name}{SUFFIX}"
    if str(config) == path.name and path.name in list_shipped():
        return shipped
    near = find_near(path.stem, list_shipped())
    meant = f" (did you mean {near}?)" if near else ""
    what = "a folder" if path.is_dir() else "no file"
    raise ConfigError(
        f"{config} is {what}; name a TOML file, or a config that ships: {', '.join(list_shipped())}{meant}."
    )
