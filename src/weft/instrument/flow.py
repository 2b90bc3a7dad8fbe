"""Which reads flow into which writes, through the locals of one function.

A lost update is sure if what is written was made from the stale read. The body of a function is followed as
it would run, with what each local may hold: the reads its value comes from. Branches are joined, loops
followed until nothing changes. What decides a branch does not flow, nor does the object through which
something is read; but which reads decide about a write is noted beside.
"""

import ast
from collections.abc import Mapping
from typing import Any

from weft.instrument.seams import Access

__all__ = ["flows_of"]

Reads = frozenset[int]
Locals = dict[str, Reads]
NOTHING: Reads = frozenset()
CHANGING = frozenset(
    {"append", "add", "clear", "discard", "extend", "insert", "remove", "reverse", "sort", "update"}
)
_LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)
ROUNDS = 4  # of a loop; a value that needs more is rare, and taken for unrelated


def flows_of(
    body: list[ast.stmt], known: Mapping[tuple[int, int], int]
) -> tuple[dict[int, Reads], dict[int, Reads]]:
    """For each write among the statements of one function, the reads that flow into it; and those that
    decide whether it is made.

    Args:
        body: the statements as they were before rewriting.
        known: the numbers of accesses, by the id of the node and the kind.
    """
    flow = _Flow(known)
    flow.block(body, {})
    found, decided = (
        {write: reads for write, reads in each.items() if reads} for each in (flow.found, flow.decided)
    )
    return found, decided


def _joined(first: Locals, second: Locals) -> Locals:
    return {
        name: first.get(name, NOTHING) | second.get(name, NOTHING) for name in first.keys() | second.keys()
    }


class _Flow:
    def __init__(self, known: Mapping[tuple[int, int], int]) -> None:
        self.known = known
        self.found: dict[int, Reads] = {}
        self.decided: dict[int, Reads] = {}
        self.deciding: Reads = NOTHING

    def at(self, node: ast.AST, *accesses: int) -> Reads:
        return frozenset(
            self.known[id(node), access] for access in accesses if (id(node), access) in self.known
        )

    # ---- values

    def value(self, node: Any, now: Locals) -> Reads:
        """The reads that an expression's value comes from."""
        if isinstance(node, ast.Name):
            return self.at(node, Access.READ) | now.get(node.id, NOTHING)
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            self.value(node.value, now)
            return self.at(node, Access.READ)
        if isinstance(node, ast.Call):
            return self.called(node, now)
        if isinstance(node, ast.IfExp):
            self.value(node.test, now)
            return self.value(node.body, now) | self.value(node.orelse, now)
        if isinstance(node, ast.NamedExpr):
            reads = self.value(node.value, now)
            self.bind(node.target, reads, now)
            return reads
        if isinstance(node, ast.Lambda):
            return NOTHING
        reads = NOTHING
        for child in ast.iter_child_nodes(node):
            inner = child.iter if isinstance(child, ast.comprehension) else child
            if isinstance(inner, (ast.expr, ast.keyword)):
                reads |= self.value(inner, now)
        return reads

    def called(self, node: ast.Call, now: Locals) -> Reads:
        reads = self.at(node, Access.READ)
        if isinstance(node.func, ast.Attribute):
            self.value(node.func.value, now)
            self.decide(self.at(node, Access.CALL))
            if node.func.attr not in CHANGING:
                reads |= self.at(node, Access.CALL)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            reads |= self.value(argument, now)
        return reads

    def bind(self, target: Any, reads: Reads, now: Locals) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self.bind(part, reads, now)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, reads, now)
        else:
            self.decide(self.at(target, Access.WRITE))
            for write in self.at(target, Access.WRITE):
                self.found[write] = self.found.get(write, NOTHING) | reads
            if isinstance(target, ast.Name):  # one that is shared is read anew each time
                now[target.id] = NOTHING if self.at(target, Access.WRITE) else reads

    # ---- statements; each changes what it is given to what holds after it

    def block(self, body: list[ast.stmt], now: Locals, deciding: Reads = NOTHING) -> None:
        before = self.deciding
        self.deciding = before | deciding
        for statement in body:
            self.statement(statement, now)
            if isinstance(statement, ast.If) and isinstance(statement.body[-1], _LEAVES):
                self.deciding |= self.value(statement.test, now)  # the rest is its other branch
        self.deciding = before

    def decide(self, writes: Reads) -> None:
        for write in writes:
            self.decided[write] = self.decided.get(write, NOTHING) | self.deciding

    def statement(self, node: ast.stmt, now: Locals) -> None:
        if isinstance(node, ast.Assign):
            self.assign(node, now)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self.bind(node.target, self.value(node.value, now), now)
        elif isinstance(node, ast.AugAssign):
            read = self.at(node.target, Access.READ)
            if isinstance(node.target, ast.Name) and not read:
                read = now.get(node.target.id, NOTHING)
            self.bind(node.target, read | self.value(node.value, now), now)
        elif isinstance(node, ast.If):
            self.branches([node.body, node.orelse], now, self.value(node.test, now))
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            self.loop(node, now)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            self.tried(node, now)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self.value(item.context_expr, now)
                if item.optional_vars is not None:
                    self.bind(item.optional_vars, NOTHING, now)
            self.block(node.body, now)
        elif isinstance(node, ast.Match):
            reads = self.value(node.subject, now)
            self.branches([*(case.body for case in node.cases), []], now, reads)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self.value(child, now)

    def assign(self, node: ast.Assign, now: Locals) -> None:
        targets, value = node.targets, node.value
        pairs = isinstance(value, ast.Tuple) and len(targets) == 1 and isinstance(targets[0], ast.Tuple)
        if pairs and len(targets[0].elts) == len(value.elts):  # type: ignore[attr-defined] # both are tuples
            reads = [self.value(part, now) for part in value.elts]  # type: ignore[attr-defined]
            for target, read in zip(targets[0].elts, reads, strict=True):  # type: ignore[attr-defined]
                self.bind(target, read, now)
            return
        read = self.value(value, now)
        for target in targets:
            self.bind(target, read, now)

    def branches(self, bodies: list[list[ast.stmt]], now: Locals, deciding: Reads) -> None:
        after: Locals = {}
        for body in bodies:
            here = dict(now)
            self.block(body, here, deciding)
            after = _joined(after, here)
        now.clear()
        now.update(after)

    def loop(self, node: Any, now: Locals) -> None:
        reads = NOTHING if isinstance(node, ast.While) else self.value(node.iter, now)
        for _ in range(ROUNDS):
            here = dict(now)
            deciding = NOTHING
            if isinstance(node, ast.While):
                deciding = self.value(node.test, here)
            else:
                self.bind(node.target, reads, here)
            self.block(node.body, here, deciding)
            after = _joined(now, here)
            if after == now:
                break
            now.update(after)
        self.block(node.orelse, now)

    def tried(self, node: Any, now: Locals) -> None:
        before = dict(now)
        self.block(node.body, now)
        anywhere = _joined(before, now)
        self.block(node.orelse, now)
        for handler in node.handlers:
            here = dict(anywhere)
            self.block(handler.body, here)
            now.update(_joined(now, here))
        self.block(node.finalbody, now)
