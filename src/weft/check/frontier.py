"""What an exhaustive search has still to try, in parts that different processes can search.

A part is taken, searched for a while in some process, and what is left of it comes back as parts. They are
taken in the order in which they came, and come back in the order in which they were taken: so which part
comes when does not depend on how many processes there are. No two parts have a schedule in common.
"""

from collections import deque
from typing import Any

from weft.check.strategies.dfs import ROOT
from weft.check.strategies.dpor import add_to

__all__ = ["BoundedFrontier", "DporFrontier"]

MOST_PARTS = 256  # from which on DPOR splits no further


class BoundedFrontier:
    """All schedules with at most `bound` preemptions, or delays, those with fewer first.

    Attributes:
        level: preemptions of the schedules that are searched now.
        exhausted: all with at most so many have been run; -1: none.
        within: how many those were.
        over: there is nothing left; complete: and no bound cut anything off.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.level = 0
        self.queue: deque[bytes] = deque([ROOT])
        self.alive = 1  # parts that are in the queue or out
        self.later: dict[int, list[bytes]] = {}
        self.runs = 0
        self.exhausted = -1
        self.within = 0
        self.diverged = 0
        self.cut = False
        self.over = False
        self.lost = 0

    @property
    def complete(self) -> bool:
        """Whether these were all schedules there are."""
        return self.over and not self.cut and not self.lost

    def take(self) -> bytes | None:
        """The next part; None: what is out has to come back first."""
        return self.queue.popleft() if self.queue else None

    def put_back(self, part: bytes) -> None:
        """It was not searched after all; the last taken comes back first."""
        self.queue.appendleft(part)

    def wire(self, part: bytes) -> list[Any]:
        """The part as a process gets it."""
        return [self.bound, self.level, part]

    def merge(self, part: bytes, told: dict[str, Any]) -> None:
        """A part has been searched for a while."""
        self.runs += told["runs"]
        self.diverged += told["diverged"]
        self.cut = self.cut or told["cut"]
        self.queue.extend(told["rest"])
        self.alive += len(told["rest"])
        for level, parts in told["later"]:
            self.later.setdefault(level, []).extend(parts)
        self._back()

    def lose(self, part: bytes) -> None:
        """A part whose search has ended its process is given up."""
        self.lost += 1
        self._back()

    def _back(self) -> None:
        self.alive -= 1
        if self.alive:
            return
        self.within = self.runs
        if self.later:
            self.level = min(self.later)
            self.exhausted = self.level - 1
            self.queue.extend(self.later.pop(self.level))
            self.alive = len(self.queue)
        else:
            self.exhausted = self.bound if self.cut else self.level
            self.over = True
        if self.lost:
            self.exhausted = -1

    @property
    def state(self) -> dict[str, Any]:
        """Where it stands, while nothing is out, of plain types."""
        return {**vars(self), "queue": list(self.queue), "later": list(self.later.items())}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        vars(self).update(state, queue=deque(state["queue"]), later=dict(state["later"]))


class _Node:
    """A choice that several parts have in common: who could go on, whom to try, who has been, who sleeps."""

    __slots__ = ("before", "fields")

    def __init__(self, fields: list[Any], before: "_Step | None") -> None:
        self.fields = fields
        self.before = before


class _Step:
    """What a part does at such a choice: whom it takes, what that thread does, who was taken before."""

    __slots__ = ("choice", "does", "done", "node")

    def __init__(self, node: _Node, choice: int, does: Any, done: list[int]) -> None:
        self.node = node
        self.choice = choice
        self.does = does
        self.done = done


class _Part:
    """The steps that lead to it, and the stack of its own search (weft.check.strategies.dpor)."""

    __slots__ = ("before", "stack")

    def __init__(self, before: _Step | None, stack: list[Any]) -> None:
        self.before = before
        self.stack = stack

    def steps(self) -> list[_Step]:
        """From the first choice on."""
        found = []
        step = self.before
        while step is not None:
            found.append(step)
            step = step.node.before
        return found[::-1]


class DporFrontier:
    """One execution of each class, by source-DPOR in parts.

    The choices at the bottom that several parts have in common belong to nobody: a race that asks for another
    thread there is told to this object, which makes a part of it unless another one has been asked for
    already that would do. In a part that begins with one thread all those sleep with which parts of the same
    choice were begun earlier, no matter whether these have ended: what is left out here is run there.

    Attributes:
        over: there is nothing left; complete: and nothing is known that was not seen.
    """

    def __init__(self) -> None:
        self.queue: deque[_Part] = deque([_Part(None, [])])
        self.alive = 1
        self.runs = 0
        self.pruned = 0
        self.diverged = 0
        self.blurred: list[str] = []
        self.over = False
        self.lost = 0

    @property
    def complete(self) -> bool:
        """Whether one execution of each class has been run, as far as can be seen."""
        return self.over and not self.lost

    def take(self) -> _Part | None:
        """The next part; None: what is out has to come back first."""
        return self.queue.popleft() if self.queue else None

    def put_back(self, part: _Part) -> None:
        """It was not searched after all; the last taken comes back first."""
        self.queue.appendleft(part)

    def wire(self, part: _Part) -> list[Any]:
        """The part as a process gets it: the stack, and how much of it only leads there."""
        path: list[Any] = []
        for step in part.steps():
            enabled, todo, _, sleepers = step.node.fields
            path.append([enabled, todo, step.done, sleepers, step.choice, step.does])
        return [path + part.stack, len(path)]

    def merge(self, part: _Part, told: dict[str, Any]) -> None:
        """A part has been searched for a while."""
        self.runs += told["runs"]
        self.pruned += told["pruned"]
        self.diverged += told["diverged"]
        self.blurred += [each for each in told["blurred"] if each not in self.blurred]
        if part.before is not None and part.before.does is None:
            part.before.does = told["does"]
        if told["stack"]:
            self._take_up(part, told["stack"])
        if told["asked"]:
            steps = part.steps()
            for depth, initials, late in told["asked"]:
                node = steps[depth].node
                for number in add_to(node.fields, initials, late):
                    self._begin_with(node, number)
        self._back()

    def _take_up(self, part: _Part, stack: list[Any]) -> None:
        """What is left of a part: split where it has something to try that is nearest to the beginning."""
        before = part.before
        at = -1
        if self.alive < MOST_PARTS:
            at = next((depth for depth, node in enumerate(stack) if _pending(node)), -1)
        shared = None
        for enabled, todo, done, sleepers, choice, does in stack[: at + 1]:
            shared = _Node([enabled, todo, [*done, choice], sleepers], before)
            before = _Step(shared, choice, does, done)
        self._add(_Part(before, stack[at + 1 :]))
        if shared is not None:
            for number in _pending(stack[at]):
                self._begin_with(shared, number)

    def _begin_with(self, node: _Node, number: int) -> None:
        _, _, started, sleepers = node.fields
        if number not in started and number not in sleepers:
            self._add(_Part(_Step(node, number, None, list(started)), []))
            started.append(number)

    def _add(self, part: _Part) -> None:
        self.queue.append(part)
        self.alive += 1

    def lose(self, part: _Part) -> None:
        """A part whose search has ended its process is given up."""
        self.lost += 1
        self._back()

    def _back(self) -> None:
        self.alive -= 1
        self.over = not self.alive

    @property
    def state(self) -> dict[str, Any]:
        """Where it stands, while nothing is out, of plain types: what parts have in common stands once."""
        nodes: list[Any] = []
        steps: list[Any] = []
        places: dict[int, int] = {}

        def place(step: _Step | None) -> int:
            if step is None:
                return -1
            if id(step) in places:
                return places[id(step)]
            path = _Part(step, []).steps()
            for each in path:
                if id(each.node) not in places:
                    places[id(each.node)] = len(nodes)
                    nodes.append([each.node.fields, place(each.node.before)])
                if id(each) not in places:
                    places[id(each)] = len(steps)
                    steps.append([places[id(each.node)], each.choice, each.does, each.done])
            return places[id(step)]

        queue = [[place(part.before), part.stack] for part in self.queue]
        return {**vars(self), "queue": queue, "nodes": nodes, "steps": steps}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        nodes: list[_Node] = []
        steps: list[_Step] = []
        todo = list(state["steps"])

        def step_at(index: int) -> _Step | None:
            while len(steps) <= index:
                number, choice, does, done = todo[len(steps)]
                while len(nodes) <= number:
                    fields, before = state["nodes"][len(nodes)]
                    nodes.append(_Node(fields, step_at(before)))
                steps.append(_Step(nodes[number], choice, does, done))
            return steps[index] if index >= 0 else None

        queue = deque(_Part(step_at(before), stack) for before, stack in state["queue"])
        vars(self).update({name: state[name] for name in vars(self)}, queue=queue)


def _pending(node: list[Any]) -> list[int]:
    """Whom a node of a search has still to try."""
    return [n for n in node[1] if n not in node[2] and n not in node[3] and n != node[4]]
