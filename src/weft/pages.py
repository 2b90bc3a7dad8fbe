"""How pages are made: a template of jinja2's in which all that comes from a program is escaped.

Style and script stand in the page. Its policy lets no other script run than the one with its digest.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jinja2
from markupsafe import Markup

__all__ = ["fill"]

NO_FILTERS: Mapping[str, Callable[..., object]] = {}


def fill(
    folder: str,
    scripts: Iterable[str],
    filters: Mapping[str, Callable[..., object]] = NO_FILTERS,
    **values: Any,
) -> str:
    """The text of `page.html` of a folder, with its `page.css` as `style`, and `script` with its `digest`.

    Args:
        folder: where the template, the style and the scripts are.
        scripts: names of files, in their order; together they are the body of one function.
        filters: more filters for the template.
        values: more values for it; Markup is not escaped.
    """
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(filters)

    def read(name: str) -> str:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read()

    code = '"use strict";\n(() => {\n' + "".join(map(read, scripts)) + "})();\n"
    text: str = made.get_template("page.html").render(
        style=Markup(read("page.css")),  # noqa: S704 - ours, as is the script
        script=Markup(code),  # noqa: S704
        digest=base64.b64encode(hashlib.sha256(code.encode()).digest()).decode(),
        **values,
    )
    return text
