"""Notes are the same whether they are taken in C or in Python, and what was taken off is no longer there."""

import gc
import sys
import textwrap
import threading
import types
import weakref
from array import array
from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.programs import run_child
from weft.core.places import spot_of
from weft.host.clock import nanoseconds
from weft.watch.notes import COMPILED, FastNotes, Notes, PyNotes

KINDS = [
    "python",
    pytest.param("c", marks=pytest.mark.skipif(not COMPILED, reason="weft was built without C")),
]


@pytest.fixture(scope="module", autouse=True)
def outside() -> Iterator[None]:
    """No thread of weft's runs here, whatever tests before have left in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weft.watch.notes.getcurrent", lambda: None)
        yield


def make(kind: str) -> Notes:
    return FastNotes() if kind == "c" else PyNotes(nanoseconds)


class Stack:
    """Stands for a greenlet that is suspended in a frame; its block is in no slot, as a first greenlet's."""

    def __init__(self, block: Any, frame: types.FrameType | None) -> None:
        self.block = block
        self.gr_frame = frame
        self.ran = 0

    def switch(self) -> None:
        self.ran += 1


class Block:
    """Stands for a control block."""

    __slots__ = ("__weakref__", "alarm", "carrier", "name", "noted", "on")

    def __init__(self, name: str, carrier: Any) -> None:
        self.name = name
        self.carrier = carrier
        self.on: object = None
        self.alarm = 0

    def __repr__(self) -> str:
        return self.name


class Lane:
    """A carrier with a tape and some threads, each suspended here."""

    def __init__(self, kind: str, threads: int = 3) -> None:
        self.now = 7.0
        self.queue: deque[Any] = deque()
        self.notes = make(kind)
        self.tape = self.notes.tape(self, self.queue.popleft, self.queue.append)
        self.blocks = [Block(f"t{n}", self) for n in range(threads)]
        frame = sys._getframe(1)
        self.stacks = [Stack(block, frame) for block in self.blocks]

    def frame(self, block: Any) -> types.FrameType:
        return sys._getframe()

    def resume(self, number: int) -> Any:
        return self.stacks[number].switch

    def spots(self, numbers: Any) -> list[str | None]:
        found = [self.notes.spots[number] for number in numbers]
        return [spot and spot[0].co_name for spot in found]


@pytest.fixture(params=KINDS)
def lane(request: pytest.FixtureRequest) -> Lane:
    return Lane(request.param)


def test_who_runs_is_noted_with_the_time_and_nobody_too(lane: Lane) -> None:
    before = nanoseconds()
    lane.queue += [lane.resume(1), lane.resume(0)]
    assert lane.tape.pick() == lane.resume(1)
    assert lane.tape.pick() == lane.resume(0)
    with pytest.raises(IndexError, match="pop from an empty deque"):
        lane.tape.pick()
    who, when = lane.tape.swap()
    assert who == [lane.blocks[1], lane.blocks[0], None]
    assert before <= when[0] <= when[1] <= when[2] <= nanoseconds()
    assert [len(half) for half in lane.tape.swap()] == [0, 0]


def test_one_that_begins_is_known_by_what_begins_it(lane: Lane) -> None:
    begin, plain = partial(id, lane.blocks[2]), object()
    for resume in (begin, plain):
        lane.tape.push(resume)
    assert lane.notes.waiting() == 0  # it was never asleep
    assert [lane.tape.pick(), lane.tape.pick()] == [begin, plain]
    assert lane.tape.swap()[0] == [lane.blocks[2], None]


def test_a_queue_that_fails_says_so_and_nothing_is_noted(lane: Lane) -> None:
    def take() -> Any:
        raise ValueError("a policy of one's own")

    tape = lane.notes.tape(lane, take, lane.queue.append)
    with pytest.raises(ValueError, match="one's own"):
        tape.pick()
    assert tape.swap()[0] == []


def test_a_wake_by_nobody_tells_what_was_waited_on_and_where(lane: Lane) -> None:
    block = lane.blocks[0]
    lock = object()
    block.on, block.alarm = lock, 5
    before = nanoseconds()
    lane.tape.push(lane.resume(0))
    assert lane.queue.pop() == lane.resume(0)
    found = lane.notes.wakes(10)
    assert (list(found.who), list(found.on), list(found.by)) == ([block], [lock], [None])
    assert lane.spots(found.spots) == ["lane"]
    assert (list(found.by_spots), list(found.alarms)) == ([0], [5])
    assert before <= found.when[0] <= nanoseconds()
    assert lane.notes.waiting() == 0


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has the notes take a stack of the test's for the one that runs."""

    def stand(lane: Lane, stack: Any, kind: str) -> None:
        monkeypatch.setattr("weft.watch.notes.getcurrent", lambda: stack)
        lane.notes = make(kind)
        lane.tape = lane.notes.tape(lane, lane.queue.popleft, lane.queue.append)

    return stand


@pytest.mark.parametrize("kind", KINDS)
def test_a_thread_that_wakes_another_is_told_with_its_place(here: Any, kind: str) -> None:
    lane = Lane(kind)
    here(lane, lane.stacks[1], kind)
    lane.blocks[0].on = object()
    lane.tape.push(lane.resume(0))
    found = lane.notes.wakes(1)
    assert list(found.by) == [lane.blocks[1]]
    assert lane.spots(found.by_spots) == ["test_a_thread_that_wakes_another_is_told_with_its_place"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_waits_itself_wakes_for_the_machine_at_its_last_look(here: Any, kind: str) -> None:
    lane = Lane(kind)
    here(lane, lane.stacks[1], kind)
    lane.blocks[0].on = lane.blocks[1].on = object()
    lane.tape.push(lane.resume(0))
    lane.tape.push(lane.resume(1))  # and itself
    found = lane.notes.wakes(2)
    assert list(found.by) == [None, None]
    assert found.when[0] == 7_000_000_000
    assert found.when[1] > 7_000_000_000


@pytest.mark.parametrize("kind", KINDS)
def test_the_place_is_where_the_thread_was_when_it_parked(here: Any, kind: str) -> None:
    lane = Lane(kind)
    here(lane, None, kind)

    def parks() -> None:
        lane.blocks[0].on = object()
        lane.stacks[0].gr_frame = sys._getframe()
        with pytest.raises(IndexError):
            lane.tape.pick()

    lane.queue.append(lane.resume(0))
    lane.tape.pick()  # from here on it runs
    parks()
    lane.tape.push(lane.resume(0))
    assert lane.spots(lane.notes.wakes(1).spots) == ["parks"]
    other = Lane(kind)  # what another recording has noted of the thread says nothing to this one
    other.blocks[0] = lane.blocks[0]
    other.stacks[0].block = other.blocks[0]
    other.stacks[0].gr_frame = sys._getframe()
    other.tape.push(other.resume(0))
    assert other.spots(other.notes.wakes(1).spots) == [
        "test_the_place_is_where_the_thread_was_when_it_parked"
    ]


def library() -> Any:
    """A call through a function of `threading`, which is not the place that a person looks for."""
    names: dict[str, Any] = {}
    exec(compile("def through(call):\n    return call()\n", threading.__file__, "exec"), names)
    return names["through"]


def generates(call: Any) -> None:
    def gives() -> Iterator[None]:
        yield call()

    list(gives())


class Calls:
    def __init__(self, call: Any) -> None:
        self.call = call

    def __lt__(self, other: "Calls") -> bool:
        self.call()
        return True


def line_of(code: types.CodeType, offset: int) -> tuple[str, int | None]:
    return code.co_qualname, next(line for first, last, line in code.co_lines() if first <= offset < last)


WAYS: dict[str, Any] = {
    "at once": lambda call: call(),
    "a generator": generates,
    "a comprehension": lambda call: [call() for _ in range(1)],
    "C": lambda call: sorted([2, 1], key=lambda _: call() or 0),
    "an operator": lambda call: Calls(call) < Calls(call),
    "a partial": lambda call: list(map(partial(lambda _, __: call(), 1), [1])),
    "exec": lambda call: exec("call()", {"call": call}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_the_place_is_the_one_that_frames_tell_however_it_is_called(here: Any, kind: str, way: str) -> None:
    lane = Lane(kind)
    here(lane, lane.stacks[1], kind)
    lane.blocks[0].on = object()
    expected: list[Any] = []
    asks = lambda: expected.append(spot_of(sys._getframe(1)))  # noqa: E731 - of who calls it
    wakes = partial(lane.tape.push, lane.resume(0))
    for call in (asks, partial(library(), asks), wakes, partial(library(), wakes)):
        WAYS[way](call)
    found = [lane.notes.spots[number] for number in lane.notes.wakes(9).by_spots]
    assert found
    assert [line_of(*spot) for spot in found] == [line_of(*spot) for spot in expected]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stack_that_is_not_suspended_is_asked_for_by_its_carrier(here: Any, kind: str) -> None:
    lane = Lane(kind)
    here(lane, lane.stacks[1], kind)
    for block, stack in zip(lane.blocks, lane.stacks, strict=True):
        block.on, stack.gr_frame = object(), None
    lane.tape.push(lane.resume(0))
    lane.tape.push(lane.resume(1))
    assert lane.spots(lane.notes.wakes(2).spots) == [
        "frame",
        "test_a_stack_that_is_not_suspended_is_asked_for_by_its_carrier",
    ]


def test_a_thread_without_fields_loses_its_note_and_not_its_turn() -> None:
    if not COMPILED:
        pytest.skip("weft was built without C")
    lane = Lane("c")
    del lane.blocks[0].alarm
    lane.tape.push(lane.resume(0))
    assert lane.notes.waiting() == 0
    assert lane.tape.pick() == lane.resume(0)


def test_things_become_numbers(lane: Lane) -> None:
    class Asked(dict[Any, int]):
        def __missing__(self, key: Any) -> int:
            if key == "who":
                raise KeyError(key)
            self[key] = len(self) + 10
            return self[key]

    notes, asked, known = lane.notes, Asked({None: 0}), ["a", object()]
    assert list(notes.numbers(asked, [None, "a", "a", "b", None])) == [0, 11, 11, 12, 0]
    with pytest.raises(KeyError, match="who"):
        notes.numbers(asked, ("a", "who"))
    by_identity = {id(thing): number for number, thing in enumerate(known)}
    assert list(notes.identities(by_identity, [known[1], known[0], known[0]])) == [1, 0, 0]
    with pytest.raises(KeyError):
        notes.identities(by_identity, [object()])
    assert list(notes.looked_up([7, 0, 5], array("I", [2, 0, 2]))) == [5, 7, 5]
    with pytest.raises(IndexError):
        notes.looked_up([7], array("I", [1]))


@pytest.mark.parametrize("kind", KINDS)
def test_notes_die_with_what_they_are_of(kind: str) -> None:
    lane = Lane(kind)
    lane.pick, lane.push = lane.tape.pick, lane.tape.push  # type: ignore[attr-defined]
    lane.blocks[0].on = lane
    lane.tape.push(lane.resume(0))
    lane.tape.pick()
    gone = weakref.ref(lane)
    del lane
    gc.collect()
    assert gone() is None


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("wake"), st.integers(0, 2), st.integers(0, 3)),
        st.tuples(st.just("note"), st.integers(0, 2), st.integers(0, 3)),
        st.tuples(st.just("many"), st.integers(1, 700), st.integers(0, 3)),
        st.tuples(st.just("pick"), st.just(0), st.just(0)),
        st.tuples(st.just("swap"), st.just(0), st.just(0)),
        st.tuples(st.just("wakes"), st.integers(0, 900), st.just(0)),
    ),
    max_size=40,
)


def told(kind: str, actions: list[tuple[str, int, int]]) -> list[Any]:
    """What notes give for some actions, without the times."""
    lane = Lane(kind)
    things = [None, "a", "b", "c"]
    spots = [None, *((code, n) for n, code in enumerate((told.__code__, make.__code__, told.__code__)))]
    given: list[Any] = []
    for action, number, more in actions:
        if action == "wake" or action == "many":
            for _ in range(number if action == "many" else 1):
                lane.blocks[number % 3].on = things[more]
                lane.tape.push(lane.resume(number % 3))
        elif action == "note":
            lane.notes.wake(number, lane.blocks[number], things[more], spots[more], more, None, spots[number])
        elif action == "pick":
            try:
                given.append(lane.tape.pick().__self__.block.name)
            except IndexError:
                given.append("nobody")
        elif action == "swap":
            given.append([str(block) for block in lane.tape.swap()[0]])
        else:
            found = lane.notes.wakes(number)
            given.append([list(map(str, found.who)), list(found.on), lane.spots(found.spots), list(found.by)])
            given.append(
                [lane.spots(found.by_spots), list(found.alarms), len(found.when), lane.notes.waiting()]
            )
    return given


@pytest.mark.skipif(not COMPILED, reason="weft was built without C")
@settings(max_examples=60, deadline=None)
@given(ACTIONS)
def test_both_tell_the_same(actions: list[tuple[str, int, int]]) -> None:
    assert told("c", actions) == told("python", actions)


@pytest.mark.skipif(not COMPILED, reason="weft was built without C")
def test_nothing_is_kept_alive_or_let_go_too_early() -> None:
    lane, thing = Lane("c"), object()
    before = sys.getrefcount(thing), sys.getrefcount(lane.blocks[0])
    for _ in range(3):
        for _ in range(1000):
            lane.blocks[0].on = thing
            lane.tape.push(lane.resume(0))
            lane.tape.pick()
        lane.blocks[0].on = None
        lane.tape.swap()
        lane.notes.wakes(600)
        lane.notes.wakes(600)
    lane.queue.append(lane.resume(1))
    lane.tape.pick()
    lane.tape.swap()
    assert (sys.getrefcount(thing), sys.getrefcount(lane.blocks[0])) == before


@pytest.mark.parametrize("revision", [0, 10_000])
def test_a_part_that_was_compiled_from_other_source_is_left_alone(revision: int) -> None:
    code = f"""
        import sys, types
        sys.modules["weft.watch._notes"] = types.SimpleNamespace(REVISION={revision}, Notes=None)
        from weft.watch import notes
        print(notes.COMPILED, type(notes.make_notes(int)).__name__)
    """
    done = run_child([sys.executable, "-c", textwrap.dedent(code)])
    assert (done.returncode, done.stdout) == (0, "False PyNotes\n"), done
