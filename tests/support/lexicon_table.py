"""Write docs/reference/lexicon.md from the lexicon; `make docs` runs it, a test compares."""

from gadoscope.evidence.lexicon import Kind, load_lexicon
from tests.support.paths import DOCS
from tests.support.word_tables import read_toml

PAGE = DOCS / "reference" / "lexicon.md"
ABOUT = """\
Every phrase that is looked for in descriptions, agent fields and file names;
[Header evidence](header-evidence.md) says how. Written from `lexicon.toml`; a test compares."""


def read_table() -> dict[Kind, dict[str, list[str]]]:
    """Return the phrases as they are written: kind, language (or ``any``), phrases."""
    data = read_toml("lexicon.toml")
    return {kind: data[kind] for kind in Kind}


def render() -> str:
    """Return the page: a table of languages and phrases for each kind."""
    parts = [f"# Lexicon\n\n{ABOUT} Version {load_lexicon().version}.\n"]
    for kind in Kind:
        parts.append(f"## {kind.value.capitalize()}\n")
        parts.append("| language | phrases |\n|---|---|")
        for language, phrases in read_table()[kind].items():
            parts.append(f"| {language} | {_list(phrases)} |")
        parts[-1] += "\n"
    parts.append('## What else "pre" and "post" are about\n')
    parts.append("| words | |\n|---|---|")
    parts += [f"| {name} | {_list(words)} |" for name, words in read_toml("lexicon.toml")["occasion"].items()]
    parts.append("\n## Agent fields\n\nWritten from `agents.toml`.\n")
    parts.append("| kind | words and phrases |\n|---|---|")
    parts += [
        f"| {name.replace('_', ' ')} | {_list(words)} |"
        for name, words in read_toml("agents.toml").items()
        if isinstance(words, list)
    ]
    return "\n".join(parts) + "\n"


def _list(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
