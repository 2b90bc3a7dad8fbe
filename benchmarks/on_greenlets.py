"""The floors: the same work by greenlets switched by hand or by CPython's C objects, with no scheduler.

Only where the word has a meaning. The names are those of `on_threads`.
"""

from _thread import RLock, allocate_lock
from collections import deque
from collections.abc import Callable
from heapq import heappush
from typing import Any

from on_threads import randoms, take_and_let_go

from peers import noop

__all__ = ["BENCHES"]

BENCHES: dict[str, Callable[[Any, int], Any]] = {}


def bench(function: Any) -> Any:
    BENCHES[function.__name__] = function
    return function


@bench
def spawn_join(peer: Any, n: int) -> int:
    make = peer.greenlet
    for _ in range(n):
        make(noop).switch()
    return n


@bench
def spawn10k_join(peer: Any, n: int) -> int:
    made = [peer.greenlet(noop) for _ in range(n)]
    for one in made:
        one.switch()
    return n


@bench
def spawn10k_blocked(peer: Any, n: int) -> int:
    main = peer.getcurrent().switch

    def wait() -> None:
        main()

    made = [peer.greenlet(wait) for _ in range(n)]
    for one in made:
        one.switch()
    for one in made:
        one.switch()
    return n


@bench
def yield2(peer: Any, n: int) -> int:
    """Two greenlets that name each other: one switch for each operation."""
    main = peer.getcurrent()

    def first(m: int) -> None:
        switch = two.switch
        for _ in range(m):
            switch()
        main.switch()

    def second(m: int) -> None:
        switch = one.switch
        for _ in range(m):
            switch()
        main.switch()

    m = n // 2
    one, two = peer.greenlet(first), peer.greenlet(lambda: second(m))
    one.switch(m)
    return 2 * m


@bench
def yield1000(peer: Any, n: int) -> int:
    """1,000 greenlets and one deque, each switches straight to the next."""
    m = max(2, n // 1000)
    main, get = peer.getcurrent(), peer.getcurrent
    ready: deque[Any] = deque()
    push, pop = ready.append, ready.popleft
    left = [1000]

    def give_way() -> None:
        me = get().switch
        main.switch()  # all begin from the main greenlet: one depth of C stack
        for _ in range(m):
            push(me)
            pop()()
        left[0] -= 1
        if left[0]:
            pop()()
        main.switch()

    made = [peer.greenlet(give_way) for _ in range(1000)]
    for one in made:
        one.switch()
        push(one.switch)
    pop()()
    return 1000 * m


@bench
def queue1_pp(peer: Any, n: int) -> int:
    """A value handed over by switch(value)."""

    def answer(value: Any) -> None:
        switch = one.switch
        while True:
            value = switch(value)

    def ask() -> None:
        switch = two.switch
        for i in range(n):
            switch(i)

    two = peer.greenlet(answer)
    one = peer.greenlet(ask)
    one.switch()
    return 2 * n


@bench
def queue_pc(peer: Any, n: int) -> int:
    items: deque[int] = deque()
    push, pop = items.append, items.popleft
    for i in range(n):
        push(i)
    for _ in range(n):
        pop()
    return n


@bench
def lock_free(peer: Any, n: int) -> int:
    return take_and_let_go(allocate_lock(), n)


@bench
def lock_with(peer: Any, n: int) -> int:
    lock = allocate_lock()
    for _ in range(n):
        with lock:
            pass
    return n


@bench
def rlock_free(peer: Any, n: int) -> int:
    return take_and_let_go(RLock(), n)


@bench
def timers100k(peer: Any, n: int) -> int:
    random = randoms(1)
    heap: list[Any] = []
    made = []
    for i in range(n):
        timer = [100 + 100 * random(), i, noop]
        heappush(heap, timer)
        made.append(timer)
    for timer in made:
        timer[2] = None
    return n
