"""Atomic segments (docs/internals/atomic-segments.md) hold nothing at which a carrier is interrupted.

On Python 3.11 the line that follows a loss of the interpreter's lock may be an event, so no call may stand in
the line of a segment's test before it. On 3.12 and later an unconditional jump is an event of
`sys.monitoring`, by which carriers are interrupted: while such events are on, each jump calls a Python
function, at whose beginning the interpreter's lock may be given up; so none stands between a test and a
store. Conditional jumps are events of another kind. So `if ... else` has no place in a segment: each branch
has to go on to the end by itself.
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


def starts(text: str, name: str) -> Iterator[tuple[str, list[dis.Instruction], int]]:
    """Of each line marked as atomic: its name, the instructions around it, and which is its first."""
    marked = {
        number + line.lstrip().startswith("#")  # a line of its own speaks of the next one
        for number, line in enumerate(text.splitlines(), 1)
        if "atomic" in line.partition("#")[2]
    }
    for code in codes(compile(text, name, "exec")):
        steps = list(dis.get_instructions(code))
        for number in marked:
            own = [i for i, step in enumerate(steps) if step.positions and step.positions.lineno == number]
            if own:
                yield f"{name}:{number} {code.co_qualname}", steps, own[0]


def broken(text: str, name: str) -> list[str]:
    """Lines marked as atomic from which a store is reached by way of a jump forward, and no call between."""
    found = []
    for line, steps, start in starts(text, name):
        at = {step.offset: index for index, step in enumerate(steps)}
        if _stores_after_a_jump(steps, at, start):
            found.append(line)
    return found


def late(text: str, name: str) -> list[str]:
    """Lines marked as atomic in which a call goes before the test."""
    found = []
    for line, steps, start in starts(text, name):
        number = line.partition(":")[2].partition(" ")[0]
        for step in steps[start:]:
            if "JUMP" in step.opname or not step.positions or step.positions.lineno != int(number):
                break
            if step.opname.startswith(("CALL", "PRECALL")):
                found.append(line)
                break
    return found


def sources() -> Iterator[tuple[str, str]]:
    for part in PARTS:
        for path in sorted((PACKAGE / part).rglob("*.py")):
            yield path.read_text(), f"{part}/{path.name}"


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
    wrong = [line for text, name in sources() for line in broken(text, name)]
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


def test_no_call_goes_before_the_test_of_a_segment() -> None:
    texts = list(sources())
    assert sum(1 for text, name in texts for _ in starts(text, name)) > 50
    assert [line for text, name in texts for line in late(text, name)] == []


def test_a_call_before_the_test_is_found() -> None:
    text = """
def take(self):
    if me() is not None and self.owner is None:  # atomic
        self.owner = 1

def get(self):
    if self.items:  # atomic
        return self.items.popleft()
"""
    assert late(text, "it") == ["it:3 take"]
