"""What looks at threads from outside: tracers, profilers, debuggers, asynchronous exceptions, imports."""

from pathlib import Path

import pytest

from tests.support import run_code, run_weft


def out(code: str, model: str, *options: str, input: str | None = None) -> str:
    return run_code(code, model=model, options=options, input=input).output()


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


def test_an_exception_can_be_set_for_a_thread_that_runs(model: str) -> None:
    code = """
        import ctypes, threading, time
        class Stop(Exception): pass
        got, ready = [], threading.Event()
        def spin():
            try:
                ready.set()
                while True: pass
            except Stop:
                got.append("stopped")
        def work():
            try:
                while True: time.sleep(0.001)
            except Stop:
                got.append("stopped")
        set_exc = ctypes.pythonapi.PyThreadState_SetAsyncExc
        for target in (spin, work):
            ready.clear()
            t = threading.Thread(target=target, daemon=True); t.start()
            if target is spin: ready.wait()
            time.sleep(0.02)
            print(set_exc(ctypes.c_ulong(t.ident), ctypes.py_object(Stop)))
            t.join(5)
        print(got, set_exc(ctypes.c_ulong(12345), ctypes.py_object(Stop)))
    """
    assert out(code, model) == "1\n1\n['stopped', 'stopped'] 0\n"


def test_an_exception_that_was_set_comes_once_and_in_its_thread_alone(model: str) -> None:
    code = """
        import ctypes, threading, time
        class Stop(Exception): pass
        got, stop = [], False
        def spin(n):
            while not stop:
                try:
                    for _ in range(1000): pass
                except Stop:
                    got.append(n)
        ts = [threading.Thread(target=spin, args=(n,)) for n in range(3)]
        for t in ts: t.start()
        time.sleep(0.02)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ts[1].ident), ctypes.py_object(Stop))
        time.sleep(0.2)
        stop = True
        for t in ts: t.join()
        print(got)
    """
    assert out(code, model) == "[1]\n"


@pytest.mark.parametrize("slice", ["10ms", "200us"])
def test_imports_from_several_threads_are_whole_and_run_once(slice: str, model: str, tmp_path: Path) -> None:
    package = tmp_path / "slow"
    package.mkdir()
    body = "import sys, time\nsys.stdout.write(f'run {__name__}\\n')\n"
    (package / "__init__.py").write_text(
        body + "from . import a\ntime.sleep(0.02)\nfrom . import b\ndone = True\n"
    )
    (package / "a.py").write_text(
        body + "time.sleep(0.01)\nfrom slow import c\nx = sum(range(20000))\ndone = True\n"
    )
    (package / "b.py").write_text(
        body + "time.sleep(0.01)\nfrom slow import a, c\nassert a.done\ndone = True\n"
    )
    (package / "c.py").write_text(body + "time.sleep(0.01)\ndone = True\n")
    # Who imports a part before the package is in `sys.modules` holds the part's lock and waits for the
    # package's, whose importer wants the part. CPython's importlib calls that a deadlock: in one run of 20 on
    # plain Python with a switch interval of 10 µs, and on several carriers as well.
    first = "importlib.import_module('slow')" if model == "hybrid" else "pass"
    main = tmp_path / "main.py"
    main.write_text(
        "import importlib, threading\n"
        "bad = []\n"
        "def work(n):\n"
        "    name = ['slow', 'slow.a', 'slow.b', 'slow.c'][n % 4]\n"
        "    try:\n"
        f"        {first}\n"
        "        m = importlib.import_module(name)\n"
        "        if not getattr(m, 'done', False): bad.append((name, 'half'))\n"
        "        import json, decimal, email.message\n"
        "        email.message.Message, json.dumps, decimal.Decimal\n"
        "    except BaseException as error: bad.append((name, repr(error)))\n"
        "ts = [threading.Thread(target=work, args=(n,)) for n in range(12)]\n"
        "for t in ts: t.start()\n"
        "for t in ts: t.join()\n"
        "print(bad)\n"
    )
    done = run_weft("--model", model, str(main), env={"WEFT_SLICE": slice}).check()  # on kernel it is none
    lines = done.stdout.splitlines()
    assert sorted(lines[:-1]) == ["run slow", "run slow.a", "run slow.b", "run slow.c"]
    assert lines[-1] == "[]"


def test_a_circular_import_is_no_deadlock(model: str, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("import time; time.sleep(0.01)\nimport two\ndone = 1\n")
    (tmp_path / "two.py").write_text("import time; time.sleep(0.01)\nimport one\ndone = 1\n")
    (tmp_path / "main.py").write_text(
        "import importlib, threading\n"
        "ts = [threading.Thread(target=importlib.import_module, args=(n,)) for n in ('one', 'two')]\n"
        "for t in ts: t.start()\n"
        "for t in ts: t.join()\n"
        "import one, two; print(one.done, two.done)\n"
    )
    done = run_weft("--model", model, str(tmp_path / "main.py"), timeout=20).check()
    assert (done.stdout, done.stderr) == ("1 1\n", "")


def test_a_debugger_stops_in_a_thread(model: str) -> None:
    code = """
        import threading, time
        def work(n):
            secret = n * 21
            breakpoint()
            print("after", secret)
        t = threading.Thread(target=work, args=(2,), name="worker")
        t.start()
        t.join()
        print("end")
    """
    typed = "p secret\np __import__('threading').current_thread().name\nn\nc\n"
    printed = out(code, model, input=typed)
    assert "(Pdb) 42" in printed
    assert "'worker'" in printed
    assert "after 42" in printed
    assert printed.endswith("end\n")
    assert "/weft/" not in printed


def test_a_debugger_steps_in_main_beside_other_threads(model: str) -> None:
    code = """
        import threading, time
        stop = False
        def spin():
            while not stop: time.sleep(0.0005)
        t = threading.Thread(target=spin)
        t.start()
        x = 1
        breakpoint()
        x += 1
        x += 1
        time.sleep(0.005)
        stop = True
        t.join()
        print("end", x)
    """
    printed = out(code, model, input="n\nn\np x\nn\nn\np x\nc\n")
    assert "spin" not in printed.replace("def spin", "")
    assert printed.endswith("end 3\n")
    assert "/weft/" not in printed


def test_faulthandler_prints_the_thread_that_runs(model: str) -> None:
    code = """
        import faulthandler, sys, threading
        faulthandler.enable()
        def work():
            faulthandler.dump_traceback(file=sys.stdout, all_threads=True)
        t = threading.Thread(target=work)
        t.start()
        t.join()
    """
    printed = out(code, model)
    assert "in work" in printed
    assert "(most recent call first)" in printed


def test_current_frames_has_every_thread(model: str) -> None:
    code = """
        import sys, threading, time
        go = threading.Event()
        def work(): go.wait()
        t = threading.Thread(target=work); t.start()
        time.sleep(0.01)
        def stack(frame):
            names = []
            while frame is not None:
                names.append(frame.f_code.co_name)
                frame = frame.f_back
            return names
        frames = sys._current_frames()
        print("work" in stack(frames[t.ident]), frames[threading.get_ident()] is sys._getframe())
        go.set()
        t.join()
    """
    assert out(code, model) == "True True\n"


def test_current_frames_has_no_thread_of_ours(model: str) -> None:
    code = """
        import os, sys, threading, time, weft
        with weft.trace("trace.html"):
            print(sys._current_frames().keys() == {threading.get_ident()})
            pid = os.fork()
            if pid == 0:
                deadline = time.monotonic() + 0.2
                while len(sys._current_frames()) == 1 and time.monotonic() < deadline: pass
                os._exit(50 + len(sys._current_frames()))
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
    assert out(code, model) == "True\n51\n"


def test_a_dump_names_each_thread_with_its_wait(model: str) -> None:
    code = """
        import io, threading, time, weft
        lock = threading.Lock()
        def want():
            with lock: pass
        lock.acquire()
        t = threading.Thread(target=want, name="want"); t.start()
        time.sleep(0.02)
        file = io.StringIO()
        weft.dump(file)
        lock.release()
        t.join()
        text = file.getvalue()
        print(text.splitlines()[0], "'MainThread' (running)" in text, "in want" in text,
              "'want' (blocked) waits for a lock" in text, "held by 'MainThread' for 0." in text)
    """
    assert out(code, model) == "2 threads True True True True\n"


def test_logging_from_many_threads_is_whole(model: str) -> None:
    code = """
        import logging, sys, threading
        logging.basicConfig(stream=sys.stdout, format="%(threadName)s %(message)s", level=logging.INFO)
        def work(n):
            for i in range(20): logging.info("%d-%d", n, i)
        ts = [threading.Thread(target=work, args=(n,), name=f"t{n}") for n in range(5)]
        for t in ts: t.start()
        for t in ts: t.join()
    """
    assert sorted(out(code, model).splitlines()) == sorted(
        f"t{n} {n}-{i}" for n in range(5) for i in range(20)
    )
