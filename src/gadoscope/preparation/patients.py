"""Who is on a DICOM series that a table names no subject of: a pseudonym of its PatientID, and never the id.

Splits and intervals are by subject, and a hospital's table often has none while each header does. What is
written anywhere is a digest of the id: the same person is one subject in every table, and nobody is found by
reading a report. Whoever has a list of ids can still try them all: a pseudonym is no anonymity. Under two
sources one id is one person, as every id is (docs/decisions/0028-who-is-one-subject.md).
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gadoscope.errors import InputError
from gadoscope.preparation.items import Item
from gadoscope.scans.contents import DicomSeries
from gadoscope.scans.instances import read_source_facts

PREFIX = "patient-"
PURPOSE = "gadoscope subject"
"""Digested with each id, so that no other program's digest of it is the same."""
N_DIGITS = 16
"""Of the digest: among a million people two share a pseudonym once in 40 million tables."""


def name_patients(items: Sequence[Item]) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Return the rows with a subject where the header of their DICOM series has a PatientID, and notices.

    A row that names its subject keeps it. One id on all series of a source, of several studies, is what
    removing names leaves behind: it names nobody, and its rows stay as they are.

    Parameters
    ----------
    items
        Rows of one table, with the series that was found for each.
    """
    asked = {
        index: _read_patient(item.found)
        for index, item in enumerate(items)
        if item.subject_id is None and isinstance(item.found, DicomSeries)
    }
    known = {index: patient for index, patient in asked.items() if patient[0]}
    by_source: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for index, patient in known.items():
        by_source[items[index].source].add(patient)
    nobody = {source for source, patients in by_source.items() if _is_placeholder(patients)}
    named = {
        index: _make_pseudonym(patient_id)
        for index, (patient_id, _) in known.items()
        if items[index].source not in nobody
    }
    rows = (
        replace(item, subject_id=named[index]) if index in named else item for index, item in enumerate(items)
    )
    return tuple(rows), _tell(named, len(known) - len(named))


def _read_patient(series: DicomSeries) -> tuple[str, str]:
    """Return PatientID and StudyInstanceUID; empty where they are missing, or cannot be read."""
    try:
        facts = read_source_facts(series.first)
    except (InputError, OSError):  # reading it will say why
        return "", ""
    return str(facts.get("PatientID", "")).strip(), str(facts.get("StudyInstanceUID", ""))


def _is_placeholder(patients: set[tuple[str, str]]) -> bool:
    ids, studies = ({patient[part] for patient in patients} for part in (0, 1))
    return len(ids) == 1 and len(studies) > 1


def _make_pseudonym(patient_id: str) -> str:
    text = f"{PURPOSE}\0{patient_id}"
    return PREFIX + hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:N_DIGITS]


def _tell(named: Mapping[int, str], n_unnamed: int) -> tuple[str, ...]:
    notices = []
    if named:
        n_people = len(set(named.values()))
        notices.append(
            f"{len(named):,} DICOM series have no subject_id in the table: by the PatientID of their headers "
            f"they are of {n_people:,} {'person' if n_people == 1 else 'people'}, each under a pseudonym."
        )
    if n_unnamed:
        notices.append(
            f"{n_unnamed:,} DICOM series of several studies have one and the same PatientID, which names "
            "nobody: their subjects stay unknown; add a column subject_id."
        )
    return tuple(notices)
