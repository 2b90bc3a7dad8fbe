"""How carriers are interrupted: between two lines of weft nothing may call Python code.

Such a call may give up the interpreter's lock within an atomic segment (docs/internals/atomic-segments.md).
"""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.programs import run_child
from weft.core import places
from weft.core.thread import ControlBlock
from weft.host import tracer
from weft.host.platform import HAS_EVENTS
from weft.models import traced
from weft.models.monitored import Monitored


def _nothing(*_: Any) -> bool:
    return False


@pytest.mark.skipif(HAS_EVENTS, reason="carriers are interrupted by events here")
@pytest.mark.parametrize("pure", ["0", "1"])
def test_lines_of_weft_are_not_traced_where_no_carrier_is_marked(pure: str) -> None:
    """A mark may be gone by the time that tracing is on."""
    code = """
import sys
from collections import Counter
from weft.core import places
from weft.models import traced

met, really = Counter(), traced.getcurrent

def note():
    frame = sys._getframe(1)
    while frame.f_code.co_name in ("_came", "call"):  # the latter is what C calls where nothing is compiled
        frame = frame.f_back
    met[frame.f_code.co_name] += 1
    return really()

traced.getcurrent = note
interrupter = traced.Traced(lambda *_: False, lambda *_: None)
interrupter.begin("a carrier")
thread, put = interrupter._threads["a carrier"], interrupter._tracer.put
function = interrupter._tracer.function

def go():
    met.clear()
    put(thread, function, None)
    places.may_preempt(sys._getframe())
    put(thread, None, None)
    return dict(met)

interrupter._tracer.put = lambda *_: None  # it does not take itself away
print(go()["may_preempt"], len(met) > 1)
interrupter._tracer.put = put
print(sum(go().values()))
"""
    # Its beginning and its end are events, and the program's own lines; then nothing but the first one.
    done = run_child([sys.executable, "-c", code], timeout=30, env={"WEFT_PURE": pure})
    assert done.check().stdout == "2 True\n1\n"


@pytest.mark.skipif(HAS_EVENTS, reason="carriers are interrupted by events here")
@pytest.mark.parametrize("pure", ["0", "1"])
@pytest.mark.parametrize(("error", "said"), [("RecursionError", ""), ("KeyError", "KeyError: 'ours'")])
def test_an_exception_at_an_event_is_none_of_the_program_s(error: str, said: str, pure: str) -> None:
    code = f"""
from weft.host.tracer import Tracer
met = []
def came():
    met.append(1)
    if len(met) < 3:
        raise {error}("ours")
it = Tracer(came)
here = it.here()
it.put(here, it.function, None)
one = 1
two = 2
three = 3
it.put(here, None, None)
print(one + two + three, len(met))
"""
    done = run_child([sys.executable, "-c", code], timeout=30, env={"WEFT_PURE": pure}).check()
    assert done.stdout == "6 4\n"
    assert [line for line in done.stderr.splitlines() if line.startswith("KeyError")] == [said] * 2 * bool(
        said
    )


@pytest.mark.skipif(HAS_EVENTS, reason="carriers are interrupted by events here")
@pytest.mark.skipif(not tracer.COMPILED, reason="what ctypes makes cannot be called there (docs/limits.md)")
def test_a_line_at_the_limit_of_recursion_is_passed_over() -> None:
    code = """
from weft.host.tracer import Tracer
it = Tracer(lambda: None)
here = it.here()
def deep(turn):
    it.put(here, it.function, None)
    deep(turn) if turn % 2 else [deep(turn)]
said = []
for turn in range(50):
    try:
        deep(turn)
    except BaseException as error:
        said.append(type(error))
it.put(here, None, None)
print(said == [RecursionError] * 50)
"""
    assert run_child([sys.executable, "-c", code], timeout=30).check().stdout == "True\n"


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
    carrier: Any = SimpleNamespace(frame=lambda _: sys._getframe().f_back)
    try:
        interrupter.lines = True
        interrupter.turn()

        interrupter.watch(ControlBlock(carrier))
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
