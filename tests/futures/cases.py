"""What every kind of pool does, as one body: `python -m tests.futures.cases KIND [CASE ...]`.

Prints a line of JSON for each case. What a call needs from outside it gets by way of files, so that the same
calls can be made by threads, processes and the workers of a cluster.
"""

import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from weft import futures
from weft.futures import executor

LONG = 30.0  # seconds: a call that waits this long has failed
KIND = sys.argv[1] if __name__ == "__main__" else ""
APART = ("process", "cluster")  # kinds whose workers share no memory with the program


@cache
def cluster():
    """One cluster of one worker for all cases that do not ask for their own."""
    return executor("cluster", max_workers=1)


@contextmanager
def a_pool(**options):
    """A pool of the kind with one worker, shut down at the end."""
    if KIND == "cluster":
        options["address"] = cluster()._link.client.scheduler.address
    else:
        options.setdefault("max_workers", 1)
    with executor(KIND, **options) as pool:
        yield pool


@contextmanager
def a_gate():
    """A path that calls wait for, and that is opened at the end."""
    with tempfile.TemporaryDirectory() as folder:
        gate = Path(folder, "gate")
        try:
            yield gate
        finally:
            gate.touch()
            time.sleep(0.05)  # whoever waits looks every 10 ms


def pass_gate(gate, value=None):
    Path(f"{gate}.reached").touch()
    limit = time.monotonic() + LONG
    while not gate.exists() and time.monotonic() < limit and gate.parent.exists():
        time.sleep(0.01)
    return value


def reached(gate):
    limit = time.monotonic() + LONG
    while not Path(f"{gate}.reached").exists():
        assert time.monotonic() < limit
        time.sleep(0.01)


def known_to_run(future):
    """Wait until a call that has begun is known to; a cluster tells of that a little later."""
    limit = time.monotonic() + LONG
    while not future.running():
        assert time.monotonic() < limit
        time.sleep(0.001)


def square(n, plus=0):
    return n * n + plus


def fail(text):
    raise ValueError(text)


def die():
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(LONG)


def remember(value):
    os.environ["WEFT_TEST_REMEMBERED"] = value


def recall():
    return os.environ.get("WEFT_TEST_REMEMBERED")


def with_a_pool_of_its_own(n):
    with executor("thread", max_workers=1) as inner:
        return inner.submit(square, n).result(LONG)


class Stubborn(Exception):
    """An exception that cannot be unpickled."""

    def __init__(self, first, second):
        super().__init__(first)
        self.second = second


def fail_stubbornly():
    raise Stubborn(1, 2)


def raises(kind, call, *args, **kwargs):
    """The exception of that kind which a call raises."""
    try:
        value = call(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}, but {value!r}")


# -- the cases ---------------------------------------------------------------------------------------------


def case_what_it_gives_are_futures_of_concurrent_futures():
    from concurrent.futures import Executor, Future

    with a_pool() as pool:
        future = pool.submit(square, 3)
        assert isinstance(pool, Executor)
        assert isinstance(future, Future)
        assert future.result(LONG) == 9
        assert future.done()
        assert not future.running()
        assert future.exception() is None
        assert not future.cancelled()


def case_names_of_the_standard_library_are_the_program_s_own():
    import concurrent.futures

    for name in futures._THEIRS:
        assert getattr(futures, name) is getattr(concurrent.futures, name), name


def case_arguments_by_name_get_there():
    with a_pool() as pool:
        assert pool.submit(square, n=4, plus=1).result(LONG) == 17


def case_map_keeps_the_order():
    with a_pool() as pool:
        assert list(pool.map(square, range(30))) == [n * n for n in range(30)]
        assert list(pool.map(square, range(10), range(7), chunksize=3)) == [n * n + n for n in range(7)]
        assert list(pool.map(square, [])) == []


def case_map_with_a_timeout_gives_up():
    with a_pool() as pool, a_gate() as gate:
        results = pool.map(pass_gate, [gate], timeout=0.2)
        raises(TimeoutError, next, results)


def case_what_is_raised_comes_with_where_it_was():
    with a_pool() as pool:
        error = raises(ValueError, pool.submit(fail, "no luck").result, LONG)
        assert str(error) == "no luck"
        told = "".join(traceback.format_exception(error))
        assert "in fail" in told
        assert "raise ValueError(text)" in told
        if KIND in APART:
            assert "in fail" in str(error.__cause__)
        assert pool.submit(square, 2).result(LONG) == 4
        error = raises(ValueError, list, pool.map(fail, ["first", "second"]))
        assert str(error) == "first"


def case_waiting_with_a_timeout_gives_up():
    with a_pool() as pool, a_gate() as gate:
        future = pool.submit(pass_gate, gate, "through")
        raises(TimeoutError, future.result, timeout=0.05)
        raises(TimeoutError, future.exception, timeout=0.05)
        gate.touch()
        assert future.result(LONG) == "through"


def case_what_has_not_begun_can_be_cancelled():
    with a_pool() as pool, a_gate() as gate:
        running = pool.submit(pass_gate, gate)
        later = [pool.submit(square, n) for n in range(8)]
        reached(gate)
        known_to_run(running)
        assert not running.cancel()
        assert later[-1].cancel()
        assert later[-1].cancelled()
        assert later[-1].done()
        raises(futures.CancelledError, later[-1].result)
        seen = []
        later[-1].add_done_callback(seen.append)
        assert seen == [later[-1]]
        gate.touch()
        assert [f.result(LONG) for f in later[:-1]] == [n * n for n in range(7)]
        assert later[-1] in futures.wait(later, LONG).done


def case_callbacks_are_called_once_with_the_future():
    logging.getLogger("concurrent.futures").disabled = True  # the callback that fails is told there
    with a_pool() as pool, a_gate() as gate:
        seen, over = [], threading.Event()
        future = pool.submit(pass_gate, gate, 5)
        future.add_done_callback(lambda f: seen.append(("first", f.result())))
        future.add_done_callback(lambda f: fail("in a callback"))
        future.add_done_callback(lambda f: (seen.append(("last", f is future)), over.set()))
        gate.touch()
        assert over.wait(LONG)
        assert seen == [("first", 5), ("last", True)]
        again = threading.Event()
        future.add_done_callback(lambda f: again.set())
        assert again.is_set()


def case_a_callback_may_submit_and_wait():
    with a_pool(**({} if KIND == "cluster" else {"max_workers": 2})) as pool:
        seen, over = [], threading.Event()

        def more(future):
            inner = pool.submit(square, future.result() + 1)
            inner.add_done_callback(lambda f: (seen.append(f.result()), over.set()))

        pool.submit(square, 2).add_done_callback(more)
        assert over.wait(LONG)
        assert seen == [25]


def case_shutdown_waits_for_what_was_taken():
    with a_gate() as gate, a_pool() as pool:
        held = [pool.submit(pass_gate, gate, n) for n in range(3)]
        timer = threading.Timer(0.1, gate.touch)
        timer.start()
        pool.shutdown(wait=True)
        assert [f.done() for f in held] == [True] * 3
        assert [f.result() for f in held] == [0, 1, 2]
        assert "after shutdown" in str(raises(RuntimeError, pool.submit, square, 1))
        pool.shutdown()  # a second time does nothing
        timer.join()


def case_shutdown_need_not_wait():
    with a_gate() as gate, a_pool() as pool:
        held = [pool.submit(pass_gate, gate, n) for n in range(3)]
        begun = time.monotonic()
        pool.shutdown(wait=False)
        assert time.monotonic() - begun < 2
        assert not held[-1].done()
        raises(RuntimeError, pool.submit, square, 1)
        gate.touch()
        assert [f.result(LONG) for f in held] == [0, 1, 2]


def case_shutdown_can_cancel_what_has_not_begun():
    with a_gate() as gate, a_pool() as pool:
        first = pool.submit(pass_gate, gate, "made")
        later = [pool.submit(square, n) for n in range(8)]
        reached(gate)
        known_to_run(first)
        pool.shutdown(wait=False, cancel_futures=True)
        gate.touch()
        assert first.result(LONG) == "made"
        assert later[-1].cancelled()
        assert all(f.cancelled() or f.result(LONG) == n * n for n, f in enumerate(later))
        pool.shutdown()


def case_wait_and_as_completed_work_on_them():
    with a_pool(**({} if KIND == "cluster" else {"max_workers": 2})) as pool, a_gate() as gate:
        quick = pool.submit(square, 3)
        assert futures.wait([quick], LONG).done == {quick}
        held = pool.submit(pass_gate, gate, 1)
        done, not_done = futures.wait([quick, held], LONG, return_when=futures.FIRST_COMPLETED)
        assert done == {quick}
        assert not_done == {held}
        gate.touch()
        assert {f.result() for f in futures.as_completed([quick, held], LONG)} == {9, 1}
        bad = pool.submit(fail, "x")
        assert bad in futures.wait([bad], LONG, return_when=futures.FIRST_EXCEPTION).done


def case_the_initializer_is_called_first():
    with a_pool(initializer=remember, initargs=("this",)) as pool:
        assert pool.submit(recall).result(LONG) == "this"


def case_a_failing_initializer_breaks_the_pool():
    logging.getLogger("concurrent.futures").disabled = True
    with a_pool(initializer=fail, initargs=("no",)) as pool:
        raises(futures.BrokenExecutor, lambda: pool.submit(square, 1).result(LONG))
        raises(futures.BrokenExecutor, pool.submit, square, 1)


def case_bad_arguments_are_refused():
    raises(ValueError, executor, KIND, max_workers=0)
    raises(ValueError, executor, KIND, max_workers=-1)
    raises(TypeError, executor, KIND, max_workers=1, initializer=5)
    with a_pool() as pool:
        raises(TypeError, lambda: pool.submit(5, 6).result(LONG))
        raises(TypeError, pool.submit)


def case_calls_may_have_pools():
    with a_pool(**({} if KIND == "cluster" else {"max_workers": 2})) as pool:
        assert pool.submit(with_a_pool_of_its_own, 5).result(LONG) == 25
        if KIND in APART:
            error = raises(TypeError, pool.submit(str, pool).result, LONG)
            assert "cannot be sent to its workers" in str(error)
        else:
            nested = pool.submit(lambda: pool.submit(square, 6).result(LONG))
            assert nested.result(LONG) == 36


def case_many_calls_get_their_own_results():
    with a_pool(**({} if KIND == "cluster" else {"max_workers": 2})) as pool:
        held = [pool.submit(square, n) for n in range(200)]
        assert [f.result(LONG) for f in held] == [n * n for n in range(200)]


def case_an_exception_that_cannot_be_sent_is_told():
    with a_pool() as pool:
        error = pool.submit(fail_stubbornly).exception(LONG)
        if KIND == "cluster":
            assert "Stubborn" in str(error)
            assert "fail_stubbornly" in str(error.__cause__)
        elif KIND == "process":
            assert isinstance(error, futures.WorkerDied)
            assert "cannot be unpickled" in str(error)
            assert "Stubborn" in str(error.__cause__) or "missing 1 required" in str(error.__cause__)
        else:
            assert isinstance(error, Stubborn)
        assert pool.submit(square, 2).result(LONG) == 4


def case_a_killed_worker_is_told_and_replaced():
    if KIND not in APART:
        return
    with a_pool() as pool:
        assert pool.submit(square, 2).result(LONG) == 4
        killer = pool.submit(die)
        more = [pool.submit(square, n) for n in range(30)]
        error = killer.exception(LONG)
        assert isinstance(error, futures.WorkerDied)
        assert isinstance(error, futures.BrokenExecutor)
        assert ("killed by signal 9 (SIGKILL)" if KIND == "process" else "tcp://127.0.0.1:") in str(error)
        assert "submit" in str(error) or KIND == "cluster"
        outcomes = [f.exception(LONG) for f in more]
        assert all(e is None or isinstance(e, futures.WorkerDied) for e in outcomes)
        assert sum(e is None for e in outcomes) >= 20, outcomes  # not handed out: made by the next worker
        assert pool.submit(square, 7).result(LONG) == 49


def case_workers_killed_while_they_idle_are_replaced():
    if KIND not in APART:
        return
    with a_pool() as pool:
        os.kill(pool.submit(os.getpid).result(LONG), signal.SIGKILL)
        limit = time.monotonic() + LONG
        while True:
            try:
                assert pool.submit(square, 7).result(LONG) == 49
                return
            except futures.WorkerDied:  # it was sent before anybody had noticed
                assert time.monotonic() < limit


def main():
    named = sys.argv[2:]
    for name, case in list(globals().items()):
        if not name.startswith("case_") or (named and name not in named):
            continue
        logging.getLogger("concurrent.futures").disabled = False
        begun = time.perf_counter()
        why = ""
        try:
            case()
        except BaseException:
            why = traceback.format_exc()
        seconds = round(time.perf_counter() - begun, 3)
        print(json.dumps({"case": name, "why": why, "seconds": seconds}), flush=True)
    if KIND == "cluster":
        cluster().shutdown()


if __name__ == "__main__":
    main()
