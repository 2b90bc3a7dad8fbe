"""Atomic segments (docs/internals/atomic-segments.md) hold no jump forward between their test and a store.

An unconditional jump is an event of `sys.monitoring`, by which carriers are interrupted on Python 3.12 and
later: while such events are on, each jump calls a Python function, at whose beginning the interpreter's lock
may be given up. Conditional jumps are events of another kind. So `if ... else` has no place in a segment:
each branch has to go on to the end by itself.
"""

import dis
import re
import sys
from collections.abc import Iterator
from types import CodeType

import pytest

from tests.support.source import PACKAGE

PARTS = ("core", "futures", "models", "stdlib")
#: Where what is stored behind the jump is no part of the segment any more: why.
AFTER = {
    "stdlib/condition.py Condition.wait": "the lock has been let go; then the caller's own block is written"
}
ENDS = ("CALL", "RETURN", "RAISE", "RERAISE", "JUMP_BACKWARD", "YIELD", "SEND", "FOR_ITER")


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def broken(text: str, name: str) -> list[str]:
    """Lines marked as atomic from which a store is reached by way of a jump forward, and no call between."""
    marked = {
        number + line.lstrip().startswith("#")  # a line of its own speaks of the next one
        for number, line in enumerate(text.splitlines(), 1)
        if "atomic" in line.partition("#")[2]
    }
    found = []
    for code in codes(compile(text, name, "exec")):
        steps = list(dis.get_instructions(code))
        at = {step.offset: index for index, step in enumerate(steps)}
        for number in marked:
            starts = [i for i, step in enumerate(steps) if step.positions and step.positions.lineno == number]
            if starts and _stores_after_a_jump(steps, at, starts[0]):
                found.append(f"{name}:{number} {code.co_qualname}")
    return found


def _stores_after_a_jump(steps: list[dis.Instruction], at: dict[int, int], start: int) -> bool:
    seen, left = set(), [(start, False)]
    while left:
        here, jumped = left.pop()
        if (here, jumped) in seen or here >= len(steps):
            continue
        seen.add((here, jumped))
        step = steps[here]
        if step.opname.startswith("STORE_ATTR") and jumped:
            return True
        if step.opname.startswith(ENDS):
            continue
        if step.opname == "JUMP_FORWARD":
            left.append((at[step.argval], True))
            continue
        left.append((here + 1, jumped))
        if step.opcode in dis.hasjrel or step.opcode in dis.hasjabs:
            left.append((at[step.argval], jumped))
    return False


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no such events")
def test_no_segment_has_a_jump_before_a_store() -> None:
    wrong = []
    for part in PARTS:
        for path in sorted((PACKAGE / part).rglob("*.py")):
            wrong += broken(path.read_text(), f"{part}/{path.name}")
    assert {re.sub(r":\d+", "", entry) for entry in wrong} == AFTER.keys()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no such events")
def test_a_segment_that_branches_is_found() -> None:
    text = """
def put(self, item):
    if not self.getters:  # atomic up to the append
        if self.bounded:
            self.room -= 1
        else:
            self.calm = True
        self.tasks += 1
        self.items.append(item)

def take(self):
    if self.owner is None:  # atomic
        self.owner = me
        return True
    self.owner = self.other()
"""
    assert broken(text, "it") == ["it:3 put"]
