"""The pages of the reference on headers say what the code does."""

import ast
from pathlib import Path

from gadoscope.evidence import body_part, sequence, species
from gadoscope.evidence.reconcile import read_evidence
from gadoscope.evidence.sequence_words import IMAGE_TYPE_REASONS, OTHER_CONTRASTS, SOP_CLASS_REASONS
from gadoscope.evidence.series_words import NAMED_KINDS
from gadoscope.evidence.state import HeaderState
from tests.docs.pages import CODE, first_words, read_rows, read_section
from tests.support.lexicon_table import PAGE, render
from tests.support.paths import DOCS
from tests.support.word_tables import WRITTEN
from tests.support.word_tables import render as render_words

NAME = "reference/header-evidence.md"
GATE = (DOCS / "reference" / "header-gate.md").read_text(encoding="utf-8")
LIMITS = "| limit |"


def test_the_page_holds_the_lexicon_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(), "run `python -m tests.support.lexicon_table`"


def test_the_words_that_are_searched_for_are_those_that_people_edit() -> None:
    """Read at each start, so they lie prepared in a file of their own."""
    assert WRITTEN.read_text(encoding="utf-8") == render_words(), "run `python -m tests.support.word_tables`"


def test_the_page_names_the_three_states() -> None:
    assert first_words(read_section(NAME, "States")) == [state.value for state in HeaderState]


def test_every_value_of_an_agent_field_on_the_page_is_read_as_it_says() -> None:
    for values, state in read_rows(read_section(NAME, "Order of evidence"))[:2]:
        for value in CODE.findall(values):
            assert read_evidence({"ContrastBolusAgent": value}).state == state, value


def test_every_reason_of_the_gate_stands_on_the_page() -> None:
    trees = [
        ast.parse(Path(str(one.__file__)).read_text(encoding="utf-8"))
        for one in (sequence, species, body_part)
    ]
    calls = [
        node
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "RefusedError"
    ]
    spoken = {str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)}
    tables = {
        *SOP_CLASS_REASONS,
        *IMAGE_TYPE_REASONS,
        *(kind.reason for kind in NAMED_KINDS),
        *OTHER_CONTRASTS.values(),
    }
    written = first_words(GATE.partition(LIMITS)[0])
    assert set(written) == spoken | tables
    assert len(set(written)) == len(written)


def test_every_limit_on_the_page_is_the_code_s() -> None:
    rows = read_rows(LIMITS + GATE.partition(LIMITS)[2])
    assert {CODE.findall(name)[0]: float(value) for name, value in rows} == {
        name: value
        for name, value in vars(sequence).items()
        if name.startswith(("LONGEST_", "LOWEST_")) and isinstance(value, float)
    }
