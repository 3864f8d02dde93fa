"""Write the lexicon's tables into docs/reference/header-evidence.md; run as a module, a test compares."""

from gadoscope.evidence.lexicon import Kind, load_lexicon, read_table
from tests.docs.pages import DOCS

PAGE = DOCS / "reference" / "header-evidence.md"
HEADING = "## The lexicon\n"


def render() -> str:
    """Return the section: a table of languages and phrases for each kind."""
    parts = [HEADING, f"Version {load_lexicon().version}. Written from `lexicon.toml`; a test compares.\n"]
    for kind in Kind:
        parts.append(f"### {kind.value.capitalize()}\n")
        parts.append("| language | phrases |\n|---|---|")
        for language, phrases in read_table()[kind].items():
            parts.append(f"| {language} | {', '.join(f'`{phrase}`' for phrase in phrases)} |")
        parts[-1] += "\n"
    return "\n".join(parts)


if __name__ == "__main__":
    before = PAGE.read_text(encoding="utf-8").partition(HEADING)[0]
    PAGE.write_text(before + render(), encoding="utf-8")
