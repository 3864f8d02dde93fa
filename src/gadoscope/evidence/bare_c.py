"""A lone C for contrast: ``AX T1 C``, ``T1 COR C``, ``C T1 AX``, of which a plus sign was lost.

A lone letter has many meanings (C spine, coil, cervical), so it is read only where all words around it are
those of a T1 sequence: its name, its plane, its fat suppression. ``T1-C`` may be a minus: unread. ``HC``,
head coil and contrast, is read only after the name of a sequence: elsewhere it is the hippocampus, or a
healthy control. What else ends such a name is read, too: a plus sign, "with", "w/".
"""

from gadoscope.evidence.phrases import Line, Span, take_tokens
from gadoscope.evidence.tokens import parse_words

T1_WORDS = parse_words("t1 mprage spgr fspgr bravo vibe thrive tfe rage lava")
SEQUENCES = parse_words(
    "se fse tse gre ge gr ffe tfe ttfe spgr fspgr irspgr irfspgr mprage mpr rage bravo vibe cube space"
    " vista flash fl tfl thrive lava flair ir irfse tir tirm spir spair ideal dixon propeller blade radial"
    " efgre qtfe"
)
PLANES = parse_words(
    "ax axial axl axi cor coronal coro sag sagittal tra trans transverse transversal transv trs obl"
    " oblique axiale axiaal sagital assiale coronale sagittale"
)
OTHERS = parse_words(
    "t1 w wi weighted fs fat sat fatsat fsat fatsup sup suppressed we water iso isotropic isotropico thin"
    " hr hi high res hires brain cerebro cerveau cabeza head cranio craneo encefalo iac cai orbit orbits"
    " orbita orbitas pit pituitary pituitaria sella silla hipofisis asset sense csense ipat grappa arc"
    " clear repeat rpt stealth nav navi brainlab 2d 3d mm mt mtc vol volume whole fast quick medium slices"
    " cuts"
)
AROUND = SEQUENCES | PLANES | OTHERS


def find_bare_c(line: Line, text: str) -> list[Span]:
    """Return the place of a lone C, or HC, that stands for contrast in ``text``, the text of ``line``."""
    words = [token.text if token is not None else "" for token in line]
    if not T1_WORDS & set(words):
        return []
    last = _find_last_sign(line, words)
    if last:
        return last
    for index, token in enumerate(line):
        if token is None or token.text not in ("c", "hc") or not _is_lone(line, index, text):
            continue
        before, after = words[:index], words[index + 1 :]
        if not all(_is_around(word) for word in after):
            continue
        if token.text == "hc" and (after or not before or before[-1] not in SEQUENCES):
            continue
        if _is_around(before[-1] if before else after[0]):
            return [Span(token.start, token.end)]
    return []


def _find_last_sign(line: Line, words: list[str]) -> list[Span]:
    """Return the place of what ends a name of T1 words: ``COR T1 +``, ``AX T1 WITH``, ``T1 FS W/``."""
    length = 2 if words[-2:] == ["w", "/"] else int(words[-1] in ("+", "with"))
    before = words[: len(words) - length]
    if not length or not before or not all(_is_around(word) for word in before):
        return []
    return [take_tokens(line, len(before), len(line))]


def _is_around(word: str) -> bool:
    return word in AROUND or word[:1].isdigit()


def _is_lone(line: Line, index: int, text: str) -> bool:
    """Return whether no letter, number or sign touches it, not even a hyphen."""
    token = line[index]
    follower = line[index + 1] if index + 1 < len(line) else None
    if token is None or token.is_glued or (follower is not None and follower.is_glued):
        return False
    around = text[max(token.start - 1, 0) : token.start] + text[token.end : token.end + 1]
    is_after_dash = text[: token.start].rstrip().endswith("-")
    return not is_after_dash and not set(around) - set(" _()[].\t")
