"""Trace and profile functions: each thread has its own, also where slices end; and cProfile."""

import sys

import pytest

from tests.life.programs import out
from tests.support import run_code


def test_a_trace_function_is_a_thread_s_own(model: str) -> None:
    code = """
        import sys, threading, time
        seen = {}
        def trace(frame, event, arg):
            if frame.f_code.co_filename == __file__:
                seen.setdefault(threading.current_thread().name, set()).add((event, frame.f_code.co_name))
            return trace
        def inner(): time.sleep(0.001)
        def traced():
            sys.settrace(trace)
            inner()
            time.sleep(0.005)
            inner()
            assert sys.gettrace() is trace
            sys.settrace(None)
        def free():
            for _ in range(20):
                inner()
                assert sys.gettrace() is None
        ts = [threading.Thread(target=f, name=f.__name__) for f in (free, traced, free)]
        for t in ts: t.start()
        for t in ts: t.join()
        print(sorted(seen), ("call", "inner") in seen["traced"], sys.gettrace())
    """
    assert out(code, model) == "['traced'] True None\n"


def test_threading_settrace_reaches_threads_to_come(model: str) -> None:
    code = """
        import sys, threading, time
        calls, profiled = set(), set()
        def trace(frame, event, arg):
            calls.add((threading.current_thread().name, frame.f_code.co_name))
        def profile(frame, event, arg):
            if event == "call": profiled.add((threading.current_thread().name, frame.f_code.co_name))
        def work(): time.sleep(0)
        threading.settrace(trace)
        threading.setprofile(profile)
        ts = [threading.Thread(target=work, name=f"t{n}") for n in range(2)]
        for t in ts: t.start()
        for t in ts: t.join()
        threading.settrace(None)
        threading.setprofile(None)
        t = threading.Thread(target=work, name="later"); t.start(); t.join()
        print(("t0", "work") in calls, ("t1", "work") in calls, ("t0", "work") in profiled,
              ("t1", "work") in profiled, any(n in ("MainThread", "later") for n, _ in calls | profiled))
    """
    assert out(code, model) == "True True True True False\n"


def test_weft_s_own_frames_are_not_traced(model: str) -> None:
    code = """
        import sys, threading, time, queue
        seen = set()
        def trace(frame, event, arg):
            seen.add(frame.f_code.co_filename)
            return trace
        def work():
            q = queue.Queue()
            q.put(1); q.get()
            with threading.Lock(), threading.RLock(): time.sleep(0)
        threading.settrace(trace)
        t = threading.Thread(target=work); t.start(); t.join()
        threading.settrace(None)
        print([name for name in seen if "/weft/" in name])
    """
    assert out(code, model) == "[]\n"


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


def test_calls_are_counted_in_the_thread_that_makes_them(model: str) -> None:
    code = """
        import threading, time
        calls = {}
        def hook(frame, event, arg):
            if event == "call":
                calls.setdefault(threading.current_thread().name, []).append(frame.f_code.co_name)
        def step(): return sum(range(100))
        def work():
            for _ in range(10):
                step()
                time.sleep(0.0001)
        threading.setprofile(hook)
        ts = [threading.Thread(target=work, name=f"worker {n}") for n in range(2)]
        for t in ts: t.start()
        for t in ts: t.join()
        threading.setprofile(None)
        print({name: (names.count("work"), names.count("step")) for name, names in sorted(calls.items())})
    """
    assert out(code, model) == "{'worker 0': (1, 10), 'worker 1': (1, 10)}\n"


PROFILED = """
    import cProfile, pstats, threading, time
    def leaf(): pass
    def inner_a():
        leaf()
        time.sleep(0.001)
    def inner_b():
        leaf()
        time.sleep(0.001)
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
    NAMES = ["leaf"]  # one that waits may be counted once more when it goes on
    print(calls(found["main"]))
    """
    )
    assert out(code, model) == "['a', 'b', 'inner_a', 'inner_b', 'main']\n[('leaf', 16)]\n"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="cProfile is of one thread before 3.12")
def test_a_second_profile_at_once_is_refused(model: str) -> None:
    code = (
        PROFILED
        + """
    found = {}
    def main():
        t = threading.Thread(target=profiled, args=(a, found))
        t.start()
        t.join()
    profiled(main, found)
    print([name for name, _ in calls(found["main"])])
    """
    )
    done = run_code(code, model=model).check()
    assert done.stdout == "['main']\n"
    assert done.stderr.count("ValueError: Another profiling tool is already active") == 1
