"""Classes that are called from several threads: right ones, and wrong ones."""

import datetime as dt
import enum
import queue
import threading


class Counter:
    """Loses counts."""

    def __init__(self) -> None:
        self.n = 0

    def add(self, by: int = 1) -> int:
        self.n += by
        return self.n

    def value(self) -> int:
        return self.n


class LockedCounter(Counter):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def add(self, by: int = 1) -> int:
        with self.lock:
            return super().add(by)

    def value(self) -> int:
        with self.lock:
            return super().value()


class Doubling:
    """What a counter is not."""

    def __init__(self) -> None:
        self.n = 0

    def add(self, by: int = 1) -> int:
        self.n += 2 * by
        return self.n

    def value(self) -> int:
        return self.n


class Register:
    def __init__(self) -> None:
        self.held = 0

    def put(self, n: int) -> None:
        self.held = n

    def get(self) -> int:
        return self.held


class Lagging(Register):
    """Gives what was there the last time that somebody asked."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = 0

    def get(self) -> int:
        shown, self.shown = self.shown, self.held
        return shown


class Crossing:
    """Two locks in two orders."""

    def __init__(self) -> None:
        self.one, self.other = threading.Lock(), threading.Lock()

    def there(self) -> None:
        with self.one, self.other:
            pass

    def back(self) -> None:
        with self.other, self.one:
            pass


class Slot:
    """Room for one, in a queue: calls wait, and no fault is in that."""

    def __init__(self) -> None:
        self.queue: queue.Queue[int] = queue.Queue(1)

    def put(self, n: int) -> None:
        self.queue.put(n)

    def get(self) -> int:
        return self.queue.get()


class Forgetful:
    """Looks, and waits only then: the notify may come in between."""

    def __init__(self) -> None:
        self.full = False
        self.filled = threading.Condition()

    def put(self) -> None:
        with self.filled:
            self.full = True
            self.filled.notify_all()

    def wait(self) -> None:
        if not self.full:
            with self.filled:
                self.filled.wait()


class Connection:
    """Is equal to none but itself."""


class Pool:
    """May hand one connection out twice."""

    def __init__(self) -> None:
        self.free = [Connection(), Connection(), Connection()]

    def take(self) -> Connection | None:
        if not self.free:
            return None
        taken = self.free[-1]
        self.free = self.free[:-1]
        return taken


class LockedPool(Pool):
    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def take(self) -> Connection | None:
        with self.lock:
            return super().take()


class Owned:
    """A lock that knows who has it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def take(self) -> bool:
        return self.lock.acquire(blocking=False)

    def drop(self) -> None:
        self.lock.release()


class Keys:
    """Looks through a dictionary that others fill."""

    def __init__(self) -> None:
        self.held: dict[int, int] = {}

    def put(self, key: int) -> None:
        self.held[key] = key

    def keys(self) -> list[int]:
        return [key for key in self.held]  # noqa: C416 - a loop, as people write it


class Approximate(LockedCounter):
    """Says a number that is one too high, or not."""

    def value(self) -> int:
        return self.n + (threading.current_thread().name == "A")


class Worker:
    """Has a thread of its own, which is told and waited for."""

    def __init__(self) -> None:
        self.asked: queue.Queue[int] = queue.Queue()
        self.n = 0
        threading.Thread(target=self.work).start()

    def work(self) -> None:
        while True:
            self.n += self.asked.get()
            self.asked.task_done()

    def add(self, n: int) -> None:
        self.asked.put(n)
        self.asked.join()

    def value(self) -> int:
        return self.n


class Clocked:
    def now(self) -> dt.datetime:
        return dt.datetime.now()  # noqa: DTZ005 - the real one


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Colours:
    def __init__(self) -> None:
        self.last: Colour | None = None

    def put(self, colour: Colour, also: tuple[str, ...] = ()) -> None:
        self.last = colour

    def get(self) -> Colour | None:
        return self.last


last = 0


class Numbers:
    """Numbers that no other object of the class has given: the state is the module's."""

    def next(self) -> int:
        global last
        last += 1
        return last


class Long:
    def count(self) -> None:
        for number in range(400):
            self.number = number


class Broken:
    def __init__(self) -> None:
        raise KeyError("told")


class Mortal:
    def end(self) -> None:
        import os

        os._exit(3)


def near(one: int, other: int) -> bool:
    return abs(one - other) < 2
