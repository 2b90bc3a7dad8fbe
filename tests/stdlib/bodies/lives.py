"""Thread, Timer, local and ThreadPoolExecutor."""

import _thread
import contextvars
import functools
import gc
import sys
import threading
import time
import weakref
from concurrent.futures import FIRST_COMPLETED, CancelledError, ThreadPoolExecutor, as_completed, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

import weft
from tests.stdlib.seen import (
    LONG,
    SHORT,
    block_of,
    for_weft,
    in_thread,
    raises,
    running,
    start,
    until,
    until_waits,
)
from weft import State, WaitReason


def case_a_thread_lives_from_start_to_end() -> None:
    go = threading.Event()
    thread = threading.Thread(target=go.wait, name="one", args=(LONG,))
    assert (thread.is_alive(), thread.ident, thread.native_id, thread.daemon) == (False, None, None, False)
    assert repr(thread) == "<Thread(one, initial)>"
    thread.start()
    assert thread.is_alive()
    assert thread.ident is not None
    assert thread.native_id is not None
    assert repr(thread) == f"<Thread(one, started {thread.ident})>"
    assert thread in threading.enumerate()
    assert threading.active_count() == 2
    go.set()
    thread.join()
    assert not thread.is_alive()
    assert repr(thread) == f"<Thread(one, stopped {thread.ident})>"
    assert thread.join() is None  # type: ignore[func-returns-value]
    assert threading.enumerate() == [threading.main_thread()]


def case_a_thread_gets_its_arguments_and_names_itself() -> None:
    got: list[Any] = []

    def take(*args: Any, **kwargs: Any) -> None:
        got.append((args, kwargs, threading.current_thread().name))

    thread = threading.Thread(target=take, args=[1, 2], kwargs={"a": 3})
    assert thread.name.endswith("(take)")
    thread.start()
    thread.join()
    assert got == [((1, 2), {"a": 3}, thread.name)]
    thread = threading.Thread(target=functools.partial(take), name=7)  # type: ignore[arg-type]
    assert thread.name == "7"
    thread.name = "seven"
    thread.start()
    thread.join()
    assert got[-1] == ((), {}, "seven")


def case_a_thread_that_has_a_run_of_its_own_is_run() -> None:
    class Worker(threading.Thread):
        def __init__(self) -> None:
            super().__init__(daemon=True)
            self.result = 0

        def run(self) -> None:
            self.result = 42

    worker = Worker()
    worker.start()
    worker.join()
    assert (worker.result, worker.daemon) == (42, True)


def case_misuse_is_told_as_cpython_tells_it() -> None:
    thread = threading.Thread(target=lambda: None)
    with raises(RuntimeError, "cannot join thread before it is started"):
        thread.join()
    thread.start()
    with raises(RuntimeError, "threads can only be started once"):
        thread.start()
    thread.join()
    with raises(RuntimeError, "threads can only be started once"):
        thread.start()
    with raises(RuntimeError, "cannot join current thread"):
        threading.current_thread().join()
    with raises(RuntimeError, "cannot join current thread"):
        in_thread(lambda: threading.current_thread().join())
    with raises(RuntimeError, "cannot set daemon status of active thread"):
        in_thread(lambda: setattr(threading.current_thread(), "daemon", True))
    with raises(AssertionError, "group argument must be None for now"):
        threading.Thread(group=1)  # type: ignore[arg-type]

    class Unmade(threading.Thread):
        def __init__(self) -> None:
            pass

    with raises(RuntimeError, "thread.__init__() not called"):
        Unmade().start()
    with raises(RuntimeError, "Thread.__init__() not called"):
        Unmade().join()


def case_daemons_are_inherited() -> None:
    def child() -> bool:
        return threading.Thread(target=print).daemon

    assert in_thread(child) is False
    got: list[bool] = []
    thread = threading.Thread(target=lambda: got.append(child()), daemon=True)
    thread.start()
    thread.join()
    assert got == [True]


def case_a_join_can_give_up() -> None:
    go = threading.Event()
    with running(go.wait) as [thread]:
        begun = time.monotonic()
        thread.join(0.03)
        assert 0.03 <= time.monotonic() - begun < 1
        thread.join(0)
        thread.join(-1)
        assert thread.is_alive()
        go.set()


def case_many_can_join_one() -> None:
    go, ended = threading.Event(), list[int]()
    target = start(go.wait)
    with running(*[lambda: (target.join(), ended.append(1))] * 5) as joiners:
        until_waits(*joiners)
        go.set()
    assert ended == [1] * 5


@for_weft
def case_a_join_waits_for_the_thread_that_ends_it() -> None:
    go = threading.Event()
    target = start(go.wait, name="target")
    with running(target.join) as [joiner]:
        wait = until_waits(joiner, reason=WaitReason.JOIN)
        assert wait is not None
        assert (wait.on, wait.holder) == (block_of(target), block_of(target))
        go.set()


@for_weft
def case_the_list_of_threads_has_each_live_one_and_main_first() -> None:
    go = threading.Event()
    with running(*[go.wait] * 3) as threads:
        until_waits(*threads)
        blocks = weft.threads()
        assert blocks[0].ident == threading.main_thread().ident
        assert blocks[0].state is State.RUNNING
        assert {block.ident for block in blocks[1:]} == {thread.ident for thread in threads}
        assert {block.name for block in blocks[1:]} == {thread.name for thread in threads}
        assert all(block.state is State.BLOCKED for block in blocks[1:])
        assert weft.current() is blocks[0]
        kept = blocks[1]
        go.set()
    until(lambda: kept.state is State.DONE)
    assert kept.wait is None


@for_weft
def case_a_started_thread_is_ready_until_it_runs() -> None:
    states: list[State] = []
    thread = start(lambda: states.append(weft.current().state))
    block = block_of(thread) if thread.is_alive() else None
    assert block is None or block.state in (State.READY, State.RUNNING, State.BLOCKED, State.DONE)
    thread.join()
    assert states == [State.RUNNING]


def case_an_exception_goes_to_the_hook() -> None:
    seen: list[Any] = []
    old = threading.excepthook
    threading.excepthook = lambda args: seen.append(
        (args.exc_type, str(args.exc_value), args.exc_traceback is not None, args.thread)
    )
    try:
        thread = start(lambda: 1 / 0)
        thread.join()
        assert seen == [(ZeroDivisionError, "division by zero", True, thread)]
        thread = start(sys.exit)
        thread.join()
        assert [each[0] for each in seen] in ([ZeroDivisionError], [ZeroDivisionError, SystemExit])
    finally:
        threading.excepthook = old


def case_the_low_level_module_works() -> None:
    done, got = threading.Event(), list[Any]()

    def work(*args: Any, **kwargs: Any) -> None:
        got.append((_thread.get_ident(), args, kwargs))
        done.set()

    ident = _thread.start_new_thread(work, (1,), {"a": 2})
    assert done.wait(LONG)
    assert got == [(ident, (1,), {"a": 2})]
    until(lambda: _thread._count() == 0)
    with raises(TypeError, "first arg must be callable"):
        _thread.start_new_thread(1, ())  # type: ignore[arg-type]
    with raises(TypeError, "2nd arg must be a tuple"):
        _thread.start_new_thread(work, [])  # type: ignore[arg-type]
    with raises(TypeError, "optional 3rd arg must be a dictionary"):
        _thread.start_new_thread(work, (), 1)  # type: ignore[arg-type]
    with raises(SystemExit):
        _thread.exit()


def case_a_thread_that_is_not_of_threading_gets_a_dummy() -> None:
    done, names = threading.Event(), list[Any]()

    def work() -> None:
        thread = threading.current_thread()
        names.append((thread.name.startswith("Dummy-"), thread.daemon, thread.is_alive(), thread.ident))
        names.append(threading.current_thread() is thread)
        done.set()

    ident = _thread.start_new_thread(work, ())
    assert done.wait(LONG)
    assert names == [(True, True, True, ident), True]
    until(lambda: _thread._count() == 0)
    threading._active.pop(ident, None)  # type: ignore[attr-defined]


def case_idents_differ_between_live_threads() -> None:
    go, idents = threading.Event(), list[int]()
    with running(*[lambda: (idents.append(threading.get_ident()), go.wait())] * 20):
        until(lambda: len(idents) == 20)
        assert len({*idents, threading.get_ident()}) == 21
        go.set()


def case_a_thread_lets_go_of_its_target() -> None:
    class Thing:
        def run(self) -> None:
            pass

    thing = Thing()
    gone = weakref.ref(thing)
    thread = start(thing.run)
    thread.join()
    del thing
    gc.collect()
    assert gone() is None
    gone_thread = weakref.ref(thread)
    del thread
    gc.collect()
    assert gone_thread() is None


def case_a_timer_calls_and_can_be_cancelled() -> None:
    called = threading.Event()
    timer = threading.Timer(SHORT, called.set)
    timer.start()
    assert called.wait(LONG)
    timer.join()
    never: list[int] = []
    timer = threading.Timer(LONG, never.append, [1])
    timer.start()
    until_waits(timer)
    timer.cancel()
    timer.join()
    assert never == []


def case_locals_are_local() -> None:
    mine = threading.local()
    mine.x = "main"
    seen: list[Any] = []

    def look() -> None:
        seen.append(getattr(mine, "x", None))
        mine.x = "thread"
        seen.append((mine.x, mine.__dict__))
        del mine.x
        with raises(AttributeError):
            _ = mine.x

    in_thread(look)
    assert seen == [None, ("thread", {})]
    assert mine.x == "main"
    assert mine.__dict__ == {"x": "main"}


def case_locals_with_arguments_are_made_in_each_thread() -> None:
    class Mine(threading.local):
        kind = "shared"

        def __init__(self, start_at: int) -> None:
            self.count = start_at

        @property
        def double(self) -> int:
            return self.count * 2

    mine = Mine(5)
    mine.count += 1
    assert in_thread(lambda: (mine.count, mine.double, mine.kind)) == (5, 10, "shared")
    assert mine.count == 6
    with raises(TypeError, "Initialization arguments are not supported"):
        threading.local(1)
    with raises(AttributeError):
        mine.__dict__ = {}


def case_a_local_is_no_iterator_unless_its_class_says_so() -> None:
    with raises(TypeError):
        iter(threading.local())

    class Below:
        def __iter__(self) -> Any:
            return self

        def __next__(self) -> str:
            return "mixed in"

    class Mixed(threading.local, Below):
        pass

    class Own(threading.local):
        def __next__(self) -> str:
            return "own"

        @property
        def twice(self) -> Any:
            return self.x * 2

        @twice.setter
        def twice(self, value: Any) -> None:
            self.x = value // 2

    mixed, own = Mixed(), Own()
    mixed.x = own.x = 1
    own.twice = 6
    assert (next(mixed), next(iter(mixed)), next(own)) == ("mixed in", "mixed in", "own")
    assert in_thread(lambda: (hasattr(mixed, "x"), hasattr(own, "x"))) == (False, False)
    assert (mixed.x, own.x, own.twice) == (1, 3, 6)
    with raises(TypeError):
        iter(own)  # type: ignore[call-overload]


def case_locals_end_with_their_thread() -> None:
    class Thing:
        pass

    mine = threading.local()
    gone: list[Any] = []

    def keep() -> None:
        mine.thing = Thing()
        gone.append(weakref.ref(mine.thing))

    thread = start(keep)
    thread.join()
    gc.collect()
    assert gone[0]() is None


def case_a_finalizer_of_a_local_runs_in_its_thread() -> None:
    mine, seen = threading.local(), list[int]()

    class Thing:
        def __del__(self) -> None:
            seen.append(threading.get_ident())

    idents: list[int] = []

    def keep() -> None:
        idents.append(threading.get_ident())
        mine.thing = Thing()

    thread = start(keep)
    thread.join()
    until(lambda: seen)
    assert seen == idents


def case_a_context_is_a_thread_s_own() -> None:
    var: contextvars.ContextVar[str] = contextvars.ContextVar("var", default="unset")
    var.set("main")
    inherits = getattr(sys.flags, "thread_inherit_context", False)

    def look() -> str:
        before = var.get()
        var.set("thread")
        time.sleep(0)
        assert var.get() == "thread"
        return before

    for _ in range(3):
        assert in_thread(look) == ("main" if inherits else "unset")
    assert var.get() == "main"


def case_a_pool_runs_what_it_is_given() -> None:
    with ThreadPoolExecutor(4, thread_name_prefix="pool") as pool:
        assert pool.submit(pow, 2, 10).result(LONG) == 1024
        assert list(pool.map(lambda n: n * n, range(20))) == [n * n for n in range(20)]
        with raises(ZeroDivisionError, "division by zero"):
            pool.submit(lambda: 1 / 0).result(LONG)
        futures = [pool.submit(time.sleep, 0.001) for _ in range(5)]
        assert set(as_completed(futures)) == set(futures)
        assert all(thread.name.startswith("pool_") for thread in pool._threads)
    with raises(RuntimeError, "cannot schedule new futures after shutdown"):
        pool.submit(print)


def case_a_pool_waits_cancels_and_times_out() -> None:
    go = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(go.wait)
        queued = pool.submit(print)
        with raises(FutureTimeoutError):
            busy.result(SHORT)
        assert queued.cancel()
        with raises(CancelledError):
            queued.result()
        called: list[Any] = []
        busy.add_done_callback(called.append)
        go.set()
        done, left = wait([busy, queued], LONG, FIRST_COMPLETED)
        assert busy in done or busy in left
        assert busy.result(LONG) is True
    assert called == [busy]


def case_a_full_pool_takes_arguments_cancels_the_rest_and_lets_go() -> None:
    class Thing:
        pass

    thing, go = Thing(), threading.Event()
    gone = weakref.ref(thing)
    pool = ThreadPoolExecutor(1)
    busy = pool.submit(go.wait)
    until(lambda: pool._work_queue.qsize() == 0)
    named = pool.submit(dict, [("a", 1)], b=2)
    failed = pool.submit(int, "no number")
    held = pool.submit(lambda kept: None, thing)
    taken = pool.submit(pow, 2, exp=3)
    item = pool._work_queue.get_nowait()  # as a worker of the program's own does
    item.run(pool._create_worker_context()) if hasattr(pool, "_create_worker_context") else item.run()
    assert named.result(0) == {"a": 1, "b": 2}
    go.set()
    with raises(ValueError):
        failed.result(LONG)
    assert (busy.result(LONG), taken.result(LONG), held.result(LONG)) == (True, 8, None)
    del thing
    until(lambda: gone() is None)
    go.clear()
    busy = pool.submit(go.wait)
    until(lambda: pool._work_queue.qsize() == 0)
    waiting = [pool.submit(print, n) for n in range(3)]
    seen: list[Any] = []
    waiting[0].add_done_callback(seen.append)
    pool.shutdown(wait=False, cancel_futures=True)
    assert [future.cancelled() for future in waiting] == [True] * 3
    assert seen == waiting[:1]
    go.set()
    assert busy.result(LONG) is True
    pool.shutdown()


def case_a_pool_begins_its_workers_with_the_initializer() -> None:
    made: list[int] = []
    with ThreadPoolExecutor(2, initializer=made.append, initargs=(1,)) as pool:
        list(pool.map(str, range(10)))
    assert 1 <= len(made) <= 2


@for_weft
def case_who_waits_for_a_result_says_so() -> None:
    go = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(go.wait)

        def ask() -> None:
            future.result()

        with running(ask) as [thread]:
            record = until_waits(thread)
            assert record is not None
            assert record.reason in (WaitReason.FUTURE, WaitReason.CONDITION)
            assert record.place.startswith(f"{__file__}:")
            go.set()


def case_nested_threads_are_all_joined() -> None:
    def grow(depth: int) -> int:
        return 1 if depth == 0 else sum(in_thread(lambda: grow(depth - 1)) for _ in range(2))

    assert grow(5) == 32
