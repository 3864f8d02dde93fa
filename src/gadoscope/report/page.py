"""A template becomes one HTML page: no script, nothing loaded from anywhere."""

from collections.abc import Mapping
from typing import Any

import jinja2
from jinja2.bccache import Bucket

from gadoscope.markup import BAND_COLOUR, POST_COLOUR, PRE_COLOUR
from gadoscope.report.finding import SEVERITY_COLOURS
from gadoscope.text import escaped

SHARED = "gadoscope.report"
"""Its folder ``templates`` holds the frame of every page, `page.html`, its style and its parts."""
COLOURS = {"pre": PRE_COLOUR, "post": POST_COLOUR, "band": BAND_COLOUR, **SEVERITY_COLOURS}
"""Of the classes and of no answer, as in every figure, and of findings; templates may name them."""


class _Compiled(jinja2.BytecodeCache):
    """Templates that this process has compiled before: the second report takes half as long."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])  # unless the template has changed since

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


_compiled = _Compiled()


def render_page(package: str, template: str, helpers: Mapping[str, Any], **values: Any) -> str:
    """Fill a template; everything in it is escaped, and a name that it lacks is an error.

    Parameters
    ----------
    package
        Whose folder ``templates`` holds it.
    helpers
        Functions that the template may call.
    """
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package), jinja2.PackageLoader(SHARED)]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_show,
        bytecode_cache=_compiled,
    )
    environment.globals.update(helpers, colours=COLOURS)
    return environment.get_template(template).render(values)


def _show(value: Any) -> Any:
    """Return text with what cannot be seen spelt out: a name must not turn the direction of a page."""
    return escaped(value) if type(value) is str else value  # markup of ours is a kind of str, and stays
