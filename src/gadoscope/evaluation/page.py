"""A template becomes one HTML page: no script, nothing loaded from anywhere."""

from collections.abc import Mapping
from typing import Any

import jinja2


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
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals.update(helpers)
    return environment.get_template(template).render(values)
