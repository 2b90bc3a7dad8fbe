"""Locks, events, queues and pools that processes share."""

import queue as plain_queue
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.processes.programs import METHODS, printed
from weft.processes.cells import Arena, Cell, arena, use_arena
from weft.processes.locks import Condition, Event, Lock, RLock, Semaphore
from weft.processes.queues import LifoQueue, PriorityQueue, Queue, SimpleQueue


@pytest.fixture(autouse=True)
def own_arena() -> Iterator[None]:
    """Cells of this test's own, in this process."""
    made = Arena()
    use_arena(made)
    yield
    use_arena(None)
    made.close()


def test_a_lock_excludes_processes_and_queues_lose_nothing() -> None:
    assert printed("""
        import os, queue, tempfile, threading
        lock, items = threading.Lock(), queue.Queue(5)
        path = os.path.join(tempfile.mkdtemp(), "count")
        open(path, "w").write("0")
        def count():
            for _ in range(50):
                with lock:
                    with open(path) as file: n = int(file.read())
                    with open(path, "w") as file: file.write(str(n + 1))
        def put(k):
            for n in range(50): items.put((k, n))
        threads = [threading.Thread(target=count) for _ in range(4)]
        threads += [threading.Thread(target=put, args=(k,)) for k in range(3)]
        for thread in threads: thread.start()
        got = [items.get() for _ in range(150)]
        for thread in threads: thread.join()
        print(open(path).read(), sorted(got) == [(k, n) for k in range(3) for n in range(50)])
        print([n for k, n in got if k == 1] == list(range(50)), items.empty(), lock.locked())
    """) == ["200 True", "True True False"]


def test_the_other_primitives_work_among_processes() -> None:
    assert printed("""
        import queue, threading
        out = queue.SimpleQueue()
        condition, semaphore = threading.Condition(), threading.Semaphore(0)
        barrier, again = threading.Barrier(3), threading.RLock()
        def wait():
            with condition:
                out.put("waits")
                out.put(condition.wait(10))
        def meet():
            out.put(barrier.wait(10))
        def take():
            out.put(semaphore.acquire(timeout=10))
        def nest():
            out.put((again.acquire(False), again.acquire(timeout=0.01)))
        def run(target, n):
            threads = [threading.Thread(target=target) for _ in range(n)]
            for thread in threads: thread.start()
            return threads
        threads = run(wait, 2)
        print(out.get(), out.get())
        with condition:
            condition.notify()
        print(out.get())
        with condition:
            condition.notify_all()
        print(out.get())
        threads += run(meet, 2)
        print(sorted([barrier.wait(10), out.get(), out.get()]))
        threads += run(take, 3)
        semaphore.release(3)
        print([out.get() for _ in range(3)], semaphore.acquire(False))
        with again, again:
            threads += run(nest, 1)
            print(out.get())
        for thread in threads: thread.join()
        print(again.acquire(False))
    """) == ["waits waits", "True", "True", "[0, 1, 2]", "[True, True, True] False", "(False, False)", "True"]


def test_a_queue_is_joined_and_counts_its_tasks() -> None:
    assert printed("""
        import queue, threading
        tasks = queue.Queue()
        def work():
            while (task := tasks.get()) is not None:
                tasks.task_done()
            tasks.task_done()
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads: thread.start()
        for n in (1, 2, 3, None, None): tasks.put(n)
        tasks.join()
        print(tasks.unfinished_tasks, tasks.qsize())
        try: tasks.task_done()
        except ValueError as error: print(error)
    """) == ["0 0", "task_done() called too many times"]


def test_a_reply_comes_through_a_queue_that_was_sent_through_a_queue() -> None:
    assert printed("""
        import queue, threading
        requests = queue.Queue()
        def serve():
            number, reply = requests.get()
            reply.put(number + 1)
        thread = threading.Thread(target=serve)
        thread.start()
        reply = queue.Queue()
        requests.put((1, reply))
        print(reply.get(timeout=10))
        thread.join()
    """) == ["2"]


@pytest.mark.skipif(sys.version_info < (3, 13), reason="queues have no shutdown")
def test_a_shutdown_ends_the_waits_of_other_processes() -> None:
    assert printed("""
        import queue, threading
        items, out = queue.Queue(), queue.Queue()
        def work():
            try: items.get()
            except queue.ShutDown: out.put("ended")
        thread = threading.Thread(target=work)
        thread.start()
        items.shutdown()
        print(out.get())
        thread.join()
    """) == ["ended"]


MODEL = {Queue: plain_queue.Queue, LifoQueue: plain_queue.LifoQueue, PriorityQueue: plain_queue.PriorityQueue}
steps = st.lists(st.one_of(st.none(), st.integers(-9, 9), st.text(max_size=3000).map(len)), max_size=30)


@pytest.mark.parametrize("kind", MODEL)
@settings(max_examples=30, deadline=None)
@given(size=st.integers(0, 5), steps=steps)
def test_a_queue_does_what_cpython_s_does(kind: type, size: int, steps: list[int | None]) -> None:
    ours, theirs = kind(size), MODEL[kind](size)
    for step in steps:
        assert outcome(ours, step) == outcome(theirs, step)
        assert (ours.qsize(), ours.empty(), ours.full()) == (theirs.qsize(), theirs.empty(), theirs.full())
        assert sorted(ours.queue) == sorted(theirs.queue)
        assert ours.unfinished_tasks == theirs.unfinished_tasks


def outcome(queue: plain_queue.Queue, step: int | None) -> object:
    try:
        return queue.get_nowait() if step is None else queue.put_nowait(step)
    except (plain_queue.Empty, plain_queue.Full) as error:
        return type(error)


def test_items_of_any_size_are_kept_and_the_file_does_not_grow() -> None:
    items = Queue()
    for size in (0, 1, 5000, 3_000_000):
        items.put(b"x" * size)
    assert [len(items.get()) for _ in range(4)] == [0, 1, 5000, 3_000_000]
    items.put(0)
    for _ in range(40):
        items.put(b"x" * 100_000)
        items.get()
    with open(items._path(), "rb") as file:
        assert len(file.read()) < 3_000_000
    items.get()
    assert items.empty()


def test_a_class_that_orders_its_items_itself_is_respected() -> None:
    class Newest(plain_queue.Queue):
        pass

    class Unique(Queue):
        def _init(self, maxsize: int) -> None:
            self.things: set[int] = set()

        def _qsize(self) -> int:
            return len(self.things)

        def _put(self, item: int) -> None:
            self.things.add(item)

        def _get(self) -> int:
            return self.things.pop()

    class Doubled(Queue):
        def _put(self, item: int) -> None:
            super()._put(item)
            super()._put(item)

    unique, doubled = Unique(), Doubled()
    for item in (1, 1, 2):
        unique.put(item)
        doubled.put(item)
    assert sorted(unique.get() for _ in range(2)) == [1, 2]
    assert unique.empty()
    assert [doubled.get() for _ in range(6)] == [1, 1, 1, 1, 2, 2]
    assert doubled.empty()


def test_what_does_not_fit_in_a_slot_is_kept_elsewhere() -> None:
    cell = Cell([[]])
    cell.change(lambda state: state[0].extend(range(5000)))
    assert cell.look(lambda state: sum(state[0])) == sum(range(5000))
    cell.change(lambda state: state[0].clear())
    assert cell.look(list) == [[]]


def test_a_change_that_fails_changes_nothing() -> None:
    cell = Cell([1])

    def fail(state: list[int]) -> None:
        state[0] = 2
        raise KeyError

    with pytest.raises(KeyError):
        cell.change(fail)
    assert cell.look(list) == [1]


def test_a_wait_that_runs_out_leaves_no_entry() -> None:
    lock, condition, event = Lock(), Condition(), Event()
    lock.acquire()
    assert not lock.acquire(timeout=0.001)
    assert lock._cell.look(lambda state: state[1]) == []
    with condition:
        assert not condition.wait(0.001)
        assert condition._waiters == []
    assert not event.wait(0.001)
    assert not Semaphore(0).acquire(timeout=0.001)
    with pytest.raises(plain_queue.Empty):
        SimpleQueue().get(timeout=0.001)


def test_reprs_are_those_of_threading() -> None:
    event, lock = Event(), RLock()
    assert repr(event) == f"<threading.Event at {id(event):#x}: unset>"
    assert repr(lock) == f"<unlocked _thread.RLock object owner=0 count=0 at {id(lock):#x}>"
    assert arena().started == 0


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_has_processes_and_takes_lambdas(method: str) -> None:
    assert printed(
        """
        import os, threading
        from concurrent.futures import ThreadPoolExecutor, as_completed, wait
        names = []
        def begin(word):
            os.environ["WORD"] = word
        def who():
            return os.getpid(), threading.current_thread().name, os.environ.get("WORD")
        factor = 3
        if __name__ == "__main__":
            with ThreadPoolExecutor(2, "worker", begin, ("said",)) as pool:
                print(list(pool.map(lambda n: n * factor, range(4))))
                pid, name, word = pool.submit(who).result()
                print(pid != os.getpid(), name.partition("_")[0], word)
                futures = [pool.submit(divmod, 7, n) for n in (0, 2)]
                print(sorted(str(f.exception() or f.result()) for f in as_completed(futures)))
                pool.submit(who).add_done_callback(lambda future: names.append(future.result()[0]))
            print(names[0] != os.getpid())
            try: pool.submit(who)
            except RuntimeError as error: print(error)
        """,
        "--start-method",
        method,
    ) == [
        "[0, 3, 6, 9]",
        "True worker said",
        f"['(3, 1)', '{DIVISION}']",
        "True",
        "cannot schedule new futures after shutdown",
    ]


try:
    divmod(7, 0)
except ZeroDivisionError as error:
    DIVISION = str(error)


def test_a_pool_tells_of_a_killed_worker_and_refuses_what_cannot_be_carried() -> None:
    assert printed("""
        import os, signal
        from concurrent.futures import ThreadPoolExecutor
        from concurrent.futures.thread import BrokenThreadPool
        total = 0
        def add(n):
            global total
            total += n
        def die():
            os.kill(os.getpid(), signal.SIGKILL)
        def told(call, *args):
            try: call(*args)
            except Exception as error: print(type(error).__name__, str(error).partition(":")[0])
        with ThreadPoolExecutor(1) as pool:
            told(pool.submit, add, 1)
            told(pool.submit, print, open(os.devnull))
            try: pool.submit(die).result()
            except BrokenThreadPool: print("broken")
        told(ThreadPoolExecutor, 0)
    """) == [
        "WeftError add() sets the global total (program.py",
        "WeftError the call of print() goes to a process of the pool and must be pickled",
        "broken",
        "ValueError max_workers must be greater than 0",
    ]
