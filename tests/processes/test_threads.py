"""`Thread` and its kin where each is a process: what they answer, how they end, what comes back."""

import pytest

from tests.processes.programs import METHODS, complaints, printed


def test_a_thread_is_a_process_with_the_answers_of_a_thread() -> None:
    found = printed("""
        import os, threading
        go, said = threading.Event(), threading.Event()
        def work(n, *, power):
            me = threading.current_thread()
            print(n ** power, me.name, me.ident == os.getpid() == threading.get_ident(), me.daemon)
            print(threading.main_thread().name, me is not threading.main_thread(), me.is_alive())
            print(sorted(t.name for t in threading.enumerate()), threading.active_count(), flush=True)
            said.set()
            go.wait()
        thread = threading.Thread(target=work, args=(3,), kwargs={"power": 2})
        print(thread.name, thread.ident, thread.is_alive(), repr(thread), flush=True)
        thread.start()
        said.wait()
        print(thread.ident != os.getpid(), thread.native_id == thread.ident, thread.is_alive())
        print([t.name for t in threading.enumerate()], threading.current_thread() is threading.main_thread())
        thread.join(0.01)
        print(thread.is_alive(), flush=True)
        go.set()
        thread.join()
        print(thread.is_alive(), thread.exitcode, threading.active_count(), thread.name)
    """)
    child = [
        "9 Thread-1 (work) True False",
        "MainThread True True",
        "['MainThread', 'Thread-1 (work)'] 2",
    ]
    parent = [
        "Thread-1 (work) None False <Thread(Thread-1 (work), initial)>",
        "True True True",
        "['MainThread', 'Thread-1 (work)'] True",
        "True",
        "False 0 1 Thread-1 (work)",
    ]
    assert [line for line in found if line in child] == child
    assert [line for line in found if line not in child] == parent


def test_misuse_is_told_as_cpython_tells_it() -> None:
    assert printed("""
        import threading
        def told(call, *args):
            try: call(*args)
            except (RuntimeError, AssertionError, ValueError) as error: print(type(error).__name__, error)
        thread = threading.Thread(target=int)
        told(thread.join)
        thread.start()
        told(thread.start)
        told(setattr, thread, "daemon", True)
        told(threading.current_thread().join)
        class Bad(threading.Thread):
            def __init__(self): pass
        told(Bad().start)
        told(threading.Thread, 1)
        told(threading.Lock().release)
        told(threading.RLock().release)
        told(threading.Condition().wait)
        told(threading.Condition().notify)
        told(threading.Lock().acquire, False, 1)
        told(threading.Semaphore, -1)
        told(threading.BoundedSemaphore().release)
    """) == [
        "RuntimeError cannot join thread before it is started",
        "RuntimeError threads can only be started once",
        "RuntimeError cannot set daemon status of active thread",
        "RuntimeError cannot join current thread",
        "RuntimeError thread.__init__() not called",
        "AssertionError group argument must be None for now",
        "RuntimeError release unlocked lock",
        "RuntimeError cannot release un-acquired lock",
        "RuntimeError cannot wait on un-acquired lock",
        "RuntimeError cannot notify on un-acquired lock",
        "ValueError can't specify a timeout for a non-blocking call",
        "ValueError semaphore initial value must be >= 0",
        "ValueError Semaphore released too many times",
    ]


def test_an_exception_is_told_with_the_program_s_frames_alone_and_the_program_goes_on() -> None:
    lines = complaints("""
        import threading
        def work():
            raise ValueError("boom")
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert thread.exitcode == 1
    """)
    assert lines[:2] == ["Exception in thread Thread-1 (work):", "Traceback (most recent call last):"]
    assert lines[-1] == "ValueError: boom"
    assert sum(line.startswith("  File") for line in lines) == 1


def test_a_program_s_own_hook_is_asked_and_an_exit_is_silent() -> None:
    assert printed("""
        import sys, threading
        threading.excepthook = lambda args: print(args.exc_type.__name__, args.thread.name, flush=True)
        def boom():
            raise KeyError(1)
        for target in (boom, sys.exit, lambda: sys.exit(3)):
            thread = threading.Thread(target=target, name="worker")
            thread.start()
            thread.join()
            print(thread.exitcode, flush=True)
    """) == ["KeyError worker", "1", "0", "3"]


@pytest.mark.parametrize("method", METHODS)
def test_what_a_thread_sets_on_itself_comes_back_at_its_end(method: str) -> None:
    assert printed(
        """
        import threading
        class Counter(threading.Thread):
            def __init__(self, text):
                super().__init__(name="counter")
                self.text, self.found, self.seen = text, 0, []
            def run(self):
                self.found = sum(letter in "aeiou" for letter in self.text)
                self.seen.append(self.text[0])
        if __name__ == "__main__":
            counter = Counter("too many cooks")
            counter.start()
            counter.join()
            print(counter.found, counter.seen, counter.name, counter.is_alive())
        """,
        "--start-method",
        method,
    ) == ["5 ['t'] counter False"]


def test_what_cannot_come_back_is_told() -> None:
    (line,) = complaints("""
        import threading
        class Holder(threading.Thread):
            def run(self):
                self.file = open(__file__)
                self.number = 3
        holder = Holder()
        holder.start()
        holder.join()
        assert holder.number == 3 and not hasattr(holder, "file")
    """)
    assert line.startswith("weft: Thread-1 has set its attribute file, which cannot be brought back")


def test_any_process_may_wait_for_a_thread_and_a_thread_does_not_wait_for_those_it_starts() -> None:
    assert printed("""
        import queue, threading
        go, answers = threading.Event(), queue.Queue()
        def last():
            go.wait()
            print("the last one", flush=True)
        def middle():
            thread = threading.Thread(target=last, name="last")
            thread.start()
            answers.put(thread.name)
        def sibling():
            (thread,) = [t for t in threading.enumerate() if t.name == "last"]
            go.set()
            thread.join()
            print("the sibling", thread.is_alive(), flush=True)
        first = threading.Thread(target=middle)
        first.start()
        first.join()
        print(answers.get(), first.is_alive(), flush=True)
        second = threading.Thread(target=sibling)
        second.start()
        second.join()
        print(threading.active_count())
    """) == ["last False", "the last one", "the sibling False", "1"]


def test_locals_and_contexts_are_a_thread_s_own() -> None:
    assert printed("""
        import contextvars, threading
        class Own(threading.local):
            def __init__(self, value):
                self.value = value
        plain, own = threading.local(), Own([])
        variable = contextvars.ContextVar("variable", default=0)
        plain.x = 1
        own.value.append(1)
        variable.set(1)
        def work():
            print(hasattr(plain, "x"), len(own.value), variable.get(), flush=True)
            plain.x = 2
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        print(plain.x, own.value, variable.get())
    """) == ["False 1 0", "1 [1] 1"]


def test_a_timer_calls_once_and_a_cancelled_one_never() -> None:
    assert printed("""
        import threading
        timer = threading.Timer(0.02, print, ["called"], {"flush": True})
        timer.start()
        timer.join()
        never = threading.Timer(60, print, ["never"])
        never.start()
        never.cancel()
        never.join()
        print(never.finished.is_set())
    """) == ["called", "True"]


def test_the_low_level_module_starts_processes() -> None:
    assert printed("""
        import _thread, os
        done = _thread.allocate_lock()
        done.acquire()
        def work(n):
            print(n, os.getpid() == _thread.get_ident(), flush=True)
            done.release()
        ident = _thread.start_new_thread(work, (1,))
        done.acquire()
        print(ident != os.getpid())
    """) == ["1 True", "True"]
