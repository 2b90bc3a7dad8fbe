"""The guard around weft's code, which stands in for the interpreter's lock (host/guard.py).

It is there on builds without that lock. WEFT_GUARD=1 puts it in place on others too, so that what it promises
is tested on each; `WEFT_GUARD=1 pytest tests/stdlib/test_bodies.py` holds all primitives to it.
"""

import sys

import pytest

from tests.support.programs import run_child, run_code
from weft.host import guard
from weft.host.platform import FREE_THREADED

ON = {"WEFT_GUARD": "1"}


@pytest.mark.skipif(guard.GUARDED, reason="there is a guard here")
def test_with_the_interpreters_lock_nothing_is_covered() -> None:
    def function() -> None:
        pass

    class Plain:
        def method(self) -> None:
            pass

    method = Plain.method
    assert guard.guarded(function) is function
    assert guard.outside(function) is function
    assert guard.cover(Plain).method is method


def test_it_is_taken_once_and_let_go_outside() -> None:
    code = """
        from weft.host.guard import cover, enter, guarded, has_guard, leave, outside

        said = []

        @guarded
        def inner():
            said.append(has_guard())
            outside(lambda: said.append(has_guard()))()
            said.append(has_guard())
            raise KeyError

        @guarded
        def outer():
            try:
                inner()
            except KeyError:
                said.append(has_guard())

        @cover
        class Thing:
            def method(self):
                return has_guard()

            def _withdraw(self):
                return has_guard()

        outer()
        outside(lambda: said.append(has_guard()))()
        print(said, has_guard(), Thing().method(), Thing()._withdraw())
        print(leave(), enter(), enter(), has_guard(), leave(), has_guard())
    """
    told = run_code(code, model=None, env=ON).check().stdout
    assert told.splitlines() == [
        "[True, False, True, True, False] False True False",
        "False True False True True False",
    ]


def test_kernel_threads_exclude_each_other() -> None:
    code = """
        import sys, time
        from weft.host import threads
        from weft.host.guard import guarded

        sys.setswitchinterval(1e-6)
        count, over = 0, threads.Baton()

        @guarded
        def add():
            global count
            before = count
            time.sleep(0)
            count = before + 1

        def run():
            for _ in range(300):
                add()
            over.put(None)

        for _ in range(4):
            threads.start(run)
        for _ in range(4):
            over.get()
        print(count)
    """
    assert run_code(code, model=None, env=ON).check().stdout == "1200\n"


@pytest.mark.parametrize("model", ["user", "hybrid"])
def test_the_programs_code_runs_without_it(model: str) -> None:
    """Whatever it has waited for, on whatever stack it goes on."""
    code = """
        import concurrent.futures, queue, socket, threading, time, weft
        from weft.host.guard import has_guard

        held = []

        def note():
            held.append(has_guard())

        class Own(threading.Thread):
            def run(self):
                note()

        line, gate, condition = queue.Queue(1), threading.Event(), threading.Condition()
        here, there = socket.socketpair()

        def put():
            for n in range(50):
                line.put(n)
                note()

        def get():
            for _ in range(50):
                line.get()
                note()

        def wait():
            gate.wait()
            note()
            with condition:
                condition.wait_for(lambda: note() or done)
            note()
            note() if here.recv(1) else None
            time.sleep(0.001)
            note()

        done = False
        threads = [threading.Thread(target=each) for each in (put, get, wait)] + [Own()]
        for thread in threads:
            thread.start()
            note()
        gate.set()
        time.sleep(0.01)
        with condition:
            done = True
            condition.notify_all()
        there.send(b"x")
        for thread in threads:
            thread.join()
            note()
        for pool in (concurrent.futures.ThreadPoolExecutor(2), weft.futures.executor("user")):
            with pool:
                future = pool.submit(note)
                future.result()
        print(len(held) > 110, any(held))
    """
    assert run_code(code, model=model, env=ON).check().stdout == "True False\n"


def test_who_parks_without_it_is_told() -> None:
    code = """
        import weft
        try:
            weft.current().carrier.pick()
        except weft.WeftError as error:
            print(error)
    """
    assert "a thread parks without the guard" in run_code(code, env=ON).check().stdout


@pytest.mark.parametrize("model", ["user", "hybrid"])
def test_a_forked_child_finds_it_free(model: str) -> None:
    code = """
        import os, threading, warnings
        from weft.host.guard import has_guard

        warnings.simplefilter("ignore")
        lock, stop = threading.Lock(), threading.Event()

        def busy():
            while not stop.is_set():
                with lock:
                    pass

        threads = [threading.Thread(target=busy) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            child = os.fork()
            if not child:
                free = not has_guard()
                fresh = threading.Thread(target=threading.Lock().acquire)
                fresh.start()
                fresh.join()
                os._exit(7 if free and not has_guard() else 8)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), has_guard())
        stop.set()
        for thread in threads:
            thread.join()
    """
    assert run_code(code, model=model, env=ON).check().stdout == "7 False\n" * 5


@pytest.mark.parametrize("name", ["exclusion", "lines", "conditions"])
def test_the_primitives_keep_their_promises_under_it(name: str) -> None:
    """A part of them; all of them in the command above."""
    done = run_child(
        [sys.executable, "-m", "weft", "run", "--model", "hybrid", "-m", "tests.stdlib.runner", name],
        env=ON,
        timeout=60,
    ).check()
    cases = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(cases) > 10
    lets_go_late = "case_an_item_is_let_go_by_who_put_it" if FREE_THREADED else "none"
    assert [line for line in cases if '"why": ""' not in line and lets_go_late not in line] == []
