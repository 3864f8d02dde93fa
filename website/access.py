"""Give the field for searching a name, which the theme leaves out: read aloud it would be none.

MkDocs loads this as a hook.
"""

import re

SEARCH = re.compile(r'(<div class="md-search"[^>]*role="dialog")(?![^>]*aria-label)')


def on_post_page(output: str, **_: object) -> str:
    """Return the page with a name for the search."""
    return SEARCH.sub(r'\1 aria-label="Search"', output)
