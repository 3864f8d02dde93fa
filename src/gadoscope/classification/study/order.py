"""In which order the series of a study were acquired, as far as their headers can be believed.

Times are wrong in many archives: set to one value where names were removed, or those of a computation. So
a series has a place in the order only where nothing speaks against it; without one it is left as it is.

References
----------
DICOM PS3.3 C.7.6.1.1.2 (ImageType: ORIGINAL, DERIVED)
"""

from collections.abc import Mapping

from gadoscope.evidence.facts import Facts, find_number, find_words
from gadoscope.evidence.moments import find_moment, is_one_examination

SAME_SEQUENCE = {"RepetitionTime": 0.02, "EchoTime": 0.02, "InversionTime": 0.02, "FlipAngle": 0.02}
"""Numbers of a sequence, and by which part of themselves they may differ: scanners round, and change the
echo time by some hundredths of a millisecond with the coil's load. A guess."""
SEQUENCE_WORDS = ("ScanningSequence", "SequenceVariant", "MRAcquisitionType", "ImageType")
"""ImageType holds the filters: a series corrected for the coil differs from one that is not."""


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
    if not is_one_examination(min(known.values()), max(known.values())):
        return []
    return [
        [number, *(n for n, moment in moments.items() if n not in acquired and moment == known[number])]
        for number in sorted(known, key=lambda n: known[n])
    ]


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
