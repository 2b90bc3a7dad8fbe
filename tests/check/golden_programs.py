"""Tiny programs whose numbers of classes are known. Nothing of this file is rewritten when it is checked: the
operations on locks, events and atoms are all that can be told apart, as in the checker that counted first.
"""

import threading
from collections.abc import Callable


class Atom:
    """A number whose every operation is one, and conflicts with every other."""

    def __init__(self, value: int = 0) -> None:
        self._value = value
        self._lock = threading.Lock()

    def read(self) -> int:
        with self._lock:
            return self._value

    def write(self, value: int) -> None:
        with self._lock:
            self._value = value

    def add(self) -> None:
        with self._lock:
            self._value += 1


def beside(others: list[Callable[[], object]], mine: Callable[[], object] = lambda: None) -> None:
    """Start these threads, do one's own part, wait for them."""
    threads = [threading.Thread(target=other) for other in others]
    for thread in threads:
        thread.start()
    mine()
    for thread in threads:
        thread.join()


def locking(lock: object, times: int = 1) -> Callable[[], None]:
    def work() -> None:
        for _ in range(times):
            with lock:  # type: ignore[attr-defined]
                pass

    return work


def one_lock() -> None:
    work = locking(threading.Lock())
    beside([work], work)


def two_atoms() -> None:
    beside([Atom().add], Atom().add)


def two_adds() -> None:
    atom = Atom()
    beside([atom.add], atom.add)


def three_adds() -> None:
    atom = Atom()
    beside([atom.add, atom.add], atom.add)


def three_orphans() -> None:
    """The main thread does not wait for the first."""
    lock = threading.Lock()
    threads = [threading.Thread(target=locking(lock)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads[1:]:
        thread.join()


def one_among_ten() -> None:
    lock = threading.Lock()
    beside([locking(lock, 10)], locking(lock))


def two_of_one_and_one_of_two() -> None:
    lock = threading.RLock()
    n = found = 0

    def look() -> None:
        nonlocal found
        with lock:
            if n == 1 and not found:
                found = 1
                with lock:
                    pass

    def add() -> None:
        nonlocal n
        for _ in range(2):
            with lock:
                n += 1

    beside([look, look], add)


def two_events() -> None:
    first, second = threading.Event(), threading.Event()

    def other() -> None:
        first.set()
        second.wait()

    def mine() -> None:
        first.wait()
        second.set()

    beside([other], mine)


class Deque:
    """A deque that one thread pushes to and pops from, and others steal from, with little locking; pushing
    takes a place too many.
    """

    def __init__(self, size: int) -> None:
        self._head, self._tail = Atom(), Atom()
        self._lock = threading.Lock()
        self._mask = size - 1
        self._items: list[object] = [None] * size

    def steal(self) -> object:
        with self._lock:
            head = self._head.read()
            self._head.write(head + 1)
            if head < self._tail.read():
                return self._items[head & self._mask]
            self._head.write(head)
            return None

    def _take(self) -> object:
        tail = self._tail.read() - 1
        self._tail.write(tail)
        if self._head.read() <= tail:
            return self._items[tail & self._mask]
        self._tail.write(tail + 1)
        return None

    def pop(self) -> object:
        found = self._take()
        if found is not None:
            return found
        with self._lock:
            found = self._take()
            tail = self._tail._value - (found is None)
            if self._head.read() > tail:
                self._head.write(0)
                self._tail.write(0)
                return None
            return found

    def push(self, item: object) -> None:
        tail = self._tail.read()
        if tail < self._head.read() + self._mask + 1:
            self._items[tail & self._mask] = item
            self._tail.write(tail + 1)
        else:
            self._push_slowly(item)

    def _push_slowly(self, item: object) -> None:
        with self._lock:
            head = self._head.read()
            count = self._tail.read() - head
            head &= self._mask
            self._head.write(head)
            self._tail.write(head + count)
            if count >= self._mask:
                grown = [self._items[(head + i) & self._mask] for i in range(count)]
                self._mask = 2 * (self._mask + 1) - 1
                self._items = grown + [None] * (self._mask + 1 - count)
                self._head.write(0)
                self._tail.write(count)
            tail = self._tail.read()
            self._items[tail & self._mask] = item
            self._tail.write(tail + 1)


def stealing() -> None:
    """Four items, one thief with two attempts; each has to be taken once."""
    deque = Deque(2)
    taken: list[object] = []

    def take(item: object) -> None:
        if item is not None:
            taken.append(item)

    def thief() -> None:
        for _ in range(2):
            take(deque.steal())

    def owner() -> None:
        for first in (1, 3):
            deque.push(first)
            deque.push(first + 1)
            take(deque.pop())
        for _ in range(2):
            take(deque.pop())

    beside([thief], owner)
    assert sorted(map(str, taken)) == ["1", "2", "3", "4"]
