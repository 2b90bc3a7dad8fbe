"""Recordings that are made up: by hand, or by a small scheduler with locks, sleeps and slices."""

import heapq
import random
from collections import deque
from collections.abc import Iterator

from weft.watch.record import Carrier, End, Names, Preemption, Record, Start, Stint, Thread, Wait

__all__ = ["Made", "end_of", "simulated"]


def end_of(record: Record) -> float:
    return record.end if isinstance(record, (Stint, Wait)) else record.time


class Made:
    """A recording that is written down record by record; `read` gives it in the order of ends."""

    def __init__(self, **about: object) -> None:
        self.names = Names()
        self.names.about.update({"program": ["app.py"], "model": "user", "cut": False, "lost": 0, **about})
        self.records: list[Record] = []
        self.names.carriers[0] = Carrier(0, 4711)

    def thread(self, name: str, daemon: bool = False) -> int:
        number = len(self.names.threads)
        self.names.threads[number] = Thread(number, name, daemon, number == 0)
        return number

    def place(self, words: str) -> int:
        return self._number(self.names.places, words)

    def object(self, words: str) -> int:
        return self._number(self.names.objects, words)

    @staticmethod
    def _number(known: dict[int, str], words: str) -> int:
        for number, each in known.items():
            if each == words:
                return number
        known[len(known) + 1] = words
        return len(known)

    def add(self, *records: Record) -> None:
        self.records += records

    def read(self) -> tuple[Names, Iterator[Record]]:
        return self.names, iter(sorted(self.records, key=end_of))

    @property
    def seconds(self) -> float:
        return max(map(end_of, self.records), default=0.0)


class _Scheduler:
    def __init__(self, made: Made, threads: int, locks: int, steps: int, chance: random.Random) -> None:
        self.made, self.chance, self.steps = made, chance, steps
        self.now = 0.0
        self.ready: deque[int] = deque()
        self.timers: list[tuple[float, int]] = []
        self.waits: dict[int, tuple[float, str, int | None, int | None]] = {}
        self.owner: list[int | None] = [None] * locks
        self.queue: list[deque[int]] = [deque() for _ in range(locks)]
        self.holds: dict[int, int] = {}
        self.places = [made.place(f"/srv/app.py:{10 + n} in work") for n in range(8)]
        self.objects = [made.object(f"Lock lock_{n}") for n in range(locks)]
        main = made.thread("MainThread")
        self.ready.append(main)
        self.left = {main: steps}
        for n in range(threads):
            made.thread(f"Worker-{n + 1}")

    def run(self) -> None:
        made = self.made
        first = self.now
        for number in list(made.names.threads)[1:]:
            self.now += self.chance.uniform(0, 2e-6)
            made.add(Start(self.now, number, 0, self.places[0]))
            self.left[number] = self.steps
            self.ready.append(number)
        begin: float | None = first
        while self.ready or self.timers:
            if not self.ready:
                self.now = max(self.now, self.timers[0][0])
            self._fire()
            if self.ready:
                self._turn(self.ready.popleft(), begin)
                begin = None
        made.names.about["seconds"] = self.now

    def _fire(self) -> None:
        while self.timers and self.timers[0][0] <= self.now:
            self._wake(heapq.heappop(self.timers)[1], None, None, "timer")

    def _wake(self, thread: int, by: int | None, place: int | None, cause: str) -> None:
        since, reason, thing, holder = self.waits.pop(thread)
        self.made.add(
            Wait(since, self.now, thread, reason, thing, self.places[thread % 8], holder, by, place, cause)
        )
        self.ready.append(thread)

    def _turn(self, thread: int, begin: float | None) -> None:
        """One stint."""
        begin = self.now if begin is None else begin
        made, chance = self.made, self.chance
        while True:
            self.now += chance.expovariate(1 / 5e-6)
            self.left[thread] -= 1
            if self.left[thread] <= 0:
                self._release(thread)
                made.add(Stint(begin, self.now, thread, 0), End(self.now, thread, None))
                return
            what = chance.random()
            if what < 0.1:
                made.add(Stint(begin, self.now, thread, 0))
                self.waits[thread] = self.now, "SLEEP", None, None
                heapq.heappush(self.timers, (self.now + chance.expovariate(1 / 2e-4), thread))
                return
            if what < 0.2:
                made.add(Stint(begin, self.now, thread, 0), Preemption(self.now, thread, self.places[1]))
                self.ready.append(thread)
                return
            if thread in self.holds:
                self._release(thread)
            elif self.owner and not self._acquire(thread):
                made.add(Stint(begin, self.now, thread, 0))
                return

    def _acquire(self, thread: int) -> bool:
        lock = self.chance.randrange(len(self.owner))
        owner = self.owner[lock]
        if owner is None:
            self.owner[lock] = thread
            self.holds[thread] = lock
            return True
        self.queue[lock].append(thread)
        self.waits[thread] = self.now, "LOCK", self.objects[lock], owner
        return False

    def _release(self, thread: int) -> None:
        lock = self.holds.pop(thread, None)
        if lock is None:
            return
        self.owner[lock] = None
        if self.queue[lock]:
            self.owner[lock] = heir = self.queue[lock].popleft()
            self.holds[heir] = lock
            self._wake(heir, thread, self.places[2], "thread")


def simulated(threads: int = 4, locks: int = 2, steps: int = 40, seed: int = 0) -> Made:
    """What a made-up program with some threads did."""
    made = Made()
    _Scheduler(made, threads, locks, steps, random.Random(seed)).run()
    return made
