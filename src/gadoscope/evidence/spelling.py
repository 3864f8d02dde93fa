"""Whether a word is a long name with a slip of the finger in it."""

from collections.abc import Sequence

# A short word is one slip away from many others: "gadol" from "gadot", "gad" from "dad".
SHORTEST_NAME = 7
# Two slips in a name of ten letters still leave no other drug: magnesium is three from magnevist.
LONG_NAME = 10


def find_misspelt(word: str, names: Sequence[str]) -> str:
    """Return the name that ``word`` misspells; empty if there is none.

    A slip is a letter too many, a letter too few, a wrong one, or two that changed places: one in names of
    7 letters and more, two in names of 10 and more.
    """
    for name in names:
        if len(name) < SHORTEST_NAME or word[:1] != name[:1]:
            continue
        most = 2 if len(name) >= LONG_NAME else 1
        if abs(len(word) - len(name)) <= most and count_slips(word, name) <= most:
            return name
    return ""


def count_slips(one: str, other: str) -> int:
    """Return the optimal string alignment distance of two words.

    References
    ----------
    Damerau, Commun. ACM 7 (1964) 171; without a second change of what changed places.
    """
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before_last[j - 2] + 1)
            row.append(cost)
        before_last, last = last, row
    return last[-1]
