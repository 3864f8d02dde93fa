"""People whose names are words of contrast: ``Mr. Post``, ``Frau Kontrast``, ``Dr. Gad``.

A title says that a name follows, so neither decides anything and neither is quoted.
"""

from gadoscope.evidence.phrases import Line, word_at
from gadoscope.evidence.tokens import parse_words

TITLES = parse_words(
    "mister mrs miss dr prof herr herrn frau fr hr monsieur madame mme mlle signor signora sig sra dra senor"
    " senora senhor senhora mevr mevrouw dhr pani"
)
# MR is the modality: a title only with its full stop.
TITLES_WITH_STOP = parse_words("mr ms sr")


def take_people(line: Line, text: str) -> None:
    """Replace every title, and the word after it, by ``None``; ``text`` is the text of ``line``."""
    for index, token in enumerate(line[:-1]):
        if token is None or token.is_glued:
            continue
        has_stop = text[token.end : token.end + 1] == "."
        is_title = token.text in TITLES or (has_stop and token.text in TITLES_WITH_STOP)
        if is_title and word_at(line, index + 1).isalpha():
            line[index] = line[index + 1] = None
