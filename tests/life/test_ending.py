"""How programs end: status, order, daemons, exceptions; each as on the plain interpreter."""

import re
import sys
from functools import cache

import pytest

from tests.support import Finished, run_code

ENDINGS: dict[str, str] = {
    "falls off the end": "print('end')",
    "sys.exit()": "import sys; sys.exit()",
    "sys.exit(3)": "import sys; sys.exit(3)",
    "sys.exit('words')": "import sys; sys.exit('words')",
    "an exception": "def f():\n    raise ValueError('boom')\nf()",
    "SystemExit of its own": "class E(SystemExit): pass\nraise E(7)",
    "os._exit": "import os; os._exit(9)",
    "a thread that raises": """
        import threading
        def work(): raise ValueError('in a thread')
        t = threading.Thread(target=work, name='worker'); t.start(); t.join()
        print('goes on')
    """,
    "a thread that exits": """
        import sys, threading, _thread
        for function in (sys.exit, lambda: sys.exit(5), lambda: sys.exit('words'), _thread.exit):
            t = threading.Thread(target=function); t.start(); t.join()
        print('goes on')
    """,
    "threads are waited for": """
        import threading, time
        def work():
            time.sleep(0.02)
            print('worker')
        threading.Thread(target=work).start()
        print('main')
    """,
    "threads are waited for after an exception": """
        import threading, time, sys
        def work():
            time.sleep(0.02)
            print('worker')
        threading.Thread(target=work).start()
        raise ValueError('main')
    """,
    "a thread that starts another": """
        import threading, time
        def second():
            time.sleep(0.01); print('second')
        def first():
            time.sleep(0.01); threading.Thread(target=second).start(); print('first')
        threading.Thread(target=first).start()
    """,
    "the order at the end": """
        import atexit, threading, time
        atexit.register(print, 'atexit 1')
        atexit.register(print, 'atexit 2')
        threading._register_atexit(print, 'threading atexit')
        def work():
            time.sleep(0.02); print('worker')
        threading.Thread(target=work).start()
        print('main')
    """,
    "atexit uses locks": """
        import atexit, threading, queue
        def last():
            with threading.Lock(), threading.RLock():
                q = queue.Queue(); q.put(1); print(q.get(), threading.current_thread().name)
        atexit.register(last)
    """,
    "an atexit that raises": "import atexit; atexit.register(lambda: 1 / 0); print('main')",
    "daemons are left where they stand": """
        import threading, time
        def work():
            try:
                time.sleep(60)
            finally:
                print('unwound')
        ready = threading.Event()
        def spin():
            ready.set()
            while True: pass
        for target in (work, threading.Event().wait, threading.Lock().acquire, spin):
            threading.Thread(target=target, daemon=True).start()
        ready.wait()
        print('main')
    """,
    "a daemon of a daemon": """
        import threading, time
        done = threading.Event()
        def inner(): print(threading.current_thread().daemon); done.set(); time.sleep(60)
        threading.Thread(target=lambda: threading.Thread(target=inner).start(), daemon=True).start()
        done.wait()
    """,
    "a pool is waited for": """
        from concurrent.futures import ThreadPoolExecutor
        import threading, time
        pool, said = ThreadPoolExecutor(2), threading.Event()
        pool.submit(lambda: (said.wait(), time.sleep(0.02), print('task')))
        print('main')
        said.set()
    """,
    "excepthook of its own": """
        import threading, sys
        threading.excepthook = lambda args: print('hook', args.exc_type.__name__, args.thread.name)
        def work(): raise ValueError
        t = threading.Thread(target=work, name='w'); t.start(); t.join()
        sys.excepthook = lambda kind, value, traceback: print('main hook', kind.__name__)
        raise KeyError
    """,
    "an excepthook that fails": """
        import threading
        def bad(args): raise RuntimeError('bad hook')
        threading.excepthook = bad
        def work(): raise ValueError
        t = threading.Thread(target=work, name='w'); t.start(); t.join()
    """,
    "a low-level thread that raises": """
        import _thread, threading, sys
        seen = threading.Event()
        old = sys.unraisablehook
        def hook(args):
            print(args.exc_type.__name__, args.err_msg is None, type(args.object).__name__)
            old(args); seen.set()
        sys.unraisablehook = hook
        def work(): raise ValueError('low level')
        _thread.start_new_thread(work, ())
        seen.wait(10)
    """,
    "a low-level thread that exits": """
        import _thread, time
        _thread.start_new_thread(_thread.exit, ())
        time.sleep(0.02); print('main')
    """,
    "low-level threads are daemons": """
        import _thread, time
        _thread.start_new_thread(time.sleep, (60,))
        print('main')
    """,
    "the main thread ends while another waits for it": """
        import threading
        def work():
            threading.main_thread().join()
            print('joined', threading.main_thread().is_alive())
        threading.Thread(target=work).start()
        print('main')
    """,
    "a thread that is started at the end": """
        import atexit, threading
        def late():
            t = threading.Thread(target=print, args=('late',))
            try: t.start(); t.join()
            except RuntimeError as error: print(error)
        atexit.register(late)
    """,
    "an interrupt while threads are waited for": """
        import atexit, os, signal, threading, time
        atexit.register(print, 'atexit')
        def work():
            threading.main_thread().join(); time.sleep(0.1)  # until main waits for threads
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(60)
        threading.Thread(target=work).start()
        print('main')
    """,
    "a handler that raises while threads are waited for": """
        import atexit, os, signal, threading, time
        atexit.register(print, 'atexit')
        def handler(*_): raise OSError('from a handler')
        signal.signal(signal.SIGTERM, handler)
        def work():
            threading.main_thread().join(); time.sleep(0.1)  # until main waits for threads
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(60)
        threading.Thread(target=work).start()
        print('main')
    """,
    "a handler that exits while the threads of a program that failed are waited for": """
        import os, signal, sys, threading, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
        def work():
            threading.main_thread().join(); time.sleep(0.1)  # until main waits for threads
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(60)
        threading.Thread(target=work).start()
        raise ValueError('main')
    """,
    "what is told at the end fails": """
        import atexit, sys, threading
        atexit.register(print, 'atexit')
        sys.unraisablehook = lambda told: print('hook', told.exc_type, told.object is threading, told.err_msg)
        def bad(): raise RuntimeError('at the end')
        threading._register_atexit(bad)
    """,
    "finalizers at the end": """
        import threading
        class Last:
            def __init__(self): self.lock = threading.Lock()
            def __del__(self):
                with self.lock: print('finalized')
        last = Last()
    """,
}


def masked(text: str) -> str:
    """Without addresses, folders, and the frames of what begins a thread or waits for its end."""
    text = re.sub(r"0x[0-9a-f]+", "0x..", text)
    text = re.sub(r'File "[^"]*program\.py"', 'File "program.py"', text)
    text = re.sub(
        r'  File "[^"]*threading\.py", line \d+, in (?:_bootstrap_inner|run|_shutdown)\n(    .*\n)*', "", text
    )
    return re.sub(r"Traceback \(most recent call last\):\n(?! )", "", text)


@cache
def plain(code: str) -> Finished:
    return run_code(code, model=None)


@pytest.mark.parametrize("name", ENDINGS)
def test_a_program_ends_as_on_the_plain_interpreter(name: str, model: str) -> None:
    if name == "a thread that starts another" and sys.version_info[:2] == (3, 12):
        pytest.skip("3.12 refuses to start threads once the main one has ended; weft does not")
    expected, got = plain(ENDINGS[name]), run_code(ENDINGS[name], model=model)
    assert got.returncode == expected.returncode, got
    assert got.stdout == expected.stdout
    assert masked(got.stderr) == masked(expected.stderr)


def test_a_traceback_shows_no_frame_of_weft(model: str) -> None:
    code = """
        import queue, threading, _thread
        def work():
            raise ValueError("in a thread")
        t = threading.Thread(target=work); t.start(); t.join()
        _thread.start_new_thread(work, ())
        def f(): raise KeyError("in main")
        f()
    """
    done = run_code(code, model=model)
    assert "in a thread" in done.stderr
    assert "in main" in done.stderr
    assert "/weft/" not in done.stderr


def test_the_initializer_of_a_pool_that_fails_is_told_without_frames_of_weft(model: str) -> None:
    code = """
        from concurrent.futures import ThreadPoolExecutor
        def init(): raise OSError("first")
        with ThreadPoolExecutor(1, initializer=init) as pool:
            print(type(pool.submit(print).exception()).__name__)
    """
    done = run_code(code, model=model).check()
    assert done.stdout == "BrokenThreadPool\n"
    assert done.stderr.startswith("Exception in initializer:\nTraceback (most recent call last):\n")
    assert "in init\n" in done.stderr
    assert "/weft/" not in done.stderr


WAITS = {
    "a lock": "lock.acquire()",
    "a lock, by with": "with lock: pass",
    "an event": "threading.Event().wait()",
    "a condition with a time": "with condition: condition.wait(50)",
    "a queue": "queue.Queue().get()",
    "a thread": "thread.join()",
    "a future": "futures.Future().result()",
    "a sleep": "time.sleep(50)",
    "a socket": "here.recv(1)",
    "a select": "select.select([here], [], [])",
    "a loop": "while True: pass",
}


@pytest.mark.parametrize("what", WAITS)
def test_the_traceback_of_an_interrupt_shows_what_the_program_was_doing(what: str, model: str) -> None:
    code = f"""
        import os, queue, select, signal, socket, threading, time
        from concurrent import futures
        here, there = socket.socketpair()
        lock = threading.Lock()
        lock.acquire()
        condition = threading.Condition()
        def interrupt():
            time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(50)
        thread = threading.Thread(target=interrupt, daemon=True)
        thread.start()
        def wait():
            {WAITS[what]}
        wait()
    """
    own = re.compile(r'  File "[^"]*(?:program\.py).*\n(?:    .*\n)*')
    expected, got = plain(code), run_code(code, model=model)
    assert (got.returncode, got.stdout) == (expected.returncode, expected.stdout) == (-2, "")
    assert re.sub(r'"/.*/', '"', "".join(own.findall(got.stderr))) == re.sub(
        r'"/.*/', '"', "".join(own.findall(expected.stderr))
    )
    assert "/weft/" not in got.stderr
    assert got.stderr.splitlines()[-1] == "KeyboardInterrupt"


FAULTS = {
    "a call that is refused": ("threading.Lock().release()", False),
    "a local without the attribute": ("threading.local().there", False),
    "an empty queue, then another": ("get_twice()", False),
    "a broken invariant": ("raise_internal()", True),
    "weft at fault": ("locks.Lock.acquire(object())", True),
}


@pytest.mark.parametrize("what", FAULTS)
def test_only_what_is_weft_s_own_fault_shows_frames_of_weft(what: str, model: str) -> None:
    """In the main thread, in one of `threading` and in one of `_thread`; what led to an error is no other."""
    statement, shown = FAULTS[what]
    code = f"""
        import _thread, queue, threading
        from weft.errors import InternalError
        from weft.stdlib import locks
        def get_twice():
            try:
                queue.Queue().get_nowait()
            except queue.Empty:
                threading.Semaphore().acquire(timeout=-2, blocking=False)
        def raise_internal():
            try:
                threading.Lock().release()
            except RuntimeError as error:
                kept = InternalError("broken").with_traceback(error.__traceback__)
            raise kept
        def work():
            {statement}
        thread = threading.Thread(target=work); thread.start(); thread.join()
        done = threading.Event()
        import sys
        hook = sys.unraisablehook
        def tell(told): hook(told); done.set()
        sys.unraisablehook = tell
        _thread.start_new_thread(work, ())
        done.wait(30)
        work()
    """
    done = run_code(code, model=model)
    assert done.returncode == 1
    assert done.stderr.count("in work") == 3
    assert ("/weft/" in done.stderr) == shown, done.stderr


def test_importing_threading_late_changes_nothing(model: str) -> None:
    code = """
        import sys
        assert "threading" not in sys.modules
        print("threading" in sys.modules)
    """
    assert run_code(code, model=model).check().stdout == "False\n"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="threads at the end are refused since 3.12")
def test_a_thread_started_while_the_interpreter_ends_is_refused_or_runs(model: str) -> None:
    code = """
        import threading
        class Late:
            def __del__(self, Thread=threading.Thread):
                try: Thread(target=print, args=("late",)).start()
                except RuntimeError: pass
        late = Late()
    """
    assert run_code(code, model=model).returncode == 0


def test_what_modules_keep_of_a_runtime_that_is_gone_works_on() -> None:
    """`weft.run` has returned: sockets and locks of the program serve kernel threads from here on."""
    code = """
    import weft

    def serve():
        import socket, threading
        here, there = socket.socketpair()
        thread = threading.Thread(target=lambda: there.sendall(there.recv(10).upper()))
        thread.start()
        here.sendall(b"on weft")
        print(here.recv(10))
        thread.join()
        return here, there, threading.Lock()

    here, there, lock = weft.run(serve, model="user")
    import socket, threading, time

    def answer(sock):
        with lock:
            sock.sendall(sock.recv(10).upper())

    for one, other in ((here, there), socket.socketpair()):
        thread = threading.Thread(target=answer, args=(other,))
        lock.acquire()
        thread.start()
        one.sendall(b"after")
        time.sleep(0.01)  # so that the thread waits for the lock
        lock.release()
        print(one.recv(10))
        thread.join()
        one.close()
        other.close()
    """
    done = run_code(code, model=None)
    assert (done.stdout, done.stderr) == ("b'ON WEFT'\nb'AFTER'\nb'AFTER'\n", "")
