"""Write the tables of words that the search reads from the ones that people edit; `make docs` runs it."""

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gadoscope.evidence.word_tables
from gadoscope.evidence.agent import AgentKind
from gadoscope.evidence.lexicon import Kind
from gadoscope.evidence.phrases import GLUED, Phrases
from gadoscope.evidence.tokens import parse_tokens

FOLDER = Path(str(gadoscope.evidence.word_tables.__file__)).parent
WRITTEN = FOLDER / "words.json"


def read_toml(name: str) -> dict[str, Any]:
    """Return one of the tables as people edit it."""
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))


def parse_phrases(texts: Iterable[str]) -> Phrases:
    """Return phrases ready for `take`."""
    # Two spellings of one phrase differ in where their tokens stand, and in nothing that counts.
    found = {tuple(f"{GLUED * one.is_glued}{one.text}" for one in parse_tokens(text)) for text in texts}
    by_first: dict[str, list[str]] = {}
    for first, *more in sorted(found, key=lambda words: (-len(words), words)):
        by_first.setdefault(first, []).append(" ".join((first, *more)))
    return by_first


def render() -> str:
    """Return the file: a line for each word that phrases begin with."""
    lexicon, agents = read_toml("lexicon.toml"), read_toml("agents.toml")
    tables = {
        "lexicon": {
            "version": lexicon["version"],
            "phrases": {
                kind: parse_phrases(text for texts in lexicon[kind].values() for text in texts)
                for kind in Kind
            },
            "occasion": lexicon["occasion"],
            "tail": lexicon["examination_words"]["tail"],
        },
        "agents": {
            "phrases": {kind: parse_phrases(agents[kind]) for kind in AgentKind},
            **{name: [_spell(text) for text in agents[name]] for name in ("placeholders", "short_denials")},
            **{name: agents[name] for name in ("volumes", "fillers", "codes")},
        },
    }
    return _write(tables) + "\n"


def _spell(text: str) -> str:
    return " ".join(token.text for token in parse_tokens(text))


def _write(value: Any) -> str:
    """Return JSON in which each key of an object begins a line."""
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    pairs = (f"{json.dumps(str(key), ensure_ascii=False)}:{_write(one)}" for key, one in value.items())
    return "{\n" + ",\n".join(pairs) + "}"


if __name__ == "__main__":
    WRITTEN.write_text(render(), encoding="utf-8")
