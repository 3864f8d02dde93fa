"""When a series was acquired: one clock, for what its header says and for the order of its study.

It is AcquisitionDateTime, or AcquisitionTime on AcquisitionDate (else SeriesDate, StudyDate). SeriesTime and
ContentTime are not asked: they are about the object that was written, and some scanners write the hour of
reconstruction there. A series reconstructed after the injection would come after it, and a wrong order makes
"pre" of "post"; an unknown one costs a quote. Nor is midnight to the microsecond believed, which is what
de-identification leaves.

References
----------
DICOM PS3.3 C.7.3.1.1 (SeriesTime), C.7.6.16.2.2 and C.8.3.1 (acquisition times)
"""

from datetime import date

from gadoscope.evidence.facts import Facts, find_seconds, find_text

CLOCKS = ("AcquisitionDateTime", "AcquisitionTime")
DAYS = ("AcquisitionDateTime", "AcquisitionDate", "SeriesDate", "StudyDate")
SECONDS_PER_DAY = 86_400.0
LONGEST_STUDY_S = 6 * 3600.0
"""Two moments further apart are of two examinations, or one of them is wrong."""
MIDNIGHT_S = 0.0
"""What de-identification leaves of an hour; nothing is scanned at midnight to the microsecond."""
_DATE_DIGITS = 8


def find_clock(facts: Facts) -> tuple[str, float] | None:
    """Return which attribute says at what time of day a series was acquired, and the seconds since midnight.

    ``None`` where none does, or where the first that does says midnight.
    """
    said = ((keyword, find_seconds(facts, keyword)) for keyword in CLOCKS)
    keyword, seconds = next(((k, s) for k, s in said if s is not None), ("", None))
    return None if seconds is None or seconds == MIDNIGHT_S else (keyword, seconds)


def find_moment(facts: Facts) -> float | None:
    """Return when a series was acquired, in seconds since some midnight, or ``None``.

    The same midnight for all moments whose day is known, and another one for all others: the two kinds are
    never within one examination.
    """
    clock = find_clock(facts)
    if clock is None:
        return None
    days = (_count_days(find_text(facts, keyword)) for keyword in DAYS)
    return next((day for day in days if day is not None), 0) * SECONDS_PER_DAY + clock[1]


def is_one_examination(one: float, other: float) -> bool:
    """Return whether two moments lie so close that a patient may have been in the scanner all the while."""
    return abs(one - other) <= LONGEST_STUDY_S


def _count_days(text: str | None) -> int | None:
    """Return the number of a day that a value of DICOM's DA or DT begins with."""
    digits = (text or "").replace("-", "")[:_DATE_DIGITS]
    if len(digits) < _DATE_DIGITS or not digits.isdigit():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).toordinal()
    except ValueError:
        return None
