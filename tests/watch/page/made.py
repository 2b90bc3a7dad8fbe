"""Pages of made-up recordings."""

from pathlib import Path

from tests.watch.made import Made
from weft.watch.export import export
from weft.watch.picture import Picture
from weft.watch.timeline import gather

__all__ = ["page", "picture"]


def picture(made: Made, most: int = 120_000, most_lanes: int = 2_000) -> Picture:
    timeline = gather(*made.read())
    last = timeline.last_to_end()
    assert last is not None
    path = timeline.wakes.path(last, timeline.lives[last].last)
    found = Picture(timeline, path, most, most_lanes)
    for record in made.read()[1]:
        found.take(record)
    found.settle()
    return found


def page(made: Made, path: Path) -> Path:
    export(made.read, None, str(path))
    return path
