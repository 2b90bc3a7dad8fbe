"""Profilers and trace functions beside preemption, and what `faulthandler` sees."""

import sys

import pytest

from tests.support import run_code


def out(code: str, model: str) -> str:
    done = run_code(code, model=model).check()
    assert done.stderr == ""
    return done.stdout


def test_each_thread_is_traced_where_slices_end_in_the_trace_function(model: str) -> None:
    code = """
        import threading
        seen = {}
        def local(frame, event, arg):
            seen.setdefault(threading.current_thread().name, set()).add(frame.f_lineno)
            for _ in range(300): pass
            return local
        class Watch:
            def trace(self, frame, event, arg):
                return local if frame.f_code is work.__code__ else None
        def work():
            n = 0
            for i in range(1500):
                n += i
            return n
        threading.settrace(Watch().trace)
        ts = [threading.Thread(target=work, name=str(n)) for n in range(3)]
        for t in ts: t.start()
        for t in ts: t.join()
        first = work.__code__.co_firstlineno
        print({name: sorted(line - first for line in lines) for name, lines in sorted(seen.items())})
    """
    assert out(code, model) == "{'0': [1, 2, 3, 4], '1': [1, 2, 3, 4], '2': [1, 2, 3, 4]}\n"


def test_what_slices_end_in_may_be_an_object_that_is_called(model: str) -> None:
    code = """
        import threading
        seen = {}
        class Local:
            def __call__(self, frame, event, arg):
                seen.setdefault(threading.current_thread().name, set()).add(event)
                for _ in range(300): pass
                return self
        local = Local()
        def work():
            n = 0
            for i in range(1500):
                n += i
        threading.settrace(lambda frame, event, arg: local if frame.f_code is work.__code__ else None)
        ts = [threading.Thread(target=work, name=str(n)) for n in range(3)]
        for t in ts: t.start()
        for t in ts: t.join()
        print({name: sorted(events) for name, events in sorted(seen.items())})
    """
    each = "['line', 'return']"
    assert out(code, model) == f"{{'0': {each}, '1': {each}, '2': {each}}}\n"


PROFILED = """
    import cProfile, pstats, threading, time
    def inner_a(): time.sleep(0.001)
    def inner_b(): time.sleep(0.001)
    def a():
        for _ in range(7): inner_a()
    def b():
        for _ in range(9): inner_b()
    def profiled(function, into):
        profile = into[function.__name__] = cProfile.Profile()
        profile.enable()
        function()
        profile.disable()
    def calls(profile):
        stats = pstats.Stats(profile).stats.items()
        return sorted((name, row[1]) for (_, _, name), row in stats if name in NAMES)
    NAMES = ("a", "b", "inner_a", "inner_b", "main")
"""

#: From 3.12 on `cProfile` profiles the whole interpreter, on plain Python too.
of_a_thread = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="cProfile is of all threads from 3.12 on"
)


@of_a_thread
def test_a_profile_is_of_its_thread_alone(model: str) -> None:
    code = (
        PROFILED
        + """
    found = {}
    ts = [threading.Thread(target=profiled, args=(f, found)) for f in (a, b)] + [threading.Thread(target=b)]
    for t in ts: t.start()
    for t in ts: t.join()
    print(calls(found["a"]), calls(found["b"]))
    """
    )
    assert out(code, model) == "[('a', 1), ('inner_a', 7)] [('b', 1), ('inner_b', 9)]\n"


@of_a_thread
def test_a_profile_of_main_goes_on_after_main_has_waited(model: str) -> None:
    code = (
        PROFILED
        + """
    def main():
        ts = [threading.Thread(target=a) for _ in range(3)]
        for t in ts: t.start()
        for t in ts: t.join()
        inner_b()
    found = {}
    profiled(main, found)
    print(calls(found["main"]))
    """
    )
    assert out(code, model) == "[('inner_b', 1), ('main', 1)]\n"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="cProfile is of one thread before 3.12")
def test_a_profile_is_of_all_threads(model: str) -> None:
    code = (
        PROFILED
        + """
    def main():
        ts = [threading.Thread(target=f) for f in (a, b)]
        for t in ts: t.start()
        for t in ts: t.join()
    found = {}
    profiled(main, found)
    print([name for name, _ in calls(found["main"])])
    """
    )
    assert out(code, model) == "['a', 'b', 'inner_a', 'inner_b', 'main']\n"


def test_faulthandler_has_a_stack_for_each_kernel_thread(model: str) -> None:
    code = """
        import faulthandler, sys, threading, time, weft
        lock = threading.Lock()
        def parked():
            with lock: pass
        def dumps():
            time.sleep(0.02)
            faulthandler.dump_traceback(file=sys.stdout, all_threads=True)
            sys.stdout.flush()
            weft.dump(sys.stdout)
        lock.acquire()
        ts = [threading.Thread(target=f) for f in (parked, dumps)]
        for t in ts: t.start()
        ts[1].join()
        lock.release()
    """
    stacks, ours = out(code, model).split(" threads\n")
    assert "in dumps" in stacks
    if model != "hybrid":  # a carrier without work waits on the stack of the thread that parked last there
        assert ("in parked" in stacks) == (model == "kernel")
    assert "in parked" in ours
