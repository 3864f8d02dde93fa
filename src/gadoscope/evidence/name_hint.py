"""Whether a file name may speak of contrast at all: asked of every slice image, so it imports nothing."""

import re

# Most names of slices are numbers, and there are millions of them.
_HINT = re.compile(
    r"t1|gd|gad|(?<![a-z])ce|(?<![a-z])km|contrast|kontrast|vist|dotarem|scan|hance|nativ|[^\x00-\x7f]",
    re.IGNORECASE,
)


def may_speak(name: str) -> bool:
    """Return whether a name holds anything that `gadoscope.evidence.file_name` could read; fast."""
    return _HINT.search(name) is not None
