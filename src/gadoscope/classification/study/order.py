"""In which order the series of a study were acquired, as far as their headers can be believed.

Times are wrong in many archives: set to one value where names were removed, or those of a computation. So
a series has a place in the order only where nothing speaks against it; without one it is left as it is.

References
----------
DICOM PS3.3 C.7.6.1.1.2 (ImageType: ORIGINAL, DERIVED), C.7.6.16.2.2 and C.8.3.1 (acquisition times)
"""

from collections.abc import Mapping
from datetime import date

from gadoscope.evidence.contrast_module import ACQUISITION_CLOCKS, LONGEST_STUDY_S
from gadoscope.evidence.facts import Facts, find_number, find_seconds, find_text, find_words

DAYS = ("AcquisitionDateTime", "AcquisitionDate", "SeriesDate", "StudyDate")
SECONDS_PER_DAY = 86_400.0
SAME_SEQUENCE = {"RepetitionTime": 0.02, "EchoTime": 0.02, "InversionTime": 0.02, "FlipAngle": 0.02}
"""Numbers of a sequence, and by which part of themselves they may differ: scanners round, and change the
echo time by some hundredths of a millisecond with the coil's load. A guess."""
SEQUENCE_WORDS = ("ScanningSequence", "SequenceVariant", "MRAcquisitionType", "ImageType")
"""ImageType holds the filters: a series corrected for the coil differs from one that is not."""
_DATE_DIGITS = 8


def order_acquisitions(headers: Mapping[int, Facts]) -> list[list[int]]:
    """Return the acquisitions of a study, earliest first, each as the numbers of its series.

    Parameters
    ----------
    headers
        Of the T1 series of a study, by number.

    Returns
    -------
    list of list of int
        Empty where the order is unknown: a time is missing, two acquired series have the same one, or
        they span more than one examination. A series computed from another one of the same time
        (``ImageType`` DERIVED) belongs to its acquisition; computed from anything else it is left out.
    """
    moments = {number: find_moment(header) for number, header in headers.items()}
    acquired = {n: moment for n, moment in moments.items() if not is_derived(headers[n])}
    known = {n: moment for n, moment in acquired.items() if moment is not None}
    if not known or len(known) < len(acquired) or len(set(known.values())) < len(known):
        return []
    if max(known.values()) - min(known.values()) > LONGEST_STUDY_S:
        return []
    return [
        [number, *(n for n, moment in moments.items() if n not in acquired and moment == known[number])]
        for number in sorted(known, key=lambda n: known[n])
    ]


def find_moment(facts: Facts) -> float | None:
    """Return when a series was acquired, in seconds since some midnight, or ``None``.

    SeriesTime is not asked: some scanners write the hour of reconstruction there.
    """
    times = (find_seconds(facts, keyword) for keyword in ACQUISITION_CLOCKS)
    seconds = next((time for time in times if time is not None), None)
    if seconds is None:
        return None
    days = (_count_days(find_text(facts, keyword)) for keyword in DAYS)
    return next((day for day in days if day is not None), 0) * SECONDS_PER_DAY + seconds


def is_derived(facts: Facts) -> bool:
    """Return whether a series was computed from another one."""
    return find_words(facts, "ImageType")[:1] == ("DERIVED",)


def is_same_sequence(one: Facts, other: Facts) -> bool:
    """Return whether two series were acquired and filtered alike, by all that their headers say of it.

    Both have to say repetition and echo time.
    """
    words = [(find_words(one, keyword), find_words(other, keyword)) for keyword in SEQUENCE_WORDS]
    if any(first != second for first, second in words):
        return False
    numbers = {k: (find_number(one, k), find_number(other, k)) for k in SAME_SEQUENCE}
    if any((first is None) != (second is None) for first, second in numbers.values()):
        return False
    said = {k: (first, second) for k, (first, second) in numbers.items() if first is not None and second}
    is_known = "RepetitionTime" in said and "EchoTime" in said
    return is_known and all(
        abs(first - second) <= SAME_SEQUENCE[k] * max(abs(first), abs(second))
        for k, (first, second) in said.items()
    )


def _count_days(text: str | None) -> int | None:
    """Return the number of a day that a value of DICOM's DA or DT begins with."""
    digits = (text or "").replace("-", "")[:_DATE_DIGITS]
    if len(digits) < _DATE_DIGITS or not digits.isdigit():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).toordinal()
    except ValueError:
        return None
