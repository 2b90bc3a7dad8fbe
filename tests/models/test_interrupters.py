"""How carriers are interrupted: between two lines of weft nothing may call Python code.

Such a call may give up the interpreter's lock within an atomic segment (docs/internals/atomic-segments.md).
"""

import sys
from collections import Counter
from typing import Any

import pytest

from weft.core import places
from weft.host.platform import HAS_EVENTS
from weft.models import traced
from weft.models.monitored import Monitored


def _nothing(*_: Any) -> bool:
    return False


@pytest.mark.skipif(HAS_EVENTS, reason="carriers are interrupted by events here")
def test_lines_of_weft_are_not_traced_where_no_carrier_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark may be gone by the time that tracing is on."""
    met: Counter[str] = Counter()
    really = traced.getcurrent

    def note() -> Any:
        met[sys._getframe(3).f_code.co_name] += 1  # below it: this, `_came` and what C calls
        return really()

    monkeypatch.setattr(traced, "getcurrent", note)
    interrupter: Any = traced.Traced(_nothing, _nothing)
    carrier: Any = "a carrier"
    interrupter.begin(carrier)
    thread, put = interrupter._threads[carrier], interrupter._tracer.put
    monkeypatch.setattr(interrupter._tracer, "put", _nothing)  # it takes itself away
    put(thread, interrupter._tracer.function, None)
    try:
        places.may_preempt(sys._getframe())
    finally:
        put(thread, None, None)
    assert met.pop("may_preempt") == 2  # its beginning and its end
    assert met, "the test's own lines are events"
    monkeypatch.undo()
    monkeypatch.setattr(traced, "getcurrent", note)
    met.clear()
    put(thread, interrupter._tracer.function, None)
    places.may_preempt(sys._getframe())
    assert sum(met.values()) == 1, "it takes itself away"


@pytest.mark.skipif(HAS_EVENTS, reason="carriers are interrupted by events here")
def test_tracing_is_turned_on_only_for_a_carrier_that_is_still_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Gone(set[Any]):
        """Marks that another carrier takes away at once."""

        def add(self, loop: Any) -> None:
            pass

    class Carrier:
        traced = False
        kernel_ident = 0

    interrupter: Any = traced.Traced(_nothing, _nothing)
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(interrupter._tracer, "put", lambda *args: asked.append(args))
    carrier: Any = Carrier()
    interrupter._threads[carrier] = 7
    interrupter.press(carrier)
    assert asked == [(7, interrupter._tracer.function, None)]
    interrupter.release(carrier)
    assert asked[1:] == [(7, None, None)]
    interrupter.marked = Gone()
    interrupter.press(carrier)
    assert len(asked) == 2


@pytest.mark.skipif(not HAS_EVENTS, reason="there are no such events")
def test_only_lines_of_the_program_are_events_for_who_has_something_to_meet() -> None:
    interrupter = Monitored(_nothing, _nothing)
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    tool, line = interrupter._tool, monitoring.events.LINE
    here = sys._getframe().f_code
    try:
        interrupter.lines = True
        interrupter.turn()

        @places.transparent
        def within() -> None:
            interrupter.watch(sys._getframe())

        within()
        assert not monitoring.get_events(tool) & line
        assert monitoring.get_local_events(tool, here) == line
        interrupter._add(places.may_preempt.__code__, line)
        assert monitoring.get_local_events(tool, places.may_preempt.__code__) == 0
        interrupter.lines = False
        interrupter.turn()
        assert monitoring.get_local_events(tool, here) == 0
        assert monitoring.get_events(tool) == 0
    finally:
        interrupter.close()
