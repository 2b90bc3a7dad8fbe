"""Greenlets and kernel threads that the program makes itself, beside user threads."""

from textwrap import dedent

import pytest

from tests.models.programs import user
from tests.support import run_code


def test_a_greenlet_of_the_program_may_wait_in_a_thread() -> None:
    code = """
        import greenlet
        seen = []
        def work(n):
            def inner():
                time.sleep(0.001)
                seen.append((n, threading.current_thread().name, threading.get_ident()))
                return n
            g = greenlet.greenlet(inner)
            assert g.switch() == n and g.dead
            assert seen[-1][2] == threading.get_ident() or any(s[0] == n for s in seen)
        threads = [threading.Thread(target=work, args=(n,), name=f"t{n}") for n in range(5)]
        for t in threads: t.start()
        for t in threads: t.join()
        print(sorted((n, name) for n, name, _ in seen))
    """
    assert user(code) == "[(0, 't0'), (1, 't1'), (2, 't2'), (3, 't3'), (4, 't4')]\n"


@pytest.mark.xfail(
    strict=True, reason="a greenlet of the program's own has a block of its own (docs/limits.md)"
)
def test_a_greenlet_of_the_program_is_the_thread_it_runs_in() -> None:
    code = """
        import greenlet
        mine, rlock = threading.local(), threading.RLock()
        mine.x = 1
        def inner():
            got = rlock.acquire(timeout=0.05)
            return got, getattr(mine, "x", None), threading.current_thread().name, threading.get_ident()
        with rlock:
            got = greenlet.greenlet(inner).switch()
        print(got == (True, 1, "MainThread", threading.get_ident()) or got)
    """
    assert user(code) == "True\n"


FOREIGN = """
    import ctypes
    libc = ctypes.CDLL(None)
    CALL = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
    kept = []
    def by_pthread(function):
        made = CALL(lambda _: function() and None)
        kept.append(made)
        number = ctypes.c_ulong()
        assert libc.pthread_create(ctypes.byref(number), None, made, None) == 0
    def by_weft(function):
        from weft.host import threads
        threads.start(function)
    start = {how}
"""


@pytest.mark.parametrize("how", ["by_pthread", "by_weft"])
def test_a_foreign_kernel_thread_may_release_what_a_thread_waits_for(how: str) -> None:
    code = """
        lock, event, done = threading.Lock(), threading.Event(), []
        import queue
        items, simple, semaphore = queue.Queue(), queue.SimpleQueue(), threading.Semaphore(0)
        condition = threading.Condition()
        lock.acquire()
        def wait(call):
            call()
            done.append(1)
        def in_condition():
            with condition: condition.wait()
        calls = [lock.acquire, event.wait, items.get, simple.get, semaphore.acquire, in_condition]
        threads = [threading.Thread(target=wait, args=(call,)) for call in calls]
        for t in threads: t.start()
        def foreign():
            until(lambda: all(b.wait is not None for b in weft.threads()[1:]))
            lock.release(); event.set(); items.put(1); simple.put(1); semaphore.release()
            with condition: condition.notify()
        start(foreign)
        for t in threads: t.join()
        print(len(done))
    """
    assert user(dedent(FOREIGN.replace("{how}", how)) + dedent(code)) == "6\n"


@pytest.mark.parametrize("how", ["by_pthread", "by_weft"])
def test_a_foreign_kernel_thread_may_wait_for_what_a_thread_releases(how: str) -> None:
    code = """
        import queue
        lock, items, event, room = threading.Lock(), queue.Queue(), threading.Event(), queue.Queue(1)
        room.put(1)
        got, met = [], []
        lock.acquire()
        def foreign():
            met.append((threading.current_thread().name[:6], threading.get_ident() != main))
            got.append(lock.acquire(timeout=10)); lock.release()
            got.append(items.get()); got.append(items.get(timeout=10))
            room.put(2)
            got.append(lock.acquire(timeout=10) and event.wait(0.01))
            time.sleep(0.002)
            got.append("end")
        main = threading.get_ident()
        start(foreign)
        time.sleep(0.02)
        lock.release()
        time.sleep(0.01)
        items.put("a"); items.put("b")
        room.get()
        until(lambda: got and got[-1] == "end")
        print(got, met, room.get())
    """
    printed = user(dedent(FOREIGN.replace("{how}", how)) + dedent(code))
    assert printed == "[True, 'a', 'b', False, 'end'] [('Dummy-', True)] 2\n"


def test_a_foreign_kernel_thread_may_start_threads() -> None:
    code = """
        idents, done = [], threading.Event()
        def foreign():
            t = threading.Thread(target=lambda: idents.append(threading.get_native_id()))
            t.start()
            t.join()
            done.set()
        start(foreign)
        done.wait()
        print(idents == [threading.get_native_id()])
    """
    assert user(dedent(FOREIGN.replace("{how}", "by_weft")) + dedent(code)) == "True\n"


@pytest.mark.parametrize("how", ["by_pthread", "by_weft"])
def test_a_foreign_kernel_thread_may_poll(how: str, model: str) -> None:
    code = """
        import select, socket, threading, weft
        here, there = socket.socketpair()
        there.send(b"x")
        epoll, poll = select.epoll(), select.poll()
        for each in (epoll, poll): each.register(here, select.POLLIN)
        def looks():
            found = [select.select([here], [], [], 0), select.select([], [here], [], 0)]
            found = [found == [([here], [], []), ([], [here], [])]]
            return found + [each.poll(0) == [(here.fileno(), select.POLLIN)] for each in (poll, epoll)]
        seen, done = [], threading.Event()
        def foreign():
            try: seen.append(looks())
            except BaseException as error: seen.append(error)
            done.set()
        start(foreign)
        done.wait()
        print(looks(), seen, weft.offload(looks))
    """
    good = "[True, True, True]"
    program = dedent(FOREIGN.replace("{how}", how)) + dedent(code)
    assert run_code(program, model=model).output() == f"{good} [{good}] {good}\n"
