"""How an expression is rewritten: the same value, with a call before each access to what can be shared.

Two forms of each. `armed` has the calls. `value` is what stands in the program: `armed if __weft_on__ else
plain`, so that a program without a listener pays for a flag. The flag is asked once for a *straight*
expression, in which no call can change it; what holds calls of the program is taken apart, and each part asks
for itself. Trees are never changed in place: both forms share what is the same.

A call of ours gets the object and gives it back (`__weft_r__(obj, 'a', site).a`), so targets, `del` and
private names work as they are, and the access is made in the frame and at the position where it stood.
"""

import ast
from collections.abc import Callable
from typing import Any

from weft.instrument.scopes import Scope, mangle
from weft.instrument.seams import BUILTIN_CALLS, CONTAINER_METHODS, WHOLE_CALLS, Access

__all__ = ["LIMIT", "MARK", "Expressions", "Places", "call", "either", "size"]

MARK = "@site"  # `("@site", n)` among the constants is the n-th access of the module, until it is numbered
LIMIT = 160  # nodes; what is larger is not written twice, and pays for calls that do nothing

Sub = Callable[[Any], Any]

_STRUCTURE = (ast.Starred, ast.Slice, ast.FormattedValue, ast.JoinedStr)
_MADE_HERE: tuple[type[ast.expr], ...] = (
    *(ast.Constant, ast.JoinedStr, ast.Lambda, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.Compare),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
_NOT_STRAIGHT = (ast.Await, ast.Yield, ast.YieldFrom, ast.Lambda, ast.NamedExpr)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_PLAIN_TRUTH = (ast.Compare, ast.Constant, ast.JoinedStr, ast.Lambda, ast.List, ast.Tuple, ast.Dict, ast.Set)


def call(where: ast.AST, name: str, *arguments: ast.expr) -> ast.Call:
    """A call of one of our functions, told as standing where a node stands."""
    function = ast.copy_location(ast.Name(name, ast.Load()), where)
    return ast.copy_location(ast.Call(function, list(arguments), []), where)


def constant(where: ast.AST, value: object) -> ast.Constant:
    return ast.copy_location(ast.Constant(value), where)  # type: ignore[arg-type] # a tuple is one too


def either(armed: ast.expr, plain: ast.expr) -> ast.expr:
    """`armed if __weft_on__ else plain`."""
    flag = ast.copy_location(ast.Name("__weft_on__", ast.Load()), plain)
    return ast.copy_location(ast.IfExp(flag, armed, plain), plain)


def size(node: ast.AST) -> int:
    """How many nodes there are, counted until there are more than LIMIT."""
    count = 0
    for _ in ast.walk(node):
        count += 1
        if count > LIMIT:
            break
    return count


def is_super(node: ast.expr) -> bool:
    """Whether this is a call of `super`: what it finds belongs to classes, and it knows its own frame."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


class Places:
    """The accesses of one module: each has a number, by where it stands and what it does."""

    def __init__(self, filename: str, source: str) -> None:
        self.filename = filename
        self.lines = source.splitlines()
        self.found: list[tuple[str, int, int, str, str]] = []
        self.known: dict[tuple[int, int], int] = {}
        self.kept: list[ast.AST] = []  # numbered nodes, so that no other gets the id of one

    def number(self, node: ast.AST, access: int, function: str) -> int:
        """The number of an access."""
        key = (id(node), access)
        if key not in self.known:
            self.known[key] = len(self.found)
            self.kept.append(node)
            line, offset = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
            column = len(self._line(line).encode()[:offset].decode(errors="replace"))
            self.found.append((self.filename, line, column, self._text(node), function))
        return self.known[key]

    def _line(self, number: int) -> str:
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def _text(self, node: ast.AST) -> str:
        """The source of a node; of a statement its first line."""
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0) or 0
        line = self._line(first).encode()
        begin = getattr(node, "col_offset", 0)
        if isinstance(node, ast.expr) and first == last:
            return line[begin : node.end_col_offset].decode(errors="replace")
        return line[begin:].decode(errors="replace").strip()


class Expressions:
    """Rewrites expressions; statements build on it."""

    def __init__(self, places: Places, scopes: dict[ast.AST, Scope], shared: frozenset[str]) -> None:
        self.places = places
        self.scopes = scopes
        self.shared = shared  # globals that functions rebind
        self.scope: Scope = None  # type: ignore[assignment] # set with the module
        self.function = "<module>"
        self.made = 0  # calls written so far
        self._straight: dict[int, bool] = {}

    # ---- names

    def mangled(self, name: str) -> str:
        return mangle(name, self.scope.in_class)

    def sharing(self, name: str) -> str:
        """How a variable can be shared: "global", "cell", or "" if it cannot."""
        name = self.mangled(name)
        if name.startswith("@"):
            return ""
        owner = self.scope.owner(name)
        if owner is None:
            return "global" if name in self.shared else ""
        return "cell" if owner.kind == "function" and owner.shares(name) else ""

    def is_simple(self, node: ast.expr) -> bool:
        """Whether evaluating it twice is evaluating it once: a constant, or a variable nobody else sees."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            node = node.operand
        if isinstance(node, ast.Name):
            owner = self.scope.owner(self.mangled(node.id))
            return owner is not None and not self.sharing(node.id)
        return isinstance(node, ast.Constant)

    def site(self, node: ast.AST, access: int) -> ast.expr:
        self.made += 1
        return constant(node, (MARK, self.places.number(node, access, self.function)))

    def maker(self, node: ast.Name) -> ast.expr:
        """A function whose only cell is the variable's: `lambda: x`."""
        nothing = ast.arguments([], [], None, [], [], None, [])
        inner = ast.copy_location(ast.Name(node.id, ast.Load()), node)
        return ast.copy_location(ast.Lambda(nothing, inner), node)

    def variable(self, node: ast.Name, access: int) -> list[ast.expr]:
        """What our functions for variables are given: where it is kept, its name, the site."""
        kept = call(node, "__weft_globals__") if self.sharing(node.id) == "global" else self.maker(node)
        return [kept, constant(node, self.mangled(node.id)), self.site(node, access)]

    # ---- the two forms

    def value(self, node: Any) -> Any:
        """What stands in the program."""
        if isinstance(node, _STRUCTURE):
            return self.part(node, self.value)
        if self.straight(node):
            made = self.made
            armed = self.armed(node)
            return node if self.made == made else self.split(node, armed)
        if isinstance(node, ast.Lambda):
            return self.in_lambda(node)
        if isinstance(node, _COMPREHENSIONS):
            return self.in_comprehension(node)
        if isinstance(node, ast.BoolOp):
            *tested, last = node.values
            return self.with_fields(node, values=[*map(self.test, tested), self.value(last)])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.with_fields(node, operand=self.test(node.operand))
        if isinstance(node, ast.IfExp):
            return self.with_fields(
                node, test=self.test(node.test), body=self.value(node.body), orelse=self.value(node.orelse)
            )
        parts: dict[int, Any] = {}

        def once(part: Any) -> Any:
            if id(part) not in parts:
                parts[id(part)] = self.value(part)
            return parts[id(part)]

        made = self.made
        armed = self.operation(node, once)
        if armed is None:
            return self.mapped(node, once)
        plain = self.mapped(node, once)
        if size(plain) + size(armed) > LIMIT:
            return armed
        return self.split(plain, armed)

    def split(self, plain: Any, armed: Any) -> Any:
        """Both forms, parted by the flag; an attribute keeps its place outside, for the sake of calls."""
        if isinstance(plain, ast.Attribute) and isinstance(armed, ast.Attribute):
            return self.with_fields(plain, value=either(armed.value, plain.value))
        return either(armed, plain)

    def armed(self, node: Any) -> Any:
        """A straight expression with all calls in it."""
        if isinstance(node, _STRUCTURE):
            return self.part(node, self.armed)
        found = self.operation(node, self.armed)
        return self.mapped(node, self.armed) if found is None else found

    def part(self, node: Any, sub: Sub) -> Any:
        """A part of an expression that is none itself: what is unpacked or shown in it is read."""
        if not isinstance(node, (ast.Starred, ast.FormattedValue)) or isinstance(node.value, _MADE_HERE):
            return self.mapped(node, sub)
        if sub == self.armed or not self.straight(node.value):
            return self.with_mapped(node, self.whole(node.value, sub), sub)
        return self.with_mapped(node, either(self.whole(node.value, self.armed), node.value), sub)

    def with_mapped(self, node: Any, value: ast.expr, sub: Sub) -> Any:
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            return self.with_fields(node, value=value, format_spec=sub(node.format_spec))
        return self.with_fields(node, value=value)

    def straight(self, node: ast.AST) -> bool:
        """Whether no code of the program's can run for long, or change the flag, in between."""
        known = self._straight.get(id(node))
        if known is None:
            running = isinstance(node, ast.Call) and self.atomic(node) is None
            running = running or isinstance(node, _NOT_STRAIGHT + _COMPREHENSIONS)
            known = not running and all(self.straight(child) for child in ast.iter_child_nodes(node))
            self._straight[id(node)] = known
            self.places.kept.append(node)
        return known

    def mapped(self, node: Any, sub: Sub) -> Any:
        """A copy with each expression inside replaced."""
        fields: dict[str, Any] = {}
        for name, old in ast.iter_fields(node):
            if isinstance(old, list):
                fields[name] = [self._part(part, sub) for part in old]
            else:
                fields[name] = self._part(old, sub)
        return ast.copy_location(type(node)(**fields), node)

    def _part(self, part: Any, sub: Sub) -> Any:
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            return part  # of a walrus
        if isinstance(part, ast.expr):
            return sub(part)
        return self.mapped(part, sub) if isinstance(part, ast.keyword) else part

    def with_fields(self, node: Any, **changed: Any) -> Any:
        """A copy with some fields replaced."""
        return ast.copy_location(type(node)(**{**dict(ast.iter_fields(node)), **changed}), node)

    # ---- accesses

    def operation(self, node: Any, sub: Sub) -> Any:
        """The node with its own call; None if it makes no access itself."""
        if isinstance(node, ast.Name):
            return self._name(node)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, sub)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, sub)
        if isinstance(node, ast.Call):
            return self._call(node, sub)
        if isinstance(node, ast.Compare):
            return self._compare(node, sub)
        if isinstance(node, ast.BinOp):
            return self._binary(node, sub)
        if isinstance(node, ast.BoolOp):
            *tested, last = node.values
            return self.with_fields(node, values=[*(self.truth(part, sub) for part in tested), sub(last)])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.with_fields(node, operand=self.truth(node.operand, sub))
        if isinstance(node, ast.IfExp):
            return self.with_fields(
                node, test=self.truth(node.test, sub), body=sub(node.body), orelse=sub(node.orelse)
            )
        if isinstance(node, ast.NamedExpr):
            return self._walrus(node, sub)
        return None

    def _name(self, node: ast.Name) -> Any:
        how = self.sharing(node.id)
        if not how:
            return None
        told = call(
            node, "__weft_g__" if how == "global" else "__weft_c__", *self.variable(node, Access.READ)
        )
        return ast.copy_location(ast.BoolOp(ast.And(), [told, node]), node)

    def _attribute(self, node: ast.Attribute, sub: Sub) -> Any:
        base = node.value
        if node.attr == "__class__" or is_super(base) or isinstance(base, (ast.Constant, ast.JoinedStr)):
            return None
        if isinstance(base, ast.Name) and base.id.startswith("@"):
            return None
        if node.attr == "__dict__":
            told: ast.expr = call(node, "__weft_d__", sub(node.value), self.site(node, Access.READ))
        else:
            told = self.about(node, "__weft_r__", Access.READ, sub)
        return self.with_fields(node, value=told)

    def about(self, node: ast.Attribute, name: str, access: int, sub: Sub) -> ast.expr:
        """A call of ours about an attribute, which gives the object back."""
        base = sub(node.value)
        return call(node, name, base, constant(node, self.mangled(node.attr)), self.site(node, access))

    def _subscript(self, node: ast.Subscript, sub: Sub) -> Any:
        base, site = sub(node.value), self.site(node, Access.READ)
        if self.is_simple(node.slice):
            return self.with_fields(node, value=call(node, "__weft_i__", base, node.slice, site))
        pair = call(node, "__weft_pair__", base, self.key(node.slice, sub), site)
        return call(node, "__weft_getitem__", ast.copy_location(ast.Starred(pair, ast.Load()), node))

    def key(self, node: ast.expr, sub: Sub) -> Any:
        """A key as an expression of its own: slices are made by a call."""
        if isinstance(node, ast.Slice):
            parts = (node.lower, node.upper, node.step)
            return call(
                node,
                "__weft_slice__",
                *(constant(node, None) if part is None else sub(part) for part in parts),
            )
        if isinstance(node, ast.Tuple):
            return self.with_fields(node, elts=[self.key(part, sub) for part in node.elts])
        return sub(node)

    def atomic(self, node: ast.Call) -> ast.expr | None:
        """What is called, if the call may be one operation on a container."""
        function = node.func
        if isinstance(function, ast.Name):
            name = function.id
            if name not in BUILTIN_CALLS or self.scope.owner(self.mangled(name)) or not node.args:
                return None
            lazy = any(isinstance(part, ast.GeneratorExp) for part in node.args)
            return None if lazy or self.sharing(name) else function
        if isinstance(function, ast.Attribute) and function.attr in CONTAINER_METHODS:
            base = function.value
            return None if is_super(base) or isinstance(base, (ast.Constant, ast.JoinedStr)) else function
        return None

    def _call(self, node: ast.Call, sub: Sub) -> Any:
        if self.atomic(node) is None:
            return self._joined(node, sub)
        function = sub(node.func)
        bare = not node.keywords and not any(isinstance(part, ast.Starred) for part in node.args)
        if bare and isinstance(node.func, ast.Name) and len(node.args) == 1 and node.func.id in WHOLE_CALLS:
            # The one argument is evaluated last: what it is is told there.
            whole = call(node, "__weft_t__", sub(node.args[0]), self.site(node, Access.READ))
            return self.with_fields(node, args=[whole])
        site = self.site(node, Access.CALL)
        few = f"__weft_call{len(node.args)}__" if bare and len(node.args) < 2 else "__weft_call__"
        told = call(node, few, function, site, *(sub(part) for part in node.args))
        told.keywords = [self.mapped(keyword, sub) for keyword in node.keywords]
        return ast.copy_location(ast.Call(told, [], []), node)

    def _joined(self, node: ast.Call, sub: Sub) -> Any:
        """`", ".join(shared)`."""
        if not isinstance(node.func, ast.Attribute) or node.func.attr != "join" or node.keywords:
            return None
        if len(node.args) != 1 or isinstance(node.args[0], (ast.Starred, *_MADE_HERE)):
            return None
        return self.with_fields(node, func=sub(node.func), args=[self.whole(node.args[0], sub)])

    def whole(self, node: ast.expr, sub: Sub) -> Any:
        """An expression of which, if it is a container, all is read."""
        if isinstance(node, _MADE_HERE) or (isinstance(node, ast.UnaryOp) and self.is_simple(node)):
            return sub(node)
        return call(node, "__weft_t__", sub(node), self.site(node, Access.READ))

    def _binary(self, node: ast.BinOp, sub: Sub) -> Any:
        """`shared + [x]`: where one side is a list, the other is one."""
        if not isinstance(node.op, ast.Add):
            return None
        if not any(isinstance(side, (ast.List, ast.ListComp)) for side in (node.left, node.right)):
            return None
        return self.with_fields(node, left=self.whole(node.left, sub), right=self.whole(node.right, sub))

    def _equal(self, node: ast.Compare, sub: Sub) -> Any:
        """`==` reads containers to their ends, unless one side is a constant."""
        sides = (node.left, *node.comparators)
        equal = all(isinstance(operator, (ast.Eq, ast.NotEq)) for operator in node.ops)
        if not equal or any(isinstance(side, (ast.Constant, ast.JoinedStr, ast.UnaryOp)) for side in sides):
            return None
        left, *rest = (self.whole(side, sub) for side in sides)
        return self.with_fields(node, left=left, comparators=rest)

    def _compare(self, node: ast.Compare, sub: Sub) -> Any:
        if not any(isinstance(operator, (ast.In, ast.NotIn)) for operator in node.ops):
            return self._equal(node, sub)
        left, compared = node.left, []
        for operator, right in zip(node.ops, node.comparators, strict=True):
            new = sub(right)
            if isinstance(operator, (ast.In, ast.NotIn)):
                key = left if self.is_simple(left) else constant(left, None)
                new = call(right, "__weft_in__", new, key, self.site(right, Access.READ))
            compared.append(new)
            left = right
        return self.with_fields(node, left=sub(node.left), comparators=compared)

    def _walrus(self, node: ast.NamedExpr, sub: Sub) -> Any:
        how = self.sharing(node.target.id)
        if not how:
            return None
        rest = self.variable(node.target, Access.WRITE)
        told = call(node, "__weft_gv__" if how == "global" else "__weft_cv__", sub(node.value), *rest)
        return self.with_fields(node, value=told)

    def truth(self, node: ast.expr, sub: Sub) -> Any:
        """An expression whose truth is asked."""
        if isinstance(node, _PLAIN_TRUTH) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)):
            return sub(node)
        if isinstance(node, ast.BoolOp):
            return self.with_fields(node, values=[self.truth(part, sub) for part in node.values])
        return call(node, "__weft_t__", sub(node), self.site(node, Access.READ))

    def test(self, node: ast.expr) -> Any:
        """The condition of a statement."""
        if isinstance(node, ast.Constant):
            return node
        if isinstance(node, ast.BoolOp):
            return self.with_fields(node, values=[self.test(part) for part in node.values])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.with_fields(node, operand=self.test(node.operand))
        if not self.straight(node):
            return self.around(node, lambda inner: self.truth(node, lambda _: inner))
        made = self.made
        armed = self.truth(node, self.armed)
        return node if self.made == made else either(armed, node)

    def around(self, node: ast.expr, armed: Sub) -> Any:
        """A call of ours around an expression that has its own parts told."""
        inner = self.value(node)
        outside = armed(inner)
        return outside if outside is inner or size(inner) * 2 > LIMIT else either(outside, inner)

    def iterated(self, node: ast.expr) -> Any:
        """What a loop goes over."""
        if isinstance(node, (ast.Constant, ast.List, ast.Tuple, ast.Set, ast.Dict, *_COMPREHENSIONS)):
            return self.value(node)  # made here: nobody else has it
        site = self.site(node, Access.READ)
        if self.straight(node):
            return either(call(node, "__weft_it__", self.armed(node), site), node)
        return self.around(node, lambda inner: call(node, "__weft_it__", inner, site))

    # ---- what has a scope of its own

    def in_lambda(self, node: ast.Lambda) -> Any:
        """A function of one expression. Its defaults are left alone, but for functions in them."""
        outer, function = self.scope, self.function
        arguments = self.passive(node.args)
        self.scope, self.function = self.scopes[node], self.qualified("<lambda>")
        body = self.value(node.body)
        self.scope, self.function = outer, function
        return self.with_fields(node, args=arguments, body=body)

    def in_comprehension(self, node: Any) -> Any:
        """A comprehension; the first thing that it goes over belongs to the scope around it."""
        outer = self.scope
        first = self.clause_source(node.generators[0])
        self.scope = self.scopes[node]
        clauses = []
        for number, clause in enumerate(node.generators):
            source = self.clause_source(clause) if number else first
            target = self.target(clause.target)
            tests = [self.test(test) for test in clause.ifs]
            clauses.append(ast.comprehension(target, source, tests, clause.is_async))
        if isinstance(node, ast.DictComp):
            new = self.with_fields(
                node, key=self.value(node.key), value=self.value(node.value), generators=clauses
            )
        else:
            new = self.with_fields(node, elt=self.value(node.elt), generators=clauses)
        self.scope = outer
        return new

    def clause_source(self, clause: ast.comprehension) -> Any:
        return self.value(clause.iter) if clause.is_async else self.iterated(clause.iter)

    def target(self, node: ast.expr) -> Any:
        """What is assigned to, with its calls; statements know how."""
        raise NotImplementedError

    def qualified(self, name: str) -> str:
        """The name of a function inside the present one."""
        return name if self.function == "<module>" else f"{self.function}.<locals>.{name}"

    def passive(self, node: Any) -> Any:
        """A copy of code that is left alone, but for the functions in it."""
        if isinstance(node, ast.Lambda):
            return self.in_lambda(node)
        outer = self.scope
        self.scope = self.scopes.get(node, outer)
        fields: dict[str, Any] = {}
        for name, old in ast.iter_fields(node):
            if isinstance(old, list):
                fields[name] = [self.passive(part) if isinstance(part, ast.AST) else part for part in old]
            else:
                fields[name] = self.passive(old) if isinstance(old, ast.AST) else old
        self.scope = outer
        return ast.copy_location(type(node)(**fields), node)
