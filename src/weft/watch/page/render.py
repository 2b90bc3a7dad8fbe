"""The text of a page: weft.pages with what a recording is shown by."""

import json
import os

from markupsafe import Markup

from weft.pages import fill
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
    data = facts(picture)
    # Nothing in the text can end the element that it stands in.
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return fill(
        HOME,
        SCRIPTS,
        filters={"duration": duration, "words": object_words},
        data=data,
        summary=Summary.of(picture.timeline),
        contended=picture.timeline.contended()[:TOLD],
        timeline=picture.timeline,
        text=Markup(text),  # noqa: S704 - as above
    )
