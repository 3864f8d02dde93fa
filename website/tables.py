"""Let long names in tables break after an underscore or a dot, where a narrow screen needs it.

MkDocs loads this as a hook.
"""

import re

CELL = re.compile(r"<td[^>]*>.*?</td>", re.DOTALL)
CODE = re.compile(r"(?<=<code>)[^<]+(?=</code>)")
JOINT = re.compile(r"(?<=[a-z0-9])([_.])(?=[a-z])")


def on_page_content(html: str, **_: object) -> str:
    """Return the page with a place to break after each joint of a name."""
    return CELL.sub(lambda cell: CODE.sub(lambda name: JOINT.sub(r"\1<wbr>", name[0]), cell[0]), html)
