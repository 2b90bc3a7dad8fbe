"""Threads that are lists of operations, run by a strategy without stacks: what it chooses, and how often."""

from collections.abc import Iterator, Sequence
from typing import Any

from weft.models.controlled import Task

READ, WRITE = 1, 2
Operation = tuple[Any, Any, Any]  # kind, target, key


class Variable:
    """Something to read and write."""


def increments(target: object, count: int) -> list[Operation]:
    """A read and a write, so often."""
    return [(kind, target, "n") for _ in range(count) for kind in (READ, WRITE)]


class Program:
    """A main thread that starts all others, and they. A lock, taken by ("acquire", lock, None), is held until
    its thread ends.
    """

    def __init__(self, threads: Sequence[Sequence[Operation]]) -> None:
        self.threads = [[("start", None, None)] * len(threads), *map(list, threads)]

    def run(self, strategy: Any) -> list[int]:
        """The threads in the order of their steps under a strategy; the main thread's are left out."""
        tasks = [self._task(0)]
        at = [0] * len(self.threads)
        owner: dict[int, int] = {}
        order: list[int] = []
        me: Task | None = None
        strategy.begin()
        while True:
            for task in tasks:
                self._announce(task, at[task.number], owner)
            enabled = [task for task in tasks if task.kind is not None and not self._waits(task, owner)]
            if not enabled:
                break
            if len(enabled) > 1 or getattr(strategy, "every", False):
                chosen = strategy.pick(enabled, me if me in tasks and me.kind is not None else None)
            else:
                chosen = enabled[0]
            assert chosen in enabled
            number = chosen.number
            at[number] += 1
            if chosen.kind == "start":
                tasks.append(self._task(len(tasks)))
            elif chosen.kind == "acquire":
                owner[id(chosen.target)] = number
            if number:
                order.append(number)
            me = chosen
        strategy.end(len(order), None)
        return order

    def _task(self, number: int) -> Task:
        task = Task(number, None, False)
        task.parent = 0 if number else -1
        return task

    def _announce(self, task: Task, position: int, owner: dict[int, int]) -> None:
        operations = self.threads[task.number]
        if position < len(operations):
            task.kind, task.target, task.key = operations[position]
        else:
            task.kind = task.target = task.key = None
            for lock in [lock for lock, number in owner.items() if number == task.number]:
                del owner[lock]

    def _waits(self, task: Task, owner: dict[int, int]) -> bool:
        return task.kind == "acquire" and id(task.target) in owner


def bounded_orders(counts: Sequence[int], bound: int, delays: bool) -> Iterator[tuple[int, ...]]:
    """Each order of a main thread that starts threads with so many steps, and of theirs, that needs at most
    `bound` preemptions, or delays: by trying each choice, from the definitions.
    """

    def go_on(left: tuple[int, ...], last: int, spent: int) -> Iterator[tuple[int, ...]]:
        started = len(counts) - left[0]
        able = [number for number, steps in enumerate(left) if steps and number <= started]
        if not able:
            yield ()
        for turn in range(len(left)):
            number = (last + turn) % len(left)
            if number not in able:
                continue
            if delays:  # those who are passed over
                cost = sum(1 for one in range(turn) if (last + one) % len(left) in able)
            else:
                cost = int(last in able and number != last)
            if spent + cost <= bound:
                after = tuple(steps - (one == number) for one, steps in enumerate(left))
                for order in go_on(after, number, spent + cost):
                    yield (number, *order)

    return go_on((len(counts), *counts), 0, 0)


def orders(counts: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Each order of the steps of threads 1, 2, ... with so many steps."""
    if not any(counts):
        yield ()
    for number, left in enumerate(counts):
        if left:
            rest = [steps - (one == number) for one, steps in enumerate(counts)]
            for order in orders(rest):
                yield (number + 1, *order)
