"""BIDS: the metadata beside an image, and what of a data set is no input; in folders and in archives.

Used while folders are walked, so it is light: names, `stat`, and small JSON files.

References
----------
BIDS 1.11, "The Inheritance Principle", "Derivatives dataset and pipeline description"; dcm2niix names its
sidecars in the same way.
"""

from functools import lru_cache
from pathlib import Path

from gadoscope.reading.archives.places import Place
from gadoscope.reading.bids.gradients import is_called_gradients, is_gradient_file
from gadoscope.reading.bids.names import BidsName, check_suffix, parse_image_name, parse_name
from gadoscope.reading.bids.sidecar import Values, facts_from_sidecar, read_json_object
from gadoscope.reading.nifti.names import IMAGE_SUFFIXES, is_file, split_suffix
from gadoscope.reading.series import Facts

__all__ = ["check_suffix", "find_sidecar_facts", "is_bids_metadata", "is_derivatives"]

DESCRIPTION = "dataset_description.json"
"""The file that makes a folder the root of a BIDS data set."""
INDEX_NAME = "layout_index.sqlite"
"""What pybids calls its database of a data set, in a folder that it was given for that."""
_DERIVATIVES = "derivatives"
_BESIDE_IMAGE = (".json", ".bval", ".bvec")
_IN_DATASET = (*_BESIDE_IMAGE, ".tsv", ".tsv.gz")
_TEXTS = frozenset(("readme", "changes", "license", "citation.cff"))
_TEXT_SUFFIXES = ("", ".md", ".rst", ".txt")
_ENTITY_FACTS = ("ce", "acq")
# Folders whose list of sidecars is remembered: one subject's path, and a few beside it.
_REMEMBERED_FOLDERS = 64


def find_sidecar_facts(path: Place) -> tuple[Facts | None, tuple[str, ...]]:
    """Return what the sidecars and the BIDS name of a NIfTI file say, as DICOM would say it.

    Sidecars of the data set are read from its root down to the image's folder; a lower one overrides. Outside
    of a data set, and for names that are not BIDS, the .json file with the image's own name counts.

    Returns
    -------
    facts
        pydicom keyword to value, in DICOM's units, and ``ce``, ``acq``, ``suffix`` of the BIDS name; in
        ``sidecars`` how many were read. ``None`` if there is neither a sidecar nor a BIDS name.
    warnings
        One sentence for each sidecar that could not be used.
    """
    name = parse_image_name(path)
    values: Values = {}
    notes: list[str] = []
    sidecars = _find_own_sidecar(path) if name is None else _find_sidecars(path, name)
    n_read = 0
    for sidecar in sidecars:
        found = read_json_object(sidecar, notes)
        n_read += found is not None
        values.update(found or {})
    if name is None and not n_read:
        return None, tuple(notes)
    facts = facts_from_sidecar(values, notes)
    facts["sidecars"] = n_read
    if name is not None:
        facts.setdefault("Modality", "MR")  # BIDS has no other images with these suffixes
        facts["suffix"] = name.suffix
        facts.update({key: name.entities[key] for key in _ENTITY_FACTS if key in name.entities})
    return facts, tuple(dict.fromkeys(notes))


def is_bids_metadata(path: Place) -> bool:
    """Return whether a file only describes images: it is no input, and gets no row."""
    if path.name.lower().endswith(_BESIDE_IMAGE) and _lies_beside_image(path):
        return True
    if is_gradient_file(path):
        return True
    return _is_called_text(path.name) and find_dataset_root(path.parent) is not None


def is_called_metadata(name: str) -> bool:
    """Return whether a file may be `is_bids_metadata` by its name; of most files that is all to be asked."""
    return _is_called_text(name) or is_called_gradients(name)


def is_derivatives(folder: Place) -> bool:
    """Return whether a folder is named ``derivatives`` in a data set, or is a data set of that type."""
    if folder.name == _DERIVATIVES and is_file(folder.parent / DESCRIPTION):
        return True
    description = folder / DESCRIPTION
    found = read_json_object(description, []) if is_file(description) else None
    return found is not None and str(found.get("DatasetType", "")).lower() == "derivative"


def find_dataset_root(folder: Place) -> Place | None:
    """Return the closest folder at or above ``folder`` that is the root of a BIDS data set, or ``None``."""
    absolute = folder.absolute()
    return next((at for at in (absolute, *absolute.parents) if is_file(at / DESCRIPTION)), None)


def find_index(folder: Path) -> Path | None:
    """Return the database of pybids in a folder that was made for that, and is no data set itself."""
    index = folder / INDEX_NAME
    return index if is_file(index) and not is_file(folder / DESCRIPTION) else None


def _is_called_text(name: str) -> bool:
    name = name.lower()
    stem = name.removesuffix(next((s for s in _TEXT_SUFFIXES if s and name.endswith(s)), ""))
    return name.endswith(_IN_DATASET) or stem in _TEXTS or name == DESCRIPTION


def _lies_beside_image(path: Place) -> bool:
    stem = path.name[: path.name.rindex(".")]
    return any(is_file(path.with_name(stem + suffix)) for suffix in IMAGE_SUFFIXES)


def _find_own_sidecar(path: Place) -> list[Place]:
    stem, suffix = split_suffix(path.name)
    sidecar = path.with_name(stem + ".json")
    return [sidecar] if suffix and is_file(sidecar) else []


def _find_sidecars(path: Place, image: BidsName) -> list[Place]:
    """Return the sidecars that apply, the general ones first."""
    folder = path.absolute().parent
    root = find_dataset_root(folder) or folder
    levels = [folder, *folder.parents]
    found: list[Place] = []
    for level in reversed(levels[: levels.index(root) + 1]):
        applying = [(len(n.entities), file) for file, n in _list_sidecars(level) if n.applies_to(image)]
        found += [level / file for _, file in sorted(applying)]
    return found


def _list_sidecars(folder: Place) -> tuple[tuple[str, BidsName], ...]:
    try:
        return _list_sidecars_at(folder, folder.stat().st_mtime_ns)
    except OSError:  # a folder that may be entered but not listed: its sidecars cannot be found
        return ()


@lru_cache(maxsize=_REMEMBERED_FOLDERS)
def _list_sidecars_at(folder: Place, changed_ns: int) -> tuple[tuple[str, BidsName], ...]:
    """List a folder once, and again when it changed: a root may hold thousands of subjects."""
    parsed = ((file.name, parse_name(file.name)) for file in folder.iterdir() if file.suffix == ".json")
    return tuple((file, name) for file, name in parsed if name is not None)
