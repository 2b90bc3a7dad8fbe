"""The text of a page, by jinja2: everything that comes from a program is escaped."""

import base64
import hashlib
import json
import os

import jinja2
from markupsafe import Markup

from weft.watch.page.facts import facts
from weft.watch.picture import Picture
from weft.watch.summary import Summary
from weft.watch.words import duration, object_words

__all__ = ["render"]

HOME = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = ("model.js", "view.js", "tables.js", "page.js")
TOLD = 20  # rows for who has no scripts


def render(picture: Picture) -> str:
    """The page as HTML."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HOME),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["duration"] = duration
    made.filters["words"] = object_words
    script = '"use strict";\n(() => {\n' + "".join(map(_read, SCRIPTS)) + "})();\n"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    data = facts(picture)
    # Nothing in the text can end the element that it stands in.
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    page: str = made.get_template("page.html").render(
        data=data,
        summary=Summary.of(picture.timeline),
        contended=picture.timeline.contended()[:TOLD],
        timeline=picture.timeline,
        text=Markup(text),  # noqa: S704 - as above
        style=Markup(_read("page.css")),  # noqa: S704 - ours, as is the script
        script=Markup(script),  # noqa: S704
        digest=digest,
    )
    return page


def _read(name: str) -> str:
    with open(os.path.join(HOME, name), encoding="utf-8") as file:
        return file.read()
