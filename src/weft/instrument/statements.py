"""How a module is rewritten: statements, around the expressions in them.

Class bodies, defaults, decorators and annotations are left alone, and so is the module's own level unless it
is the main script's: the functions in them are rewritten all the same.
"""

import ast
from typing import Any

from weft.instrument.expressions import LIMIT, Expressions, Places, call, constant, either, size
from weft.instrument.flow import flows_of
from weft.instrument.scopes import read_scopes, shared_globals
from weft.instrument.seams import Access

__all__ = ["Rewriter"]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)


class Rewriter(Expressions):
    """Rewrites one module.

    Args:
        tree: what was parsed; it is not changed.
        filename, source: for telling the places.
        main: whether the module's own level is rewritten too.
    """

    def __init__(self, tree: ast.Module, filename: str, source: str, main: bool) -> None:
        scopes = read_scopes(tree)
        super().__init__(Places(filename, source), scopes, shared_globals(scopes))
        self.tree = tree
        self.main = main
        self.loops: list[ast.stmt] = []
        self.temporaries = 0
        self.cells_by_place: set[str] = set()  # variables bound through their cells alone
        self.flows: dict[int, frozenset[int]] = {}
        self.decisions: dict[int, frozenset[int]] = {}

    def rewritten(self) -> ast.Module:
        """The new tree; `places.found` and `flows` are filled."""
        self.scope = self.scopes[self.tree]
        if self.main:
            new = ast.Module(self.body(self.tree.body), self.tree.type_ignores)
            self.flow(self.tree.body)
        else:
            new = ast.Module(
                [self.passive(statement) for statement in self.tree.body], self.tree.type_ignores
            )
        return new

    def flow(self, body: list[ast.stmt]) -> None:
        flows, decisions = flows_of(body, self.places.known)
        self.flows.update(flows)
        self.decisions.update(decisions)

    # ---- blocks

    def body(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        new: list[ast.stmt] = []
        for statement in statements:
            new += self.statement(statement)
        return new

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        """What stands for one statement."""
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            return [*self.before_binding(node, [node.name]), self.passive(node)]
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.asname or alias.name.partition(".")[0] for alias in node.names]
            return [*self.before_binding(node, names), node]
        if isinstance(node, ast.Assign):
            return self.assignment(node)
        if isinstance(node, ast.AugAssign):
            return self.augmented(node)
        if isinstance(node, ast.AnnAssign):
            return self.annotated(node)
        if isinstance(node, ast.Delete):
            return [new for target in node.targets for new in self.deletion(node, target)]
        if isinstance(node, _LOOPS):
            return [self.loop(node)]
        if isinstance(node, ast.Continue):
            return [self.back_edge(self.loops[-1]), node]
        if isinstance(node, (ast.If, ast.Assert)):
            fields: dict[str, Any] = {"test": self.test(node.test)}
            if isinstance(node, ast.If):
                fields |= {"body": self.body(node.body), "orelse": self.body(node.orelse)}
            elif node.msg is not None:
                fields["msg"] = self.value(node.msg)
            return [self.with_fields(node, **fields)]
        return [self.mixed(node)]

    def mixed(self, node: Any) -> Any:
        """Any other statement or part of one: expressions inside are values, lists of statements blocks."""
        fields: dict[str, Any] = {}
        for name, old in ast.iter_fields(node):
            if name == "optional_vars" and old is not None:
                fields[name] = self.target(old)
            elif name == "guard" and old is not None:
                fields[name] = self.test(old)
            elif isinstance(old, list):
                if old and isinstance(old[0], ast.stmt):
                    fields[name] = self.body(old)
                else:
                    fields[name] = [self._inner(part) for part in old]
            else:
                fields[name] = self._inner(old)
        return ast.copy_location(type(node)(**fields), node)

    def _inner(self, part: Any) -> Any:
        if isinstance(part, ast.expr):
            return self.value(part)
        if isinstance(part, (ast.withitem, ast.ExceptHandler, ast.match_case)):
            return self.mixed(part)
        return part  # patterns too: names in them are no expressions

    def passive(self, node: Any) -> Any:
        """A copy of code that is left alone, but for the functions in it."""
        if isinstance(node, _FUNCTIONS):
            return self.definition(node)
        if isinstance(node, ast.ClassDef):
            outer, function = self.scope, self.function
            self.function = self.qualified(node.name)
            new = super().passive(node)
            self.scope, self.function = outer, function
            return new
        return super().passive(node)

    def qualified(self, name: str) -> str:
        inside_class = self.scope.kind == "class"
        return f"{self.function}.{name}" if inside_class else super().qualified(name)

    def definition(self, node: Any) -> Any:
        """A function: its body is rewritten."""
        kept = self.scope, self.function, self.loops, self.cells_by_place
        changed: dict[str, Any] = {
            "decorator_list": [self.passive(part) for part in node.decorator_list],
            "args": self.passive(node.args),
        }
        name = self.qualified(node.name)
        self.scope, self.function, self.loops, self.cells_by_place = self.scopes[node], name, [], set()
        body = self.body(node.body)
        self.flow(node.body)
        body += self.bindings_of_cells(node)
        self.scope, self.function, self.loops, self.cells_by_place = kept
        return self.with_fields(node, body=body, **changed)

    def bindings_of_cells(self, node: ast.AST) -> list[ast.stmt]:
        """Code that is never compiled, for the compiler to see whose the variables are."""
        if not self.cells_by_place:
            return []
        body = ast.parse("\n".join(f"if 0: {name} = None" for name in sorted(self.cells_by_place))).body
        for statement in body:
            for part in ast.walk(statement):
                ast.copy_location(part, node)
        return list(body)

    # ---- assignments

    def switch(self, where: ast.stmt, armed: list[ast.stmt], plain: list[ast.stmt]) -> list[ast.stmt]:
        """Both forms of a statement, parted by the flag; if it is too large, the armed one alone."""
        if sum(map(size, armed)) + sum(map(size, plain)) > LIMIT:
            return armed
        flag = ast.copy_location(ast.Name("__weft_on__", ast.Load()), where)
        return [ast.copy_location(ast.If(flag, armed, plain), where)]

    def target(self, node: Any) -> Any:
        """What is assigned to, with its calls."""
        if isinstance(node, ast.Name):
            return self.stored_name(node)
        if isinstance(node, ast.Attribute):
            return self.with_fields(node, value=self.stored_attribute(node))
        if isinstance(node, ast.Subscript):
            return self.stored_item(node)
        if isinstance(node, ast.Starred):
            return self.with_fields(node, value=self.target(node.value))
        return self.with_fields(node, elts=[self.target(part) for part in node.elts])

    def stored_name(self, node: ast.Name) -> Any:
        """A shared variable as a place to assign to: an item of the module, or a cell's content."""
        how = self.sharing(node.id)
        if not how:
            return node
        rest = self.variable(node, Access.WRITE)
        if how == "global":
            kept = call(node, "__weft_gw__", *rest)
            name = constant(node, self.mangled(node.id))
            return ast.copy_location(ast.Subscript(kept, name, node.ctx), node)
        self.cells_by_place.add(node.id)
        return ast.copy_location(
            ast.Attribute(call(node, "__weft_cw__", *rest), "cell_contents", node.ctx), node
        )

    def stored_attribute(self, node: ast.Attribute) -> Any:
        if self.straight(node.value):
            return either(self.about(node, "__weft_w__", Access.WRITE, self.armed), node.value)
        return self.about(node, "__weft_w__", Access.WRITE, self.value)

    def stored_item(self, node: ast.Subscript) -> Any:
        site = self.site(node, Access.WRITE)
        if self.is_simple(node.slice):
            if self.straight(node.value):
                armed = call(node, "__weft_s__", self.armed(node.value), node.slice, site)
                return self.with_fields(node, value=either(armed, node.value))
            return self.with_fields(
                node, value=call(node, "__weft_s__", self.value(node.value), node.slice, site)
            )
        # The object waits in a variable of ours while its key is made, and is let go once the call has it.
        kept = self.temporary(node)
        held = ast.copy_location(ast.NamedExpr(kept(ast.Store()), self.value(node.value)), node)
        cleared = ast.copy_location(ast.NamedExpr(kept(ast.Store()), constant(node, None)), node)
        key = call(node, "__weft_key__", kept(ast.Load()), self.key(node.slice, self.value), site, cleared)
        return self.with_fields(node, value=held, slice=key)

    def temporary(self, where: ast.AST) -> Any:
        """A new variable of ours: a function that makes its name for reading or writing."""
        self.temporaries += 1
        name = f"_@{self.temporaries}"
        return lambda context: ast.copy_location(ast.Name(name, context), where)

    def assignment(self, node: ast.Assign) -> list[ast.stmt]:
        value = self.unpacked(node) or self.value(node.value)
        if len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name) and (how := self.sharing(target.id)):
                rest = self.variable(target, Access.WRITE)
                told = call(node.value, "__weft_gv__" if how == "global" else "__weft_cv__", value, *rest)
                armed = self.with_fields(node, value=told)
                return self.switch(node, [armed], [self.with_fields(node, value=value)])
            if isinstance(target, ast.Subscript) and not self.is_simple(target.slice):
                return self.keyed_assignment(node, target, value)
        return [self.with_fields(node, targets=[self.target(part) for part in node.targets], value=value)]

    def unpacked(self, node: ast.Assign) -> Any:
        """The value of `a, b = shared`; None if nothing is taken apart."""
        taken = any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets)
        if not taken or not isinstance(node.value, (ast.Name, ast.Attribute, ast.Subscript)):
            return None
        if not self.straight(node.value):
            return self.whole(node.value, self.value)
        return either(self.whole(node.value, self.armed), node.value)

    def keyed_assignment(self, node: ast.Assign, target: ast.Subscript, value: Any) -> list[ast.stmt]:
        """`E[K] = v` as one call from C, with all three at hand."""
        sub = self.armed if self.straight(target) else self.value
        site = self.site(target, Access.WRITE)
        placed = call(target, "__weft_place__", value, sub(target.value), self.key(target.slice, sub), site)
        armed = self.from_c(target, "__weft_setitem__", placed)
        plain_target = target if sub == self.armed else self.mapped(target, self.value)
        plain = self.with_fields(node, targets=[plain_target], value=value)
        return self.switch(node, [ast.copy_location(ast.Expr(armed), node)], [plain])

    def from_c(self, where: ast.AST, name: str, arguments: ast.expr) -> ast.expr:
        return call(where, name, ast.copy_location(ast.Starred(arguments, ast.Load()), where))

    def annotated(self, node: ast.AnnAssign) -> list[ast.stmt]:
        if node.value is None:
            return [node]
        target = node.target
        value = self.value(node.value)
        if isinstance(target, ast.Name):
            if how := self.sharing(target.id):
                told = "__weft_gv__" if how == "global" else "__weft_cv__"
                value = call(node.value, told, value, *self.variable(target, Access.WRITE))
            return [self.with_fields(node, value=value)]
        return [self.with_fields(node, target=self.target(target), value=value)]

    # ---- augmented assignments: a read, the value, then a write

    def augmented(self, node: ast.AugAssign) -> list[ast.stmt]:
        target = node.target
        value = self.value(node.value)
        plain = self.with_fields(node, value=value)
        if isinstance(target, ast.Name):
            return self.augmented_name(node, target, value, plain)
        armed: list[ast.stmt] = []
        used: list[Any] = []
        base = self.held(target.value, armed, used)
        if isinstance(target, ast.Attribute):
            read = self.with_fields(target, value=base, ctx=ast.Load())
            write = self.with_fields(target, value=base)
            name = constant(target, self.mangled(target.attr))
            read.value = call(target, "__weft_r__", base, name, self.site(target, Access.READ))
            write.value = call(target, "__weft_w__", base, name, self.site(target, Access.WRITE))
        else:
            plain_key = isinstance(target.slice, ast.Slice)
            key = self.held(
                self.key(target.slice, lambda part: part) if plain_key else target.slice, armed, used
            )
            read = self.with_fields(target, slice=key, ctx=ast.Load())
            write = self.with_fields(target, slice=key)
            read.value = call(target, "__weft_i__", base, key, self.site(target, Access.READ))
            write.value = call(target, "__weft_s__", base, key, self.site(target, Access.WRITE))
        armed.append(ast.copy_location(ast.Assign([write], self.in_place(node, read, value)), node))
        if used:
            armed.append(ast.copy_location(ast.Delete([kept(ast.Del()) for kept in used]), node))
        if sum(map(size, armed)) > LIMIT:
            return armed
        return self.switch(node, armed, [self.with_fields(plain, target=self.mapped(target, self.value))])

    def held(self, node: ast.expr, before: list[ast.stmt], used: list[Any]) -> Any:
        """An expression that can be used twice: itself, or a variable of ours that has its value."""
        if self.is_simple(node):
            return node
        kept = self.temporary(node)
        used.append(kept)
        before.append(ast.copy_location(ast.Assign([kept(ast.Store())], self.value(node)), node))
        return kept(ast.Load())

    def in_place(self, node: ast.AugAssign, read: ast.expr, value: ast.expr) -> ast.expr:
        """The operation, from C; a container that it changes is told once the value is there."""
        told = call(node, "__weft_aug__", read, value, self.site(node, Access.CALL))
        return self.from_c(node, f"__weft_{_in_place(node.op)}__", told)

    def augmented_name(
        self, node: ast.AugAssign, target: ast.Name, value: Any, plain: ast.AugAssign
    ) -> list[ast.stmt]:
        how = self.sharing(target.id)
        if not how and isinstance(node.value, (ast.Constant, ast.JoinedStr)):
            return [plain]  # no container takes these in place
        read: Any = ast.copy_location(ast.Name(target.id, ast.Load()), target)
        if how:
            told = call(
                target, "__weft_g__" if how == "global" else "__weft_c__", *self.variable(target, Access.READ)
            )
            read = ast.copy_location(ast.BoolOp(ast.And(), [told, read]), target)
        result = self.in_place(node, read, value)
        if how:
            rest = self.variable(target, Access.WRITE)
            result = call(node, "__weft_gv__" if how == "global" else "__weft_cv__", result, *rest)
        return self.switch(node, [ast.copy_location(ast.Assign([target], result), node)], [plain])

    # ---- the rest

    def deletion(self, node: ast.Delete, target: Any) -> list[ast.stmt]:
        if isinstance(target, (ast.Tuple, ast.List)):
            return [new for part in target.elts for new in self.deletion(node, part)]
        if isinstance(target, ast.Name):
            return [*self.before_binding(target, [target.id]), self.with_fields(node, targets=[target])]
        if isinstance(target, ast.Attribute):
            new = self.with_fields(target, value=self.stored_attribute(target))
            return [self.with_fields(node, targets=[new])]
        if self.is_simple(target.slice):
            return [self.with_fields(node, targets=[self.stored_item(target)])]
        sub = self.armed if self.straight(target) else self.value
        key = self.key(target.slice, sub)
        pair = call(target, "__weft_delete__", sub(target.value), key, self.site(target, Access.WRITE))
        armed = ast.copy_location(ast.Expr(self.from_c(target, "__weft_delitem__", pair)), node)
        plain = target if sub == self.armed else self.mapped(target, self.value)
        return self.switch(node, [armed], [self.with_fields(node, targets=[plain])])

    def before_binding(self, node: Any, names: list[str]) -> list[ast.stmt]:
        """A call before a statement that binds or unbinds shared variables by itself."""
        new: list[ast.stmt] = []
        for name in names:
            if how := self.sharing(name):
                variable = ast.copy_location(ast.Name(name, ast.Load()), node)
                told = call(
                    node,
                    "__weft_gw__" if how == "global" else "__weft_c__",
                    *self.variable_of(node, variable),
                )
                flag = ast.copy_location(ast.Name("__weft_on__", ast.Load()), node)
                statement = ast.copy_location(ast.Expr(told), node)
                new.append(ast.copy_location(ast.If(flag, [statement], []), node))
        return new

    def variable_of(self, node: Any, variable: ast.Name) -> list[ast.expr]:
        kept, name, _ = self.variable(variable, Access.WRITE)
        return [kept, name, self.site(node, Access.WRITE)]

    def loop(self, node: Any) -> Any:
        changed: dict[str, Any] = {}
        if isinstance(node, ast.While):
            changed["test"] = self.test(node.test)
        else:
            changed["iter"] = (
                self.value(node.iter) if isinstance(node, ast.AsyncFor) else self.iterated(node.iter)
            )
            changed["target"] = self.target(node.target)
        self.loops.append(node)
        body = self.body(node.body)
        if not isinstance(node.body[-1], _LEAVES):
            body.append(self.back_edge(node))
        self.loops.pop()
        return self.with_fields(node, body=body, orelse=self.body(node.orelse), **changed)

    def back_edge(self, loop: Any) -> ast.stmt:
        """Told where the loop stands."""
        where = loop.test if isinstance(loop, ast.While) else loop.iter
        told = ast.copy_location(ast.Expr(call(where, "__weft_loop__", self.site(loop, Access.LOOP))), where)
        flag = ast.copy_location(ast.Name("__weft_on__", ast.Load()), where)
        return ast.copy_location(ast.If(flag, [told], []), where)


def _in_place(operator: ast.operator) -> str:
    return type(operator).__name__
