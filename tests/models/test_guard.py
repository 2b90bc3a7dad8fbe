"""The guard, which stands for the interpreter's lock on free-threaded builds; elsewhere put in force by hand.

`WEFT_GUARD=1` has every primitive go through it on any build, so each is held here as it runs there but for
the one thing that only such a build has: two kernel threads that run Python at once.
"""

import json
from pathlib import Path

import pytest

from tests.support import HAS_GIL, MODELS, needs_gil, run_code, run_weft
from weft.host import stacks

ROOT = Path(__file__).resolve().parents[2]
ON = {"WEFT_GUARD": "1"}
#: Modules of bodies whose cases go through each kind of primitive, and end soon.
BODIES = ("exclusion", "conditions", "lines", "counting", "hand_overs", "lives", "loops")

HEAD = """
import _thread as real, os, queue, signal, socket, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from weft import guard
held = []
def outside(where):  # what is called here is the program's
    if guard.has_guard(): held.append(where)
"""


@needs_gil("there the guard is in force")
def test_with_the_interpreter_s_lock_there_is_no_guard() -> None:
    code = """
    import threading
    from types import FunctionType
    from weft import guard
    from weft.core import parking
    from weft.models.loop import Loop
    def function(): pass
    print(guard.GUARDED, guard.guarded(function) is function, guard.outside(function) is function)
    kinds = [threading.Condition, threading.Event, threading.Semaphore, type(threading.Lock()), Loop]
    found = [value for kind in kinds for value in vars(kind).values()] + list(vars(parking).values())
    ours = [value for value in found if type(value) is FunctionType and value.__module__.startswith("weft")]
    print(len(ours) > 60, [value for value in ours if hasattr(value, "__wrapped__")])
    """
    assert run_code(code, model="hybrid").check().stdout == "False True True\nTrue []\n"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", BODIES)
def test_each_primitive_holds_under_the_guard(name: str, model: str) -> None:
    done = run_weft("--model", model, "-m", "tests.stdlib.runner", name, cwd=ROOT, timeout=60, env=ON).check()
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"case"')]
    wrong = {each["case"]: each["why"] for each in found if each["why"]}
    if not HAS_GIL:
        wrong.pop("case_an_item_is_let_go_by_who_put_it", None)  # tests/stdlib/test_bodies.py has why
    assert wrong == {}
    assert len(found) > 5


@pytest.mark.parametrize("model", ["user", "hybrid"])
def test_the_program_s_code_runs_without_it(model: str) -> None:
    code = """
    class Line(queue.Queue):
        def _put(self, item):
            outside("a method that is overridden")
            super()._put(item)
    class Less:
        def __lt__(self, other):
            outside("a comparison")
            return False
    class Local(threading.local):
        def __init__(self): outside("a thread-local")
    def work(kind="a thread"):
        outside(kind)
        time.sleep(0)
        outside(kind + " that slept")
        with lock: outside(kind + " with a lock")
        local.x = 1
        line.put(1); line.get()
        best.put(Less()); best.put(Less()); best.get(); best.get()
        a, b = socket.socketpair()
        b.send(b"x"); a.recv(1)
        outside(kind + " after a read")
    def hook(args): outside("an excepthook")
    def fail(): raise ValueError
    threading.excepthook = hook
    lock, local, line, best = threading.Lock(), Local(), Line(), queue.PriorityQueue()
    threads = [threading.Thread(target=work) for _ in range(6)] + [threading.Thread(target=fail)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    with ThreadPoolExecutor(3, initializer=outside, initargs=("an initializer",)) as pool:
        futures = [pool.submit(work, "a call") for _ in range(9)]
        for future in futures: future.add_done_callback(lambda _: outside("a callback"))
        for future in futures: future.result()
        futures[0].add_done_callback(lambda _: outside("a callback that comes late"))
    signal.signal(signal.SIGUSR1, lambda *_: outside("a handler"))
    event = threading.Event()
    def interrupt(): os.kill(os.getpid(), signal.SIGUSR1); time.sleep(0.01); event.set()
    threading.Thread(target=interrupt).start()
    event.wait(10)
    condition = threading.Condition()
    with condition: condition.wait_for(lambda: outside("a predicate"), 0.01)
    import weft
    weft.offload(outside, "an offloaded call")
    done = threading.Event()
    weft.call_later(0.001, lambda: (outside("a call that comes later"), done.set()))
    done.wait(10)
    print(held, guard.GUARDED)
    """
    code = HEAD + "\n".join(line[4:] for line in code.splitlines())
    options = ("--carriers", "3") if model == "hybrid" else ()
    assert run_code(code, model=model, options=options, env=ON).output() == "[] True\n"


@pytest.mark.parametrize("model", ["user", "hybrid"])
def test_every_switch_is_made_with_it_held(model: str) -> None:
    code = """
    import greenlet
    wrong, switches = [], []
    def see(event, stacks):
        switches.append(1)
        if not guard.has_guard(): wrong.append((event, sys._getframe(1).f_code.co_qualname))
    def work():
        greenlet.settrace(see)
        for n in range(50):
            time.sleep(0)
            with lock: time.sleep(0)
            items.put(n); items.get(timeout=1)
            end = time.monotonic() + 0.0002
            while time.monotonic() < end: pass
    lock, items = threading.Lock(), queue.Queue(2)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(wrong[:3], len(switches) > 100)
    """
    code = HEAD + "\n".join(line[4:] for line in code.splitlines())
    options = ["--slice", "1ms", *(("--carriers", "3") if model == "hybrid" else ())]
    assert run_code(code, model=model, options=options, env=ON).output() == "[] True\n"


def test_it_is_taken_once_and_let_go_however_a_call_ends() -> None:
    code = """
    import threading
    from weft.guard import guarded, has_guard, outside
    said = []
    @outside
    def program(*args): said.append(("program", has_guard())); return args
    @guarded
    def inner(): said.append(("inner", has_guard()))
    @guarded
    def outer(fail):
        inner()
        said.append(("outer", has_guard(), program(1, 2)))
        said.append(("again", has_guard()))
        if fail: raise ValueError
    outer(False)
    said.append(has_guard())
    try: outer(True)
    except ValueError: said.append(has_guard())
    print(said == 2 * [("inner", True), ("program", False), ("outer", True, (1, 2)), ("again", True), False])
    print(outer.__name__, outer.__wrapped__.__name__, program(3), said[-1])
    """
    assert run_code(code, model=None, env=ON).output() == "True\nouter outer (3,) ('program', False)\n"


def test_a_child_has_it_free() -> None:
    code = """
    stop = []
    def spin():
        while not stop:
            with lock: pass
    lock = threading.Lock()
    threads = [threading.Thread(target=spin) for _ in range(4)]
    for thread in threads: thread.start()
    for _ in range(10):
        pid = os.fork()
        if pid == 0:
            mine = threading.Lock()
            other = threading.Thread(target=lambda: mine.acquire())
            other.start(); other.join()
            os._exit(7 if mine.locked() and not guard.has_guard() else 1)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 7: print("the child failed")
    stop.append(1)
    for thread in threads: thread.join()
    print(guard.has_guard())
    """
    code = HEAD + "\n".join(line[4:] for line in code.splitlines())
    assert run_code(code, model="hybrid", options=("--carriers", "3"), env=ON).check().stdout == "False\n"


def test_who_parks_without_it_is_told() -> None:
    code = """
    import weft
    try: weft.current().carrier.pick()
    except weft.WeftError as error: print(error)
    """
    assert run_code(code, env=ON).check().stdout == "a thread parks without the guard\n"


def test_kernel_threads_exclude_each_other() -> None:
    code = """
    import sys, time
    from weft.guard import guarded
    from weft.host import threads
    sys.setswitchinterval(1e-6)
    count, over = 0, threads.Baton()
    @guarded
    def add():
        global count
        before = count
        time.sleep(0)
        count = before + 1
    def run():
        for _ in range(300): add()
        over.put(None)
    for _ in range(4): threads.start(run)
    for _ in range(4): over.get()
    print(count)
    """
    assert run_code(code, model=None, env=ON).check().stdout == "1200\n"


@pytest.mark.parametrize(
    ("version", "fits"), [("3.5.3", False), ("3.2.2", False), ("3.5.4", True), ("3.6.0", True)]
)
def test_an_old_greenlet_is_told_of(version: str, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "FREE_THREADED", True)
    monkeypatch.setattr(stacks._greenlet, "__version__", version)
    assert (stacks._unfit() is None) is fits
    monkeypatch.setattr(stacks, "FREE_THREADED", False)
    assert stacks._unfit() is None
