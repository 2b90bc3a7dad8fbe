"""The programs of SCTBench's group CS, written in Python from their descriptions.

Each function is one program: it starts threads, waits for them and asserts what should hold. Where the
original has an atomic section, one lock is held around it.
"""

import threading
from types import SimpleNamespace as Shared

from atoms import Atom, run


def account() -> None:
    s = Shared(balance=1, deposited=False, withdrawn=False)
    lock = threading.Lock()
    x, y, z = 1, 2, 4

    def check() -> None:
        with lock:
            if s.deposited and s.withdrawn:
                assert s.balance == (x - y) - z

    def deposit() -> None:
        with lock:
            s.balance += y
            s.deposited = True

    def withdraw() -> None:
        with lock:
            s.balance -= z
            s.withdrawn = True

    run(check, deposit, withdraw)


def arithmetic_prog() -> None:
    s = Shared(num=0, total=0)
    lock = threading.Lock()
    empty, full = threading.Condition(lock), threading.Condition(lock)
    most = 3

    def produce() -> None:
        for _ in range(most):
            with lock:
                while s.num > 0:
                    empty.wait()
                s.num += 1
                full.notify()

    def consume() -> None:
        j = 0
        while j < most:
            with lock:
                while s.num == 0:
                    full.wait()
                s.total += j
                j += 1
                s.num -= 1
                empty.notify()
        s.total += j

    run(produce, consume)
    assert s.total != most * (most + 1) // 2


def bluetooth_driver() -> None:
    s = Shared(stopping=False, event=False, stopped=False)
    pending = Atom(1)

    def leave() -> None:
        if pending.add(-1) == 0:
            s.event = True

    def add() -> None:
        if s.stopping:
            return
        pending.add(1)
        assert not s.stopped
        leave()

    def stop() -> None:
        s.stopping = True
        leave()
        if s.event:
            s.stopped = True

    run(stop, mine=add)


def carter01() -> None:
    s = Shared(a=0, b=0)
    m, held = threading.Lock(), threading.Lock()

    def first() -> None:
        with m:
            s.a += 1
            if s.a == 1:
                held.acquire()
        with m:
            s.a -= 1
            if s.a == 0:
                held.release()

    def second() -> None:
        with m:
            s.b += 1
            if s.b == 1:
                held.acquire()
        with m:
            s.b -= 1
            if s.b == 0:
                held.release()

    run(first, second, int, int)


def circular_buffer() -> None:
    s = Shared(first=0, next=0, send=True, receive=False)
    size, times = 10, 7
    buffer = [0] * size
    lock = threading.Lock()

    def sender() -> None:
        for i in range(times):
            with lock:
                if s.send:
                    buffer[s.next] = i
                    s.next = (s.next + 1) % size
                    s.send, s.receive = False, True

    def receiver() -> None:
        for i in range(times):
            with lock:
                if s.receive:
                    got = buffer[s.first]
                    s.first = (s.first + 1) % size
                    assert got == i
                    s.receive, s.send = False, True

    run(sender, receiver)


def deadlock01() -> None:
    a, b = threading.Lock(), threading.Lock()

    def work(one: threading.Lock, other: threading.Lock) -> None:
        with one, other:
            pass

    run(lambda: work(a, b), lambda: work(b, a))


def _philosophers(count: int, atomic: bool) -> None:
    s = Shared(phil=0)
    forks = [threading.Lock() for _ in range(count)]
    eating = threading.Lock()

    def eat(i: int) -> None:
        with eating:
            forks[(i + 1) % count].acquire()
            forks[i].acquire()
            forks[i].release()
            forks[(i + 1) % count].release()
        if atomic:
            with eating:
                s.phil += 1
                assert s.phil != count
        else:
            s.phil += 1
            assert s.phil != count

    run(*[lambda i=i: eat(i) for i in range(count)])


def din_phil2() -> None:
    _philosophers(2, False)


def din_phil3() -> None:
    _philosophers(3, False)


def din_phil4() -> None:
    _philosophers(4, False)


def din_phil5() -> None:
    _philosophers(5, True)


def din_phil6() -> None:
    _philosophers(6, True)


def din_phil7() -> None:
    _philosophers(7, True)


def din_phil5_deadlock() -> None:
    """Without what excludes it in the original."""
    forks = [threading.Lock() for _ in range(5)]

    def eat(i: int) -> None:
        with forks[(i + 1) % 5], forks[i]:
            pass

    run(*[lambda i=i: eat(i) for i in range(5)])


def fsbench() -> None:
    inodes, blocks = [0] * 26, [False] * 26
    locki = [threading.Lock() for _ in range(26)]
    lockb = [threading.Lock() for _ in range(26)]

    def work(i: int) -> None:
        with locki[i]:
            if inodes[i] == 0:
                b = (i * 2) % 26
                while True:
                    with lockb[b]:
                        if not blocks[b]:
                            blocks[b] = True
                            inodes[i] = b + 1
                            break
                    b = (b + 1) % 26

    run(*[lambda i=i: work(i) for i in range(27)])


def lazy01() -> None:
    s = Shared(data=0)
    lock = threading.Lock()

    def add(amount: int) -> None:
        with lock:
            s.data += amount

    def check() -> None:
        with lock:
            assert s.data < 3

    run(lambda: add(1), lambda: add(2), check)


def phase01() -> None:
    x, y = threading.Lock(), threading.Lock()

    def work() -> None:
        with x:
            pass
        x.acquire()
        with y:
            pass
        with y:
            pass

    run(work, work)


def queue() -> None:
    s = Shared(head=0, tail=0, enqueue=True, dequeue=False)
    size, times = 20, 20
    ring, stored = [0] * size, [0] * times
    lock = threading.Lock()

    def put(value: int) -> None:
        ring[s.tail] = value
        s.tail = (s.tail + 1) % size

    def producer() -> None:
        with lock:
            put(0)
            stored[0] = 0
        for i in range(1, times):
            with lock:
                if s.enqueue:
                    put(i)
                    stored[i] = i
                    s.enqueue, s.dequeue = False, True

    def consumer() -> None:
        for i in range(times):
            with lock:
                if s.dequeue:
                    got = ring[s.head]
                    s.head = (s.head + 1) % size
                    assert got == stored[i]
                    s.dequeue, s.enqueue = False, True

    run(producer, consumer)


def _reorder(setters: int, checkers: int) -> None:
    s = Shared(a=0, b=0)

    def set_both() -> None:
        s.a = 1
        s.b = -1

    def check() -> None:
        a, b = s.a, s.b
        assert (a, b) in ((0, 0), (1, -1))

    run(*[set_both] * setters, *[check] * checkers)


def reorder_3() -> None:
    _reorder(2, 1)


def reorder_4() -> None:
    _reorder(3, 1)


def reorder_5() -> None:
    _reorder(4, 1)


def reorder_10() -> None:
    _reorder(9, 1)


def reorder_20() -> None:
    _reorder(10, 10)


def reorder_50() -> None:
    _reorder(49, 1)


def reorder_100() -> None:
    _reorder(99, 1)


def stack() -> None:
    s = Shared(top=0, flag=False)
    size = 10
    held = [0] * size
    lock = threading.Lock()

    def pusher() -> None:
        for i in range(size):
            with lock:
                assert s.top < size
                held[s.top] = i
                s.top += 1
                s.flag = True

    def popper() -> None:
        for _ in range(size):
            with lock:
                if s.flag:
                    assert s.top > 0
                    s.top -= 1

    run(pusher, popper)


def sync01() -> None:
    s = Shared(num=1)
    lock = threading.Lock()
    empty, full = threading.Condition(lock), threading.Condition(lock)

    def first() -> None:
        with lock:
            while s.num > 0:
                empty.wait()
            s.num += 1
            full.notify()

    def second() -> None:
        with lock:
            while s.num == 0:
                full.wait()
            empty.notify()

    run(first, second)


def sync02() -> None:
    s = Shared(num=2)
    lock = threading.Lock()
    empty, full = threading.Condition(lock), threading.Condition(lock)

    def produce() -> None:
        for _ in range(2):
            with lock:
                while s.num > 0:
                    empty.wait()
                s.num += 1
            with lock:
                full.notify()

    def consume() -> None:
        for _ in range(2):
            with lock:
                while s.num == 0:
                    full.wait()
                s.num -= 1
            with lock:
                empty.notify()

    run(produce, consume)


def token_ring() -> None:
    s = Shared(x1=1, x2=2, x3=1, one=False, two=False, three=False)
    atomic = threading.Lock()

    def first() -> None:
        with atomic:
            s.x1 = (s.x3 + 1) % 4
            s.one = True

    def second() -> None:
        with atomic:
            s.x2 = s.x1
            s.two = True

    def third() -> None:
        with atomic:
            s.x3 = s.x2
            s.three = True

    def check() -> None:
        with atomic:
            if s.one and s.two and s.three:
                assert s.x1 == s.x2 == s.x3

    run(first, second, third, check)


def _twostage(writers: int, readers: int) -> None:
    s = Shared(data1=0, data2=0)
    lock1, lock2 = threading.Lock(), threading.Lock()

    def write() -> None:
        with lock1:
            s.data1 = 1
        with lock2:
            s.data2 = s.data1 + 1

    def read() -> None:
        with lock1:
            if s.data1 == 0:
                return
            t1 = s.data1
        with lock2:
            t2 = s.data2
        assert t2 == t1 + 1

    run(*[write] * writers, *[read] * readers)


def twostage() -> None:
    _twostage(1, 1)


def twostage_20() -> None:
    _twostage(19, 1)


def twostage_50() -> None:
    _twostage(49, 1)


def twostage_100() -> None:
    _twostage(99, 1)


def _wronglock(right: int, wrong: int) -> None:
    s = Shared(value=0)
    lock, other = threading.Lock(), threading.Lock()

    def guarded() -> None:
        with lock:
            x = s.value
            s.value += 1
            assert s.value == x + 1

    def unguarded() -> None:
        with other:
            s.value += 1

    run(*[guarded] * right, *[unguarded] * wrong)


def wronglock() -> None:
    _wronglock(1, 7)


def wronglock_3() -> None:
    _wronglock(1, 3)
