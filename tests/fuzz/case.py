"""One damaged file, classified: what must hold whatever is wrong with it."""

import math
import os
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gadoscope.classification.run import answer_inputs
from gadoscope.inference.session import Session
from gadoscope.labels import Phase, SeriesResult, Status
from gadoscope.reading.discover import iter_inputs
from tests.fuzz.mutations import mutate
from tests.fuzz.seeds import SIDECAR, Kind, load_seeds
from tests.support.dicom_others import leaked_words

LIMIT_S = 5.0
"""No file may take longer."""
SIBLINGS_EVERY = 4
"""Every so many cases the damaged file lies among the intact ones of its series, or beside a sidecar."""
NAMES = (
    *("damaged",) * 3,
    "=cmd|'!A0",
    "\x1b[2Jred",
    "line\rend",
    os.fsdecode(b"no utf-8 \xff\xe4"),
)
"""Of every seven cases four have an odd name, which no table and no index may stumble over."""
# A sidecar belongs to a file of this name.
ENDINGS = {Kind.NIFTI: ".nii", Kind.COMPRESSED_NIFTI: ".nii.gz"}


@dataclass(frozen=True)
class Outcome:
    """What became of one case.

    Parameters
    ----------
    number
        Of the case; makes the same file again.
    n_rows
        Rows of the table.
    seconds
        On the wall.
    faults
        A sentence for each claim that does not hold.
    reasons
        Statuses and reasons' first words, for the summary.
    """

    number: int
    n_rows: int
    seconds: float
    faults: tuple[str, ...]
    reasons: tuple[str, ...]


def write_case(number: int, folder: Path) -> Path:
    """Write the files of a case into a folder, which is made, and return what to classify."""
    seeds = load_seeds()
    seed = seeds[number % len(seeds)]
    folder.mkdir(parents=True)
    name = NAMES[number // len(seeds) % len(NAMES)]
    damaged = folder / f"{name}{ENDINGS.get(seed.kind, '')}"
    damaged.write_bytes(mutate(seed, number))
    if number // len(seeds) % SIBLINGS_EVERY:
        return damaged
    if seed.kind in ENDINGS:
        (folder / f"{name}.json").write_bytes(mutate(SIDECAR, number))
        return damaged
    if not seed.siblings:
        return damaged
    for index, data in enumerate(seed.siblings):
        (folder / f"sibling-{index}").write_bytes(data)
    return folder


def run_case(number: int, folder: Path, bundle: Path) -> Outcome:
    """Classify one case; no exception of the program leaves this function unnoticed."""
    path = write_case(number, folder / f"case-{number:06d}")
    return check_path(path, bundle, number)


def check_path(path: Path, bundle: Path, number: int = 0, *, root: Path | None = None) -> Outcome:
    """Classify a file or folder and check what must hold of every input.

    Rows name files at or below ``root``, which is ``path`` unless a DICOMDIR may name others.
    """
    rows: list[SeriesResult] = []
    faults: list[str] = []
    start = time.perf_counter()
    try:
        rows = list(answer_inputs(iter_inputs([path]), _load(bundle), jobs=1))
    except Exception as error:
        faults.append(f"raised {type(error).__name__}: {error}")
    seconds = time.perf_counter() - start
    if seconds > LIMIT_S:
        faults.append(f"took {seconds:.1f} s")
    if not faults and not rows:
        faults.append("gave no row")
    faults += [fault for row in rows for fault in find_faults(row, root or path)]
    # A zip may hold two members of one name; each is a row.
    single = [row for row in rows if not row.reason.startswith("duplicate_member")]
    places = [(row.path, row.volume_index, row.series_instance_uid) for row in single]
    if len(set(places)) != len(places):
        faults.append("gave two rows for one volume")
    reasons = tuple(f"{row.status} {row.reason.partition(':')[0]}".strip() for row in rows)
    return Outcome(number, len(rows), seconds, tuple(faults), reasons)


@lru_cache(maxsize=1)
def _load(bundle: Path) -> Session:
    """Load a bundle once for all the cases in a row; no case has anything to do with it."""
    return Session(bundle)


def find_faults(row: SeriesResult, root: Path) -> list[str]:
    """Return what is wrong with a row, whatever its input was."""
    faults = []
    if not row.path.startswith(str(root)):
        faults.append(f"a row names {row.path}, which was not asked for")
    if row.status not in tuple(Status):
        faults.append(f"unknown status {row.status}")
    if row.status is not Status.ANSWERED and ":" not in row.reason:
        faults.append(f"{row.status} without a reason: {row.reason!r}")
    if row.status is Status.ANSWERED and row.phase in (None, Phase.INDETERMINATE):
        faults.append(f"answered with {row.phase}")
    if row.probability is not None and not (math.isfinite(row.probability) and 0 <= row.probability <= 1):
        faults.append(f"probability {row.probability}")
    if row.reason.startswith("internal_error"):
        faults.append(row.reason)
    text = repr(row).replace(str(root), "").casefold()
    faults += [f"the row holds {word!r} of the patient" for word in leaked_words() if word.casefold() in text]
    return faults
