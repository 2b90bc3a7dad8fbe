"""Programs rewritten in this process, and what was told of them."""

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from weft.instrument import hook, points
from weft.instrument.points import Access

KINDS = {Access.READ: "read", Access.WRITE: "write", Access.CALL: "call", Access.LOOP: "loop"}
KINDS[Access.BEHIND] = "behind"


@contextmanager
def listening(listener: points.Listener) -> Iterator[None]:
    points.set_listener(listener)
    try:
        yield
    finally:
        points.set_listener(None)


class Told:
    """What a program told, in order; each as (kind, key, text of the place)."""

    def __init__(self) -> None:
        self.events: list[tuple[int, object, object, int]] = []

    def __call__(self, access: int, obj: object, key: object, site: int) -> None:
        self.events.append((access, obj, key, site))

    @property
    def short(self) -> list[tuple[str, object]]:
        return [(KINDS[access], key) for access, _, key, _ in self.events]

    def of(self, obj: object) -> list[tuple[str, object]]:
        return [(KINDS[access], key) for access, touched, key, _ in self.events if touched is obj]


def run(source: str, listener: points.Listener | None = None, **given: Any) -> dict[str, Any]:
    """Run a rewritten main script; returns its globals."""
    code = hook.compile_source(textwrap.dedent(source), "program.py")
    names: dict[str, Any] = {"__name__": "program", **given}
    with listening(listener) if listener is not None else listening(lambda *_: None):
        if listener is None:
            points.set_listener(None)
        exec(code, names)
    return names


def told(source: str, **given: Any) -> tuple[Told, dict[str, Any]]:
    heard = Told()
    return heard, run(source, heard, **given)
