"""The text of a page: weft.pages with what a finding is shown by."""

import os

from weft.check.page.model import Page
from weft.pages import fill

__all__ = ["render"]

HOME = os.path.dirname(os.path.abspath(__file__))


def render(page: Page) -> str:
    """The page as HTML."""
    return fill(HOME, ["page.js"], page=page)
