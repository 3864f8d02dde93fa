"""Phantom series whose names and UIDs somebody rewrote: new in each file, one for all, a series in parts."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID

Series = Sequence[Dataset]
Change = Callable[[Series], Series]

TIMES = ("SeriesTime", "AcquisitionTime", "ContentTime", "StudyTime")
UIDS = ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
EVERYTHING = (
    *(*UIDS, *TIMES, "SeriesNumber", "AcquisitionNumber", "SeriesDescription", "StudyDescription"),
    *("ProtocolName", "PatientName", "PatientID"),
)
_numbers = count(1)


def strip(datasets: Series, *keywords: str) -> Series:
    """Remove elements from each file."""
    for dataset in datasets:
        for keyword in keywords:
            if keyword in dataset:
                delattr(dataset, keyword)
    return datasets


def renew(datasets: Series, *keywords: str) -> Series:
    """Give each file values of its own, from nowhere else in this process."""
    for dataset in datasets:
        for keyword in keywords:
            number = next(_numbers)
            setattr(
                dataset, keyword, UID(f"2.25.9{number}") if keyword in UIDS else f"X{number * 7919 % 9973}"
            )
    return datasets


def set_all(datasets: Series, **values: Any) -> Series:
    """Give all files the same values."""
    return set_each(datasets, **{keyword: lambda _, value=value: value for keyword, value in values.items()})


def set_each(datasets: Series, **values: Callable[[int], Any]) -> Series:
    """Give each file values that depend on its place, from 0."""
    for index, dataset in enumerate(datasets):
        for keyword, value in values.items():
            setattr(dataset, keyword, value(index))
    return datasets


def shift(datasets: Series, part: float) -> Series:
    """Move a series along its normal by a part of its slice distance."""
    for dataset in datasets:
        dataset.ImagePositionPatient[0] = float(dataset.ImagePositionPatient[0]) + part * float(
            dataset.SpacingBetweenSlices
        )
    return datasets


def cut(datasets: Series, n_parts: int, *keywords: str, is_interleaved: bool = False) -> Series:
    """Cut a series into parts, each with a SeriesInstanceUID, and other UIDs, of its own."""
    number = next(_numbers)
    for index, dataset in enumerate(datasets):
        part = index % n_parts if is_interleaved else index * n_parts // len(datasets)
        for keyword in ("SeriesInstanceUID", *keywords):
            setattr(dataset, keyword, UID(f"2.25.7{number}.{part + 1}"))
    return datasets


NAMES_CHANGE: dict[str, Change] = {
    "patient": lambda d: renew(d, "PatientID"),
    "patient and name": lambda d: renew(d, "PatientID", "PatientName"),
    "study": lambda d: renew(d, "StudyInstanceUID"),
    "study, no number": lambda d: strip(renew(d, "StudyInstanceUID"), "SeriesNumber"),
    "study, series alone is left": lambda d: strip(
        renew(d, "StudyInstanceUID"), "SeriesNumber", *TIMES, "SeriesDescription"
    ),
    "study and series": lambda d: renew(d, "StudyInstanceUID", "SeriesInstanceUID"),
    "patient and series": lambda d: renew(d, "PatientID", "SeriesInstanceUID"),
    "patient, series gone": lambda d: strip(renew(d, "PatientID"), "SeriesInstanceUID"),
    "patient, study and series": lambda d: renew(d, "PatientID", "StudyInstanceUID", "SeriesInstanceUID"),
    "patient and all UIDs": lambda d: renew(d, "PatientID", "PatientName", *UIDS),
    "patient, description is left": lambda d: strip(
        renew(d, "PatientID"), *UIDS, *TIMES, "SeriesNumber", "PatientName"
    ),
    "description and series": lambda d: renew(d, "SeriesDescription", "SeriesInstanceUID"),
    "protocol and series": lambda d: renew(d, "ProtocolName", "SeriesInstanceUID"),
    "description, protocol, study, series": lambda d: renew(
        d, "SeriesDescription", "ProtocolName", "StudyInstanceUID", "SeriesInstanceUID"
    ),
    "description counts slices": lambda d: set_each(
        renew(d, "SeriesInstanceUID"), SeriesDescription=lambda i: f"T1 slice {i + 1}"
    ),
    "description counts slices, series gone": lambda d: set_each(
        strip(d, "SeriesInstanceUID"), SeriesDescription=lambda i: f"T1 slice {i + 1}"
    ),
    "description counts slices, series and number gone": lambda d: set_each(
        strip(d, "SeriesInstanceUID", "SeriesNumber"), SeriesDescription=lambda i: f"T1 slice {i + 1}"
    ),
    "number and series": lambda d: set_each(
        renew(d, "SeriesInstanceUID"), SeriesNumber=lambda index: index + 1
    ),
}
"""What is new in each file of a series; others of its study are told from it by what is left."""

ONE_UID: dict[str, Change] = {
    "all else is left": lambda d: d,
    "no number": lambda d: strip(d, "SeriesNumber"),
    "one number": lambda d: set_all(d, SeriesNumber=1),
    "no number, no description": lambda d: strip(d, "SeriesNumber", "SeriesDescription"),
    "no number, description, agent": lambda d: strip(
        d, "SeriesNumber", "SeriesDescription", "ContrastBolusAgent"
    ),
    "one number, and hours": lambda d: set_all(
        strip(d, "SeriesDescription", "ContrastBolusAgent"), SeriesNumber=1
    ),
    "hour of acquisition alone": lambda d: strip(
        d, "SeriesNumber", "SeriesDescription", "ContrastBolusAgent", "SeriesTime"
    ),
    "description counts slices": lambda d: set_each(d, SeriesDescription=lambda i: f"T1 slice {i + 1}"),
    "one number, description counts slices": lambda d: set_each(
        set_all(d, SeriesNumber=1), SeriesDescription=lambda i: f"T1 slice {i + 1}"
    ),
}
"""What is left of two series that were given one SeriesInstanceUID."""

CUT: dict[str, Change] = {
    "2 parts": lambda d: cut(d, 2),
    "3 parts": lambda d: cut(d, 3),
    "2 interleaved parts": lambda d: cut(d, 2, is_interleaved=True),
    "3 interleaved parts": lambda d: cut(d, 3, is_interleaved=True),
    "parts of 2 and 3": lambda d: cut(d, 5),
    "2 parts with studies of their own": lambda d: cut(d, 2, "StudyInstanceUID", is_interleaved=True),
    "3 parts with patients of their own": lambda d: cut(d, 3, "PatientID", *UIDS[1:], is_interleaved=True),
    "2 parts without a number": lambda d: strip(cut(d, 2), "SeriesNumber"),
    "2 parts without number and hour": lambda d: strip(cut(d, 2), "SeriesNumber", *TIMES),
}
"""How a series is cut."""
