"""Each kind of finding, from a program that has it; and correct programs, which have none."""

from pathlib import Path

import pytest

from tests.check.programs import check

WRONG = {
    "self-deadlock": """
        import threading
        lock = threading.Lock()

        def work():
            with lock:
                lock.acquire()

        t = threading.Thread(target=work)
        t.start()
        t.join()
    """,
    "lost-wakeup": """
        import threading
        cond = threading.Condition()

        def wait():
            with cond:
                cond.wait()

        t = threading.Thread(target=wait)
        t.start()
        with cond:
            cond.notify()
        t.join()
    """,
    "assertion": """
        import threading, time
        seen = []

        def work():
            time.sleep(0.5)
            seen.append(time.monotonic())

        t = threading.Thread(target=work)
        t.start()
        t.join(0.5)
        assert seen, "the timeout came first"
    """,
    "exception": """
        import threading

        def work():
            raise ValueError("no")

        t = threading.Thread(target=work)
        t.start()
        t.join()
    """,
    "exit": """
        import queue, sys, threading
        q = queue.Queue()
        for n in (1, 2):
            threading.Thread(target=q.put, args=(n,)).start()
        sys.exit(q.get() == 2)
    """,
    "thread-left-behind": """
        import queue, threading
        q = queue.Queue()
        threading.Thread(target=q.get).start()
    """,
    "deadlock": """
        import threading
        lock = threading.Lock()

        def work():
            lock.acquire()

        t = threading.Thread(target=work)
        t.start()
        with lock:
            pass
        t.join()
    """,
}

RIGHT = {
    "virtual time": """
        import threading, time
        begun = time.monotonic()
        threads = [threading.Thread(target=time.sleep, args=(s,)) for s in (0.5, 53, 350)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert time.monotonic() - begun >= 350.0
    """,
    "a thread that handles what it raises": """
        import threading
        told = []
        threading.excepthook = told.append

        def work():
            raise ValueError

        t = threading.Thread(target=work)
        t.start()
        t.join()
        assert told[0].exc_type is ValueError
    """,
    "an executor": """
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(abs, (-3, -2, -1))) == [1, 2, 3]
    """,
    "a bounded queue": """
        import queue, threading
        q = queue.Queue(1)

        def work():
            while q.get() is not None:
                q.task_done()
            q.task_done()

        t = threading.Thread(target=work)
        t.start()
        for n in (1, 2, None):
            q.put(n)
        q.join()
        t.join()
    """,
    "a daemon that never ends": """
        import threading, time

        def work():
            while True:
                time.sleep(1)

        threading.Thread(target=work, daemon=True).start()
    """,
    "a barrier, a semaphore, an event, a timer, a local": """
        import threading
        barrier, slots, done = threading.Barrier(2), threading.Semaphore(1), threading.Event()
        local = threading.local()

        def work(n):
            barrier.wait()
            with slots:
                local.n = n
            assert local.n == n

        threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
        timer = threading.Timer(5, done.set)
        for t in (timer, *threads):
            t.start()
        for t in threads:
            t.join()
        assert not hasattr(local, "n")
        assert done.wait(10)
    """,
    "a chance that is the same each time": """
        import os, random, threading, uuid
        first = f"{random.random()} {os.urandom(4).hex()} {uuid.uuid4()}"
        threads = [threading.Thread(target=int) for _ in range(2)]
        for t in threads:
            t.start()
        try:
            with open("first", "x") as file:
                file.write(first)
        except FileExistsError:
            with open("first") as file:
                assert file.read() == first
    """,
}


def test_daemons_that_wait_for_each_other_are_told_at_the_end(tmp_path: Path) -> None:
    program = """
        import threading, time
        a, b = threading.Lock(), threading.Lock()

        def work(first, second):
            with first:
                with second:
                    pass

        for pair in ((a, b), (b, a)):
            threading.Thread(target=work, args=pair, daemon=True).start()
        time.sleep(1)
    """
    said = check(tmp_path, program, status=1)
    assert said["kind"] == "deadlock"
    assert said["findings"][0]["title"].endswith("which the program leaves behind")
    assert check(tmp_path, program.replace("with second:", "if second:"), "--time", "1")["findings"] == []


def test_what_waits_is_told_in_words_that_fit(tmp_path: Path) -> None:
    program = """
        import threading
        fork, knife = threading.Lock(), threading.Lock()
        both = threading.Barrier(2)

        def eat(first, second):
            with first:
                both.wait()
                with second:
                    pass

        threading.Thread(target=eat, args=(fork, knife), name="Ada").start()
        threading.Thread(target=eat, args=(knife, fork), name="Ben").start()
    """
    main, *others = check(tmp_path, program, status=1)["findings"][0]["lines"]
    assert main == "MainThread waits for the end of Ada, at the end of the program"
    assert [line.partition(",")[0] for line in others] == [
        "Ada waits for second (knife)",
        "Ben waits for second (fork)",
    ]
    program = """
        import queue, threading
        box = queue.Queue()
        one = threading.Thread(target=box.get, name="one")
        one.start()
        one.join()
    """
    found = check(tmp_path, program, status=1)["findings"][0]
    assert found["title"] == "one waits, and nothing can wake it"
    program = "import http, sys\nsys.exit(http.HTTPStatus.OK)\n"
    assert check(tmp_path, program, status=1)["findings"][0]["title"] == "the program exits with 200"


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_program_is_found(tmp_path: Path, kind: str) -> None:
    said = check(tmp_path, WRONG[kind], status=1)
    assert said["kind"] == kind
    assert said["schedule"] is not None


def test_time_is_exact_where_no_thread_is_delayed(tmp_path: Path) -> None:
    program = RIGHT["virtual time"].replace(">= 350", "== 350")
    assert check(tmp_path, program, "--strategy", "dfs", "--time", "1")["findings"] == []
    found = check(tmp_path, program, status=1)["findings"][0]
    assert found["title"].endswith(" ms)"), "the clock went on while a thread could run"


@pytest.mark.parametrize("name", RIGHT)
def test_a_correct_program_is_clean(tmp_path: Path, name: str) -> None:
    said = check(tmp_path, RIGHT[name], "--time", "1")
    assert said["findings"] == []
    assert said["unconfirmed"] == 0
    assert said["executions"] >= 2
