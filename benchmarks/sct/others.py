"""The other programs of SCTBench that can be told in Python, from their descriptions: the groups CB, Chess,
Inspect, RAD and Splash2, and SafeStack.
"""

import threading
from collections.abc import Callable
from types import SimpleNamespace as Shared
from typing import Any

from atoms import Atom, run


class _Buffer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.lock = threading.Lock()

    def length(self) -> int:
        with self.lock:
            return len(self.text)

    def take(self, count: int) -> str:
        with self.lock:
            assert count <= len(self.text)
            return self.text[:count]

    def erase(self, count: int) -> None:
        with self.lock:
            self.text = self.text[count:]

    def append(self, text: str) -> None:
        with self.lock:
            self.text += text


def stringbuffer() -> None:
    buffer = _Buffer("abc")

    def other() -> None:
        buffer.erase(3)
        buffer.append("abc")

    run(other, mine=lambda: buffer.take(buffer.length()))


def aget_bug2() -> None:
    s = Shared(written=0, saved=None)
    done = [0, 0, 0]
    lock = threading.Lock()

    def download(i: int) -> None:
        for _ in range(2):
            done[i] += 10
            with lock:
                s.written += 10

    def interrupt() -> None:
        s.saved = (sum(list(done)), s.written)

    run(interrupt, *[lambda i=i: download(i) for i in range(2)])
    assert s.saved[0] == s.saved[1]


def pbzip2() -> None:
    """The main thread waits for the output alone, and takes the queue away while consumers look at it."""
    s = Shared(queue=threading.Condition(), done=False, items=2)
    written = threading.Event()

    def consume() -> None:
        while True:
            assert s.queue is not None, "the queue is gone"
            with s.queue:
                while s.items == 0 and not s.done:
                    s.queue.wait()
                if s.items == 0:
                    return
                s.items -= 1
                if s.items == 0:
                    written.set()

    def produce() -> None:
        with s.queue:
            s.done = True
            s.queue.notify_all()

    threads = [threading.Thread(target=body) for body in (produce, consume, consume, written.wait)]
    for thread in threads:
        thread.start()
    threads[0].join()
    threads[3].join()
    s.queue = None
    for thread in threads:
        thread.join()


class _Cell:
    """A variable whose reads and writes are two steps of a program, and no instruction that is one."""

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def get(self) -> int:
        return self.value

    def set(self, value: int) -> None:
        self.value = value


class _Deque:
    """The owner pushes and pops at the tail, thieves take from the head; pushing takes a place too many."""

    def __init__(self, size: int, cell: Callable[[int], Any]) -> None:
        self.head, self.tail = cell(0), cell(0)
        self.lock = threading.Lock()
        self.mask = size - 1
        self.items: list[Any] = [None] * size

    def steal(self) -> Any:
        with self.lock:
            head = self.head.get()
            self.head.set(head + 1)
            if head < self.tail.get():
                return self.items[head & self.mask]
            self.head.set(head)
            return None

    def pop(self) -> Any:
        tail = self.tail.get() - 1
        self.tail.set(tail)
        if self.head.get() <= tail:
            return self.items[tail & self.mask]
        self.tail.set(tail + 1)
        with self.lock:
            found = None
            tail = self.tail.get() - 1
            self.tail.set(tail)
            if self.head.get() <= tail:
                found = self.items[tail & self.mask]
            else:
                self.tail.set(tail + 1)
            if self.head.get() > tail:
                self.head.set(0)
                self.tail.set(0)
                found = None
            return found

    def push(self, item: Any) -> None:
        tail = self.tail.get()
        if tail < self.head.get() + self.mask + 1:
            self.items[tail & self.mask] = item
            self.tail.set(tail + 1)
            return
        with self.lock:
            head = self.head.get()
            count = self.tail.get() - head
            head &= self.mask
            self.head.set(head)
            self.tail.set(head + count)
            if count >= self.mask:
                grown = [self.items[(head + i) & self.mask] for i in range(count)]
                self.mask = 2 * self.mask + 1
                self.items = grown + [None] * (self.mask + 1 - count)
                self.head.set(0)
                self.tail.set(count)
            tail = self.tail.get()
            self.items[tail & self.mask] = item
            self.tail.set(tail + 1)


class _Item:
    def __init__(self) -> None:
        self.taken = 0


def _steal(cell: Callable[[int], Any], thieves: int) -> None:
    deque = _Deque(2, cell)
    items = [_Item() for _ in range(4)]

    def take(item: Any) -> None:
        if item is not None:
            item.taken += 1

    def thief() -> None:
        for _ in range(2):
            take(deque.steal())

    def owner() -> None:
        for i in (0, 2):
            deque.push(items[i])
            deque.push(items[i + 1])
            take(deque.pop())
        take(deque.pop())
        take(deque.pop())

    run(*[thief] * thieves, mine=owner)
    assert all(item.taken == 1 for item in items)


def work_steal_queue() -> None:
    _steal(_Cell, 1)


def interlocked_work_steal_queue() -> None:
    _steal(Atom, 1)


def state_work_steal_queue() -> None:
    _steal(_Cell, 2)


def interlocked_state_work_steal_queue() -> None:
    _steal(Atom, 2)


def bounded_buffer() -> None:
    """Signals only if somebody seemed to wait, which is asked without the lock."""
    s = Shared(count=0, waiting=0)
    lock = threading.Lock()
    empty, full = threading.Condition(lock), threading.Condition(lock)

    def put() -> None:
        for _ in range(2):
            somebody = s.waiting > 0
            with lock:
                while s.count == 1:
                    s.waiting += 1
                    empty.wait()
                    s.waiting -= 1
                s.count += 1
                if somebody:
                    full.notify()

    def get() -> None:
        for _ in range(2):
            somebody = s.waiting > 0
            with lock:
                while s.count == 0:
                    s.waiting += 1
                    full.wait()
                    s.waiting -= 1
                s.count -= 1
                if somebody:
                    empty.notify()

    run(put, put, get, get)


def ctrace() -> None:
    """Two threads take one shared table down while a third still writes to it."""
    s = Shared(table={"size": 1})

    def down() -> None:
        if s.table is not None:
            s.table["size"] = 0
            s.table = None

    def trace() -> None:
        if s.table is not None:
            s.table["size"] += 1

    run(down, down, mine=trace)


def rad_bug4() -> None:
    """A monitor made by whoever comes first, without a lock: two are made, and two threads are inside."""
    s = Shared(monitor=None, inside=0)

    def enter() -> None:
        if s.monitor is None:
            s.monitor = threading.Lock()
        with s.monitor:
            s.inside += 1
            assert s.inside == 1
            s.inside -= 1

    run(enter, enter)


def rad_bug6() -> None:
    """Who reads asks for the lock of readers again while a writer is in line."""
    s = Shared(readers=0, writing=False, in_line=0)
    lock = threading.Lock()
    free = threading.Condition(lock)

    def read_lock() -> None:
        with lock:
            while s.writing or s.in_line:
                free.wait()
            s.readers += 1

    def read_unlock() -> None:
        with lock:
            s.readers -= 1
            free.notify_all()

    def reader() -> None:
        read_lock()
        read_lock()
        read_unlock()
        read_unlock()

    def writer() -> None:
        with lock:
            s.in_line += 1
            while s.readers or s.writing:
                free.wait()
            s.in_line -= 1
            s.writing = True
        with lock:
            s.writing = False
            free.notify_all()

    run(reader, writer)


def safestack() -> None:
    size = 3
    head, count = Atom(0), Atom(size)
    following = [Atom(i + 1) for i in range(size - 1)] + [Atom(-1)]
    values = [0] * size

    def pop() -> int:
        while count.get() > 1:
            first = head.get()
            after = following[first].swap(-1)
            if after >= 0:
                if head.cas(first, after):
                    count.add(-1)
                    return int(first)
                following[first].swap(after)
        return -1

    def push(index: int) -> None:
        while True:
            first = head.get()
            following[index].set(first)
            if head.cas(first, index):
                break
        count.add(1)

    def work(me: int) -> None:
        for _ in range(2):
            index = pop()
            while index < 0:
                index = pop()
            values[index] = me
            assert values[index] == me
            push(index)

    run(*[lambda me=me: work(me) for me in range(3)])


def splash2() -> None:
    """The main thread does not wait for its workers."""
    finished = Atom(0)
    threads = [threading.Thread(target=lambda: finished.add(1)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert finished.get() == 2
