"""Who is told of accesses, and where they stand in the source.

Rewritten code makes one call before each access to what threads can share. The listener hears of it on the
thread that makes it, before it is made; with no listener rewritten code does nothing but ask a flag.
A listener takes effect at the next expression that begins.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from weft.instrument.seams import Access, Listener, place

__all__ = [
    "Access",
    "Listener",
    "Site",
    "add_sites",
    "decides",
    "defuse",
    "rewritten",
    "set_listener",
    "sites",
]


class Site(NamedTuple):
    """One access in the source."""

    file: str
    line: int
    column: int  # in characters, from 0
    text: str  # the expression
    function: str  # qualified; "<module>" outside any


sites: list[Site] = []
rewritten: set[str] = set()  # the files whose code tells of its accesses
_flows: dict[int, frozenset[int]] = {}
_decisions: dict[int, frozenset[int]] = {}
_NOTHING: frozenset[int] = frozenset()


def set_listener(listener: Listener | None) -> None:
    """Have `listener(access, obj, key, site)` called before each access; None: nobody.

    `access` is one of Access. `obj` is what is touched: the object, for a global the module's dictionary, for
    a closure's variable its cell. `key` is the attribute, the item's key, the variable, the method of a CALL,
    or None for a container as a whole.
    """
    place(listener)


def defuse(site: int) -> frozenset[int]:
    """The reads whose value flows into what a write writes, through locals of the same function.

    Calls that read a container (`d.get(k)`) are among them.
    """
    return _flows.get(site, _NOTHING)


def decides(site: int) -> frozenset[int]:
    """The reads that decide, in the same function, whether a write is made."""
    return _decisions.get(site, _NOTHING)


def add_sites(
    file: str,
    found: Iterable[Site],
    flows: Mapping[int, Iterable[int]],
    decisions: Mapping[int, Iterable[int]],
) -> int:
    """Number the accesses of a module; flows and decisions count from 0. Returns where its numbers begin."""
    base = len(sites)
    rewritten.add(file)
    sites.extend(found)
    for given, kept in ((flows, _flows), (decisions, _decisions)):
        for write, reads in given.items():
            kept[base + write] = frozenset(base + read for read in reads)
    return base


place(None)
