"""The figures of a plot as one short name, by which a picture tells what it was made from."""

import dataclasses
import hashlib
import json

from shapes import Plot

__all__ = ["comment"]


def comment(plot: Plot) -> str:
    """The last line of a picture's file."""
    figures = json.dumps(dataclasses.asdict(plot), sort_keys=True)
    return f"<!-- figures {hashlib.sha256(figures.encode()).hexdigest()[:16]} -->"
