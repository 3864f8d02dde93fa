"""File names of NIfTI images: what is the image, what lies beside it."""

from gadoscope.errors import InputError
from gadoscope.reading.places import Place, open_place

IMAGE_SUFFIXES = (".nii.gz", ".nii", ".hdr.gz", ".hdr")
"""What a NIfTI header's file may end with, longest first."""
PAIR_SUFFIXES = {".hdr": (".img", ".img.gz"), ".hdr.gz": (".img.gz", ".img")}
"""Where the voxels of a pair lie, beside its header; NIfTI-1, and compressed."""
_MAGIC_AT = {344: b"ni1\0", 4: b"ni2\0"}
_MAGIC_BYTES = 4


def is_file(path: Place) -> bool:
    """Return whether there is such a file; unlike `Path.is_file`, also for names that the system refuses."""
    try:
        return path.is_file()
    except OSError:  # longer than the system allows, or in a folder that may not be entered
        return False


def split_suffix(name: str) -> tuple[str, str]:
    """Return a NIfTI file's name without its suffix, and the suffix in lower case; else ("", "")."""
    for suffix in IMAGE_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)], suffix
    return "", ""


def find_pair_image(header: Place) -> Place | None:
    """Return the file with the voxels that ``header`` (.hdr) describes, or ``None`` if there is none."""
    stem, suffix = split_suffix(header.name)
    endings = [ending for own in PAIR_SUFFIXES.get(suffix, ()) for ending in (own, own.upper())]
    candidates = [header.with_name(stem + ending) for ending in endings]
    return next((path for path in candidates if is_file(path)), None)


def is_pair_image(path: Place) -> bool:
    """Return whether ``path`` holds the voxels of a NIfTI pair: no input of its own, its .hdr is one."""
    name = path.name
    ending = next((e for e in (".img.gz", ".img") if name.lower().endswith(e)), None)
    if ending is None:
        return False
    stem = name[: -len(ending)]
    headers = [path.with_name(stem + end) for own in PAIR_SUFFIXES for end in (own, own.upper())]
    return any(_is_pair_header(header) for header in headers)


def _is_pair_header(path: Place) -> bool:
    """Compressed headers are believed by their name: .hdr.gz is nothing else."""
    if not is_file(path) or path.suffix.lower() == ".gz":
        return is_file(path)
    try:
        with open_place(path) as file:
            start = file.read(max(_MAGIC_AT) + _MAGIC_BYTES)
    except (OSError, InputError):
        return False
    return any(start[at : at + _MAGIC_BYTES] == magic for at, magic in _MAGIC_AT.items())
