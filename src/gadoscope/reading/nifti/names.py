"""File names of NIfTI images and their kin: what is the image, what lies beside it."""

from gadoscope.errors import InputError
from gadoscope.reading.archives.places import Place, open_place
from gadoscope.reading.nifti.kin import is_analyze

IMAGE_SUFFIXES = (".nii.gz", ".nii", ".hdr.gz", ".hdr", ".mgz", ".mgh")
"""What the file of a volume's header may end with, longest first."""
PAIR_SUFFIXES = {".hdr": (".img", ".img.gz"), ".hdr.gz": (".img.gz", ".img")}
"""Where the voxels of a pair lie, beside its header; NIfTI-1, and compressed."""
MATRIX_ENDINGS = (".mat", ".MAT")
"""Of SPM's matrix beside a volume."""
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
    """Return whether ``path`` holds the voxels of a NIfTI or Analyze pair: no input, its .hdr is one."""
    name = path.name
    ending = next((e for e in (".img.gz", ".img") if name.lower().endswith(e)), None)
    if ending is None:
        return False
    stem = name[: -len(ending)]
    headers = [path.with_name(stem + end) for own in PAIR_SUFFIXES for end in (own, own.upper())]
    return any(_is_pair_header(header) for header in headers)


def find_spm_matrix(header: Place) -> Place | None:
    """Return SPM's .mat beside a header, or ``None`` if there is none."""
    stem = split_suffix(header.name)[0]
    return next((p for s in MATRIX_ENDINGS if stem and is_file(p := header.with_name(stem + s))), None)


def is_spm_matrix(path: Place) -> bool:
    """Return whether ``path`` is a .mat beside a volume of its name: no input of its own."""
    if not path.name.lower().endswith(MATRIX_ENDINGS[0]):
        return False
    stem = path.name[: -len(MATRIX_ENDINGS[0])]
    beside = (*IMAGE_SUFFIXES, ".img", ".img.gz")
    return any(is_file(path.with_name(stem + end)) for own in beside for end in (own, own.upper()))


def _is_pair_header(path: Place) -> bool:
    """Compressed headers are believed by their name: .hdr.gz is nothing else."""
    if not is_file(path) or path.suffix.lower() == ".gz":
        return is_file(path)
    try:
        with open_place(path) as file:
            start = file.read(max(_MAGIC_AT) + _MAGIC_BYTES)
    except (OSError, InputError):
        return False
    return is_analyze(start) or any(start[at : at + _MAGIC_BYTES] == m for at, m in _MAGIC_AT.items())
