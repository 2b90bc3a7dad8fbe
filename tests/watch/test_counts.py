"""What is counted of threads, by hand and on real programs."""

import pytest

from tests.support.programs import run_code
from weft.core.events import Kind
from weft.watch.counts import Counts


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Carrier:
    def __init__(self, poller: object) -> None:
        self.poller = poller


class Block:
    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.done = False


class Some:
    """Threads on one carrier that carries all, or on a kernel thread each."""

    def __init__(self, together: bool) -> None:
        self.clock = Clock()
        self.counts = Counts(self.clock)
        self._shared = Carrier(object()) if together else None
        self.main = self.block()
        self.counts.begin(self.main)

    def block(self) -> Block:
        return Block(self._shared or Carrier(None))

    def tell(self, kind: Kind, block: Block, after: float = 0.0) -> None:
        self.clock.now += after
        self.counts(kind, block, None)


def test_a_switch_is_another_thread_on_the_same_carrier() -> None:
    some = Some(together=True)
    a, b = some.block(), some.block()
    for block in (a, b, b, some.main, a):
        some.tell(Kind.RUNNING, block)
    assert some.counts.switches == 4


def test_threads_with_a_kernel_thread_each_are_not_switched_by_weft() -> None:
    some = Some(together=False)
    for _ in range(3):
        block = some.block()
        some.tell(Kind.RUNNING, block)
        some.tell(Kind.PARKED, block)
        some.tell(Kind.RUNNING, block)
    assert some.counts.switches == 0


@pytest.mark.parametrize("together", [True, False])
def test_time_parked_is_from_the_park_to_the_wake(together: bool) -> None:
    some = Some(together)
    block = some.block()
    some.tell(Kind.PARKED, block)
    some.tell(Kind.READY, block, after=3.0)
    some.tell(Kind.RUNNING, block, after=5.0)  # in the queue, or on its way
    assert some.counts.parked == 3.0
    some.tell(Kind.PARKED, block)
    some.tell(Kind.RUNNING, block, after=2.0)  # it woke by itself: a sleep in the kernel
    assert some.counts.parked == 5.0
    some.tell(Kind.ENDED, block)
    assert some.counts.parked == 5.0


def test_a_wake_that_comes_before_the_park_makes_no_time() -> None:
    some = Some(together=False)
    block = some.block()
    some.tell(Kind.READY, block)
    some.tell(Kind.PARKED, block, after=1.0)
    some.tell(Kind.RUNNING, block, after=1.0)
    assert some.counts.parked == 0.0


def test_who_is_still_parked_counts_until_now() -> None:
    some = Some(together=True)
    block = some.block()
    some.tell(Kind.PARKED, block)
    some.clock.now += 4.0
    assert some.counts.parked == 4.0
    block.done = True  # left behind by a fork
    assert some.counts.parked == 0.0


def test_nothing_is_kept_of_a_kernel_thread_that_has_ended() -> None:
    some = Some(together=False)
    before = {name: len(value) for name, value in vars(some.counts).items() if hasattr(value, "__len__")}
    for _ in range(10):
        block = some.block()
        for kind in (Kind.READY, Kind.RUNNING, Kind.PARKED, Kind.READY, Kind.RUNNING, Kind.READY, Kind.ENDED):
            some.tell(kind, block)
    after = {name: len(value) for name, value in vars(some.counts).items() if hasattr(value, "__len__")}
    assert after == {**before, "_ended": 10}


WORK = """
import threading, time
gate = threading.Event()
def wait(): gate.wait()
def nap(): time.sleep(0.2)
threads = [threading.Thread(target=wait) for _ in range(3)] + [threading.Thread(target=nap) for _ in range(2)]
for thread in threads: thread.start()
time.sleep(0.1)
gate.set()
for thread in threads: thread.join()
"""


def figures(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in (line.split() for line in text.splitlines())}


def test_a_run_leaves_its_counts(model: str, tmp_path) -> None:
    path = tmp_path / "counts"
    run_code(WORK, model=model, env={"WEFT_COUNTS": str(path)}).check()
    found = figures(path.read_text())
    assert found["threads"] == 5
    # Three waits of 0.1 s, two sleeps of 0.2 s, the main thread's sleep and its joins: 0.9 s, and lateness.
    assert 0.85 <= found["parked"] <= 2.5
    assert found["switches"] == 0 if model == "kernel" else found["switches"] > 0


def test_what_a_program_starts_is_not_asked(model: str, tmp_path) -> None:
    path = tmp_path / "counts"
    code = """
        import os, subprocess, sys, threading
        print("WEFT_COUNTS" in os.environ)
        print(subprocess.run([sys.executable, "-c", "import os; print('WEFT_COUNTS' in os.environ)"],
                             capture_output=True, text=True).stdout)
        thread = threading.Thread(target=print, args=("one",)); thread.start(); thread.join()
        sys.stdout.flush()
        pid = os.fork()
        if not pid:
            for _ in range(5):
                thread = threading.Thread(target=lambda: None); thread.start(); thread.join()
            sys.exit(0)
        os.waitpid(pid, 0)
        """
    done = run_code(code, model=model, env={"WEFT_COUNTS": str(path)}).check()
    assert done.stdout.split() == ["False", "False", "one"]
    assert figures(path.read_text())["threads"] == 1


def test_counts_that_cannot_be_left_harm_nobody(model: str, tmp_path) -> None:
    done = run_code("print(1)", model=model, env={"WEFT_COUNTS": str(tmp_path / "no" / "counts")}).check()
    assert (done.stdout, done.stderr) == ("1\n", "")


@pytest.mark.parametrize("model", ["kernel", "user"])
def test_without_the_variable_nobody_listens(model: str) -> None:
    code = """
        import weft
        block = weft.current()
        print(getattr(block.carrier, "listener", None), type(block.carrier.push).__name__)
        """
    assert run_code(code, model=model).check().stdout == "None builtin_function_or_method\n"
