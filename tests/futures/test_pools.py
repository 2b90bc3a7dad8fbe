"""What is peculiar to each kind of pool: which threads make the calls, errors of set-up, imports, endings."""

import importlib.util
import re
import sys
import time

import pytest

from tests.support import MODELS
from tests.support.programs import run_child, run_code

WITHOUT = "Dask's distributed is not installed (pip install 'weft[cluster]')"
needs_cluster = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason=WITHOUT)


def test_importing_weft_imports_no_pool() -> None:
    names = "'weft.futures', 'concurrent.futures', 'threading', 'distributed'"
    code = f"import sys, weft\nprint([name for name in ({names}) if name in sys.modules])"
    assert run_child([sys.executable, "-c", code]).check().stdout == "[]\n"


def test_importing_the_pools_does_not_come_too_early() -> None:
    code = """
        import weft, weft.futures
        weft.install(model="user")
        with weft.futures.executor("user") as pool:
            print(pool.submit(pow, 2, 5).result())
    """
    assert run_code(code, model=None).check().stdout == "32\n"


def test_each_model_in_turn_has_its_own_pools() -> None:
    """After `uninstall`, `concurrent.futures` is imported afresh, and the pools are made over that."""
    code = """
        import weft
        def work():
            import concurrent.futures, concurrent.futures.thread, threading
            from weft.futures import executor, wait
            assert concurrent.futures.thread.threading is threading
            with executor("user", 2) as pool, concurrent.futures.ThreadPoolExecutor(2) as theirs:
                held = [pool.submit(pow, 2, 5), theirs.submit(pow, 2, 5)]
                assert all(isinstance(f, concurrent.futures.Future) for f in held)
                return sorted(f.result() for f in wait(held).done)
        for model in ("user", "kernel", "user"):
            print(weft.run(work, model=model))
    """
    assert run_code(code, model=None).check().stdout == "[32, 32]\n" * 3


def test_unknown_words_are_told() -> None:
    code = """
        import weft
        for call in (
            lambda: weft.futures.executor("threads"), lambda: weft.futures.Pool, lambda: weft.future
        ):
            try:
                call()
            except (weft.WeftError, AttributeError) as error:
                print(type(error).__name__, error)
    """
    assert run_code(code).check().stdout == (
        "WeftError there is no kind of pool 'threads': choose one of thread, user, process, cluster\n"
        "AttributeError module 'weft.futures' has no attribute 'Pool'\n"
        "AttributeError module 'weft' has no attribute 'future'\n"
    )


def test_without_user_threads_their_pool_says_what_to_do() -> None:
    code = """
        import weft
        try:
            weft.futures.executor("user", 4)
        except weft.WeftError as error:
            print(error)
    """
    said = run_code(code, model=None).check().stdout
    assert "needs weft's threads" in said
    assert "`weft run`" in said


@pytest.mark.parametrize("model", [*MODELS, None])
def test_calls_of_a_thread_pool_are_made_by_kernel_threads(model: str | None) -> None:
    """They sleep in the kernel, all at once, while the program's own threads run."""
    code = """
        import _thread, threading, time
        from weft.futures import executor
        from weft.host import clock, threads
        here = threads.get_ident()
        def call(n):
            clock.sleep(0.3)  # the real one: on user threads it would stop them all
            return threads.get_ident(), threading.current_thread().name
        begun = time.monotonic()
        with executor("thread", 4, thread_name_prefix="crew") as pool:
            held = [pool.submit(call, n) for n in range(4)]
            turns = 0
            while not all(f.done() for f in held):
                time.sleep(0.01)
                turns += 1
            made = [f.result() for f in held]
        assert len({ident for ident, _ in made}) == 4 and here not in dict(made), made
        assert sorted(name for _, name in made) == ["crew_0", "crew_1", "crew_2", "crew_3"], made
        assert turns >= 5, turns
        assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
        print("good")
    """
    assert run_code(code, model=model).check().stdout == "good\n"


@pytest.mark.parametrize("model", MODELS)
def test_a_user_pool_has_a_thread_for_each_call_that_waits(model: str) -> None:
    code = """
        import threading, weft
        from weft.futures import executor
        COUNT = 300
        gate, inside = threading.Event(), threading.Semaphore(0)
        def call(n):
            inside.release()
            gate.wait()
            return n
        with executor("user") as pool:
            held = [pool.submit(call, n) for n in range(COUNT)]
            for _ in range(COUNT):
                assert inside.acquire(timeout=20)
            gate.set()
            assert [f.result() for f in held] == list(range(COUNT))
            held = [pool.submit(threading.get_ident) for _ in range(1000)]
            [f.result() for f in held]
            limit = threading.Event()
            while len(threading.enumerate()) > 66:  # the main thread, and who waits for more
                limit.wait(0.01)
        with executor("user", max_workers=3) as pool:
            seen = {f.result() for f in [pool.submit(threading.get_ident) for _ in range(50)]}
            assert len(seen) <= 3
        assert threading.enumerate() == [threading.main_thread()]
        print("good")
    """
    assert run_code(code, model=model).check().stdout == "good\n"


def test_calls_that_do_not_wait_cost_a_user_pool_no_threads() -> None:
    code = """
        import threading
        from weft.futures import executor
        with executor("user") as pool:
            held = [pool.submit(threading.get_ident) for _ in range(1000)]
            assert len({f.result() for f in held}) <= 2
            assert len(threading.enumerate()) <= 3
        print("good")
    """
    assert run_code(code, options=("--slice", "off")).check().stdout == "good\n"


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("kind", ["user", "thread", "process"])
def test_the_program_ends_when_a_pool_is_left_open(kind: str, model: str) -> None:
    """What was taken is made first, as with `concurrent.futures`."""
    code = f"""
        import os, time
        from weft.futures import executor
        def call(n):
            time.sleep(0.05)
            os.write(1, b"made %d\\n" % n)
        if __name__ == "__main__":
            pool = executor({kind!r}, max_workers=2)
            for n in range(4):
                pool.submit(call, n)
    """
    said = run_code(code, model=model).check()
    assert sorted(said.stdout.splitlines()) == [f"made {n}" for n in range(4)]


@pytest.mark.parametrize("model", MODELS)
def test_threads_of_a_user_pool_that_is_dropped_end(model: str) -> None:
    code = """
        import gc, threading, time
        from weft.futures import executor
        held = executor("user").submit(pow, 2, 3)
        assert held.result() == 8
        gc.collect()
        limit = time.monotonic() + 20
        while len(threading.enumerate()) > 1 and time.monotonic() < limit:
            time.sleep(0.01)
        print(threading.enumerate() == [threading.main_thread()])
    """
    assert run_code(code, model=model).check().stdout == "True\n"


def test_a_pool_without_work_is_told_in_a_deadlock() -> None:
    code = """
        import threading
        from weft.futures import executor
        lock = threading.Lock()
        lock.acquire()
        pool = executor("user", thread_name_prefix="crew")
        pool.submit(pow, 2, 3).result()
        pool.submit(lock.acquire).result()
    """
    said = run_code(code)
    assert said.returncode == 1
    assert re.search(r"'crew_\d' \(blocked\) waits for a lock", said.stderr), said.stderr


def test_the_fate_of_a_process_is_told_in_words() -> None:
    code = """
        import os, sys
        from weft.futures import executor
        if __name__ == "__main__":
            for status in (3, 0):
                with executor("process", 1) as pool:
                    print(pool.submit(os._exit, status).exception())
                    print(pool.submit(pow, 2, 3).result())
    """
    lines = run_code(code).check().stdout.splitlines()
    assert re.fullmatch(r"a worker process has died: \d+ ended with status 3\. The calls .*", lines[0]), lines
    assert lines[1] == lines[3] == "8"
    assert lines[2].startswith("a worker process has ended. The calls"), lines


def test_a_program_that_is_not_guarded_is_told_and_does_not_hang() -> None:
    code = """
        from weft.futures import executor
        pool = executor("process", 1)
        print(type(pool.submit(pow, 2, 3).exception(30)).__name__)
    """
    said = run_code(code)
    assert "WorkerDied" in said.stdout
    assert "__main__" in said.stderr  # CPython's own words of the worker


def test_without_the_extra_a_cluster_says_what_to_install() -> None:
    code = """
        import sys, weft
        sys.modules["distributed"] = None
        try:
            weft.futures.executor("cluster", 2)
        except weft.WeftError as error:
            print(error)
    """
    assert "pip install 'weft[cluster]'" in run_code(code).check().stdout


@needs_cluster
@pytest.mark.parametrize("model", MODELS)
def test_a_bad_address_is_told_in_time(model: str) -> None:
    code = """
        import weft
        for address in ("tcp://127.0.0.1:1", "nonsense://x", "127.0.0.1:99999999"):
            try:
                weft.futures.executor("cluster", address=address, timeout=1)
            except weft.WeftError as error:
                print(error)
        try:
            weft.futures.executor("cluster", 2, address="tcp://127.0.0.1:1")
        except ValueError as error:
            print(error)
    """
    begun = time.monotonic()
    said = run_code(code, model=model).check().stdout.splitlines()
    assert time.monotonic() - begun < 30
    assert [line[:33] for line in said[:3]] == [
        "no scheduler answers at 'tcp://12",
        *("no scheduler answers at 'nonsense", "no scheduler answers at '127.0.0."),
    ], said
    assert "one with an address has its own" in said[3]
