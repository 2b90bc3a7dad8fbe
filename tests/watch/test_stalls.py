"""Waits that last: which are told, once, and with whom they wait for."""

import threading

import pytest

from tests.core.carrier import FakeCarrier, Lot, begun
from tests.support import MODELS, run_code
from weft.core.thread import ControlBlock
from weft.core.wait import WaitReason
from weft.watch.stalls import Stalls


def stalls(blocks: list[ControlBlock], now: list[float], told: list[str]) -> Stalls:
    return Stalls(lambda: blocks, 10.0, lambda: now[0], threading.Lock(), told.append)


def waiting(name: str, holder: ControlBlock | None, carrier: FakeCarrier, since: float = 5.0) -> ControlBlock:
    block = begun(carrier, name)
    Lot(holder).register(block)
    block.since = since
    return block


def test_a_wait_is_told_once_when_it_has_lasted() -> None:
    carrier = FakeCarrier()
    holder = begun(carrier, "holder")
    block = waiting("waiter", holder, carrier)
    now, told = [14.9], list[str]()
    looks = stalls([holder, block], now, told)
    looks.look()
    assert told == []
    now[0] = 15.5
    looks.look()
    looks.look()
    assert len(told) == 1
    lines = told[0].splitlines()
    assert lines[0].startswith("'waiter' waits for a lock <tests.core.carrier.Lot at 0x")
    assert lines[0].endswith("held by 'holder' for 10.50 s")
    assert lines[1:] == ["      at here", "    'holder' runs", "      at here"]
    block.since, now[0] = 16.0, 30.0  # another wait for the same
    looks.look()
    assert len(told) == 2


def test_a_chain_is_told_to_its_end() -> None:
    carrier = FakeCarrier()
    ended = begun(carrier, "ended")
    middle = waiting("middle", ended, carrier, since=19.0)
    first = waiting("first", middle, carrier)
    told: list[str] = []
    looks = stalls([first, middle], [20.0], told)
    looks.look()
    ended.done = True
    first.since -= 1
    looks.look()
    assert [line.strip() for line in told[0].splitlines()[2:]][1:] == ["at here", "'ended' runs", "at here"]
    assert told[1].splitlines()[-1] == "    'ended' has ended, and will not let it go"


def test_a_ring_is_told_as_one() -> None:
    carrier = FakeCarrier()
    one = waiting("one", None, carrier)
    two = waiting("two", one, carrier)
    one.on.holder = two
    told: list[str] = []
    stalls([one, two], [20.0], told).look()
    assert len(told) == 2
    assert all(text.endswith("is where this began: none of them will ever go on") for text in told)


@pytest.mark.parametrize("kind", ["QUEUE_GET", "DESCRIPTOR", "SLEEP", "EVENT"])
def test_workers_without_work_are_not_told(kind: str) -> None:
    class Idle(Lot):
        def _explain(self, block: ControlBlock) -> tuple[WaitReason, object, ControlBlock | None]:
            return WaitReason[kind], self, None

    told: list[str] = []
    block = begun(FakeCarrier(), "worker")
    Idle().register(block)
    block.since = 1.0
    stalls([block], [1000.0], told).look()
    assert told == []


@pytest.mark.parametrize("model", MODELS)
def test_a_program_is_told_of_a_lock_that_is_held_for_long(model: str) -> None:
    done = run_code(
        """
        import sys, threading, time

        class Told:
            def __init__(self, real):
                self.real, self.text = real, ""
            def write(self, text):
                self.text += text
                return self.real.write(text)
            def flush(self):
                self.real.flush()

        sys.stderr = Told(sys.stderr)
        lock, idle = threading.Lock(), threading.Event()
        threading.Thread(target=idle.wait, name="idle", daemon=True).start()

        def hold():
            with lock:
                started.set()
                while "held by 'holder'" not in sys.stderr.text:
                    time.sleep(0.001)

        started = threading.Event()
        holder = threading.Thread(target=hold, name="holder")
        holder.start()
        started.wait()
        with lock:
            pass
        holder.join()
        assert "idle" not in sys.stderr.text
        """,
        model=model,
        options=("--stall-limit", "50ms"),
    ).check()
    assert "weft: 'MainThread' waits for a lock <_thread.lock at 0x" in done.stderr
    assert "'holder' " in done.stderr
