"""The text of a page, by jinja2: everything that comes from a program is escaped."""

import base64
import hashlib
import os

import jinja2
from markupsafe import Markup

from weft.check.page.model import Page

__all__ = ["render"]

HOME = os.path.dirname(os.path.abspath(__file__))


def render(page: Page) -> str:
    """The page as HTML."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HOME),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = _read("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text: str = made.get_template("page.html").render(
        page=page,
        style=Markup(_read("page.css")),  # noqa: S704 - ours, as is the script
        script=Markup(script),  # noqa: S704
        digest=digest,
    )
    return text


def _read(name: str) -> str:
    with open(os.path.join(HOME, name), encoding="utf-8") as file:
        return file.read()
