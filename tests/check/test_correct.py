"""Correct programs of the kinds that people write: no failure and no warning on any."""

from pathlib import Path

import pytest

from tests.check.programs import check

HEAD = """
import queue, threading, time
from concurrent.futures import ThreadPoolExecutor
lock, cond = threading.Lock(), threading.Condition()
def run(*bodies):
    threads = [threading.Thread(target=body) for body in bodies]
    for t in threads: t.start()
    for t in threads: t.join()
"""

CORRECT = {
    "readers and writers": """
readers, writing, value = 0, False, 0
def read():
    global readers
    with cond:
        while writing: cond.wait()
        readers += 1
    assert value in (0, 1)
    with cond:
        readers -= 1
        cond.notify_all()
def write():
    global writing, value
    with cond:
        while writing or readers: cond.wait()
        writing = True
    value = 1
    with cond:
        writing = False
        cond.notify_all()
run(read, read, write)
""",
    "a bounded buffer": """
items, seen = [], []
def put():
    for n in range(2):
        with cond:
            while len(items) >= 1: cond.wait()
            items.append(n)
            cond.notify_all()
def get():
    with cond:
        while not items: cond.wait()
        seen.append(items.pop())
        cond.notify_all()
run(put, get, get)
assert sorted(seen) == [0, 1]
""",
    "a cache that either may fill": """
cache = {}
def look():
    if "k" not in cache:
        cache["k"] = 42
    assert cache["k"] == 42
run(look, look)
""",
    "a first use under a lock": """
class Service:
    worker = None
    def get(self):
        with lock:
            if self.worker is None:
                self.worker = object()
            return self.worker
service, got = Service(), []
run(*[lambda: got.append(service.get())] * 2)
assert got[0] is got[1]
""",
    "a flag that is polled": """
class Worker:
    stop = False
    def work(self):
        while not self.stop:
            time.sleep(0.1)
worker = Worker()
t = threading.Thread(target=worker.work)
t.start()
worker.stop = True
t.join()
""",
    "states that are taken in turn": """
state = ["new"]
def claim(mine):
    with lock:
        if state[0] != "new": return
        state[0] = mine
run(lambda: claim("a"), lambda: claim("b"))
assert state[0] in "ab"
""",
    "a job that is taken under a lock and done without": """
jobs, done = [1, 2, 3], []
def work():
    while True:
        with lock:
            if not jobs: return
            job = jobs.pop()
        done.append(job * 2)
run(work, work)
assert sorted(done) == [2, 4, 6]
""",
    "a transfer with locks in one order": """
class Account:
    def __init__(self, balance):
        self.balance, self.lock = balance, threading.Lock()
a, b = Account(10), Account(10)
def move(source, target):
    first, second = sorted((source, target), key=id)
    with first.lock, second.lock:
        if source.balance >= 5:
            source.balance -= 5
            target.balance += 5
run(lambda: move(a, b), lambda: move(b, a))
assert a.balance + b.balance == 20
""",
    "phases between barriers": """
barrier, parts, total = threading.Barrier(2), [0, 0], []
def work(n):
    parts[n] = n + 1
    barrier.wait()
    total.append(sum(parts))
run(lambda: work(0), lambda: work(1))
assert total == [3, 3]
""",
    "a pool and what it returns": """
with ThreadPoolExecutor(2) as pool:
    futures = [pool.submit(pow, n, 2) for n in range(3)]
assert [future.result() for future in futures] == [0, 1, 4]
""",
    "a queue that is closed by a sentinel": """
jobs, seen = queue.Queue(1), []
def work():
    while (job := jobs.get()) is not None:
        seen.append(job)
        jobs.task_done()
    jobs.task_done()
def feed():
    for n in (1, 2, None): jobs.put(n)
    jobs.join()
run(work, feed)
assert seen == [1, 2]
""",
    "a counter that a thread alone resets": """
count = 0
done = threading.Event()
def add():
    global count
    for _ in range(2):
        with lock: count += 1
    done.set()
def reset():
    global count
    done.wait()
    if count > 1:
        count = 0
run(add, reset)
assert count == 0
""",
    "a try that gives way": """
other, seen = threading.Lock(), []
def careful(first, second):
    while True:
        with first:
            if second.acquire(False):
                seen.append(1)
                second.release()
                return
        time.sleep(0.001)
run(lambda: careful(lock, other), lambda: careful(other, lock))
assert len(seen) == 2
""",
}


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_program_has_no_failure_and_no_warning(tmp_path: Path, name: str) -> None:
    said = check(tmp_path, HEAD + CORRECT[name], "--strict", "--time", "2")
    assert said["findings"] == []
    assert said["unconfirmed"] == 0
