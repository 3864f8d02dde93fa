"""Whether a series is of the head: by its tags, its descriptions, the coil, and the name of a lone file.

The size of a knee is that of a head, and the pixels of a joint pass for one now and then, so what is said
counts. The tag is often wrong, and one word in a person's typing may mean two things: what speaks of the
head anywhere keeps the series.

References
----------
DICOM PS3.3 C.7.3.1 and PS3.16 annex L (Body Part Examined), C.8.3.1 (Receive Coil Name)
"""

import re
from collections.abc import Mapping

from gadoscope.errors import RefusedError
from gadoscope.evidence.facts import Facts, find_text
from gadoscope.evidence.sequence_words import (
    AMBIGUOUS_PARTS,
    BRAIN_PARTS,
    NEAR_PARTS,
    OTHER_PARTS,
    OTHER_STEMS,
    PARTS_OF_HEAD,
)
from gadoscope.evidence.state import quote, say_missing
from gadoscope.evidence.tokens import parse_tokens, parse_words

# Where a part of the body is named, the series first.
PART_TEXTS = ("SeriesDescription", "ProtocolName", "StudyDescription")
COIL = "ReceiveCoilName"
# Coils of one joint; a head is scanned in any other, and "spine" is in the name of head and neck coils.
_COIL_PARTS = parse_words("knee ankle foot shoulder elbow wrist hand extremity extrem breast finger")
_COIL_STEMS = ("knee", "ankle", "shoulder", "wrist", "extrem", "breast")
# Beside these a word of two meanings in a file's name has one: "hand_t1_cor_left.nii.gz".
_PLAIN_WORDS = parse_words(
    "t1 t1w w weighted tse se gre fse vibe flash sag sagittal cor coronal ax axial tra transversal left right"
    " l r li re links rechts mr mri pre post fs fat sat scan series img image volume vol 3d 2d"
)
# In the name of a file these are more often a person's, or a simulation's.
_NAMES_OF_OTHERS = parse_words("herz bone rib becken leber codo tail paw exm plexus phantom")
_ENTITY = re.compile(r"(?:^|(?<=_))(?:sub|ses|task|site|dir|run)-[^_]+", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:\.(?:nii|img|hdr|gz|mg[zh]))+$", re.IGNORECASE)


def check_body_part(facts: Facts) -> str:
    """Return a warning where the body part is doubtful, else "".

    Raises
    ------
    RefusedError
        ``other_body_part``, if a tag names another and no description speaks of the head, or if nothing
        speaks of the head and a description or the coil names another.
    """
    part = find_text(facts, "BodyPartExamined")
    words = _find_tokens(facts, "BodyPartExamined")
    if words & BRAIN_PARTS:
        return ""
    named = {keyword: _find_tokens(facts, keyword) for keyword in PART_TEXTS}
    names_brain = any(text & BRAIN_PARTS for text in named.values())
    if part is None:
        if not names_brain:
            _check_named_part(named)
            _check_coil(facts)
        said = say_missing(facts, "BodyPartExamined", in_dicom="BodyPartExamined is missing")
        return f"{said}; taken for the head"
    if names_brain:
        return f"{quote(facts, 'BodyPartExamined')}, but the description speaks of the head"
    is_other = words & OTHER_PARTS or any(stem in word for word in words for stem in OTHER_STEMS)
    if is_other and not words & NEAR_PARTS:
        raise RefusedError("other_body_part", f"{quote(facts, 'BodyPartExamined')}; only heads are answered.")
    return f"{quote(facts, 'BodyPartExamined')} is not surely the head"


def check_named_file(name: str, facts: Facts) -> None:
    """Refuse the image whose file's name names another part, where nothing speaks of the head.

    Parameters
    ----------
    name
        Of the file, without its folder, which may be called after a person or a site.
    facts
        What a sidecar says; empty where there is none.

    Raises
    ------
    RefusedError
        ``other_body_part``.
    """
    stem = _ENTITY.sub(" ", _SUFFIX.sub("", name))
    words = frozenset(token.text for token in parse_tokens(stem))
    if words & (BRAIN_PARTS | NEAR_PARTS) or names_head(facts) or names_part_of_head(facts):
        return
    others = _find_others(words - _NAMES_OF_OTHERS)
    rest = {word for word in words if word.isalpha()} - _PLAIN_WORDS
    if not others and len(rest) == 1:
        others = sorted(rest & OTHER_PARTS)
    if others:
        raise RefusedError("other_body_part", f'its file name names "{others[0]}"; only heads are answered.')


def names_head(facts: Facts) -> bool:
    """Return whether BodyPartExamined is the head or a part of it."""
    return bool(_find_tokens(facts, "BodyPartExamined") & BRAIN_PARTS)


def names_part_of_head(facts: Facts) -> bool:
    """Return whether a tag or a description names the head or what lies in it: "COR T1 SELLA", "IAC"."""
    keywords = ("BodyPartExamined", *PART_TEXTS)
    return any(_find_tokens(facts, keyword) & (BRAIN_PARTS | PARTS_OF_HEAD) for keyword in keywords)


def _check_named_part(named: Mapping[str, frozenset[str]]) -> None:
    """Refuse another body part that a description names, where none of them and no tag names the head."""
    for keyword, words in named.items():
        parts = _find_others(words)
        if parts and not words & NEAR_PARTS:
            raise RefusedError("other_body_part", f'{keyword} names "{parts[0]}"; only heads are answered.')


def _check_coil(facts: Facts) -> None:
    """Refuse what was acquired in the coil of a joint, where nothing names the head."""
    words = _find_tokens(facts, COIL)
    if words & (BRAIN_PARTS | NEAR_PARTS) or names_part_of_head(facts):
        return
    parts = sorted(word for word in words if word in _COIL_PARTS or any(stem in word for stem in _COIL_STEMS))
    if parts:
        raise RefusedError(
            "other_body_part", f'{COIL} names "{parts[0]}" and nothing the head; only heads are answered.'
        )


def _find_others(words: frozenset[str]) -> list[str]:
    plural = {word for word in words if word.endswith("s") and word[:-1] in OTHER_PARTS}
    return sorted(((words & OTHER_PARTS) - AMBIGUOUS_PARTS) | plural)


def _find_tokens(facts: Facts, keyword: str) -> frozenset[str]:
    return frozenset(token.text for token in parse_tokens(find_text(facts, keyword) or ""))
