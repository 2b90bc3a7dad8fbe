"""Which variables can threads share? Scopes of a syntax tree, resolved as the compiler resolves them.

The tree is read, not the source: another rewriter may have been at work before. A global is shared if some
function rebinds it; a variable of a function is shared if a function inside it sees it and it is bound at
any time but once before. Names are as the compiler mangles them.
"""

import ast
from collections.abc import Iterator

__all__ = ["Scope", "mangle", "read_scopes", "shared_globals"]


class Scope:
    """One block of code with names of its own."""

    __slots__ = (
        "bound",
        "captured",
        "declared_global",
        "declared_nonlocal",
        "in_class",
        "kind",
        "line",
        "parent",
        "rebound",
        "uses",
    )

    def __init__(self, kind: str, parent: "Scope | None", line: int, in_class: str | None) -> None:
        self.kind = kind  # module, class, function or comprehension
        self.parent = parent
        self.line = line
        self.in_class = in_class  # the class whose name mangles ours
        self.bound: dict[str, list[tuple[int, bool]]] = {}  # name -> line, in a loop?
        self.declared_global: set[str] = set()
        self.declared_nonlocal: set[str] = set()
        self.uses: set[str] = set()
        self.captured: dict[str, int] = {}  # name -> first line of a function inside that sees it
        self.rebound: set[str] = set()  # bound anew by a function inside

    def owner(self, name: str) -> "Scope | None":
        """The scope that a mangled name belongs to; None: the module's globals, or a builtin."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.declared_global or scope.kind == "module":
                return None
            bound = name in scope.bound and name not in scope.declared_nonlocal
            if bound and (scope.kind != "class" or scope is self):
                return scope
            scope = scope.parent
        return None

    def shares(self, name: str) -> bool:
        """Whether a variable that is ours lives in a cell that several threads can find changing."""
        if name not in self.captured:
            return False
        lines = self.bound[name]
        return name in self.rebound or len(lines) > 1 or lines[0][1] or lines[0][0] > self.captured[name]


def mangle(name: str, in_class: str | None) -> str:
    """A private name as the compiler writes it."""
    if not in_class or not name.startswith("__") or name.endswith("__") or "." in name:
        return name
    stripped = in_class.lstrip("_")
    return f"_{stripped}{name}" if stripped else name


def read_scopes(tree: ast.Module) -> dict[ast.AST, Scope]:
    """The scope that each module, class, function, lambda and comprehension opens."""
    reader = _Reader()
    reader.open(tree, "module", None, None)
    for statement in tree.body:
        reader.visit(statement)
    for scope in list(reader.scopes.values()):
        _resolve(scope)
    return reader.scopes


def shared_globals(scopes: dict[ast.AST, Scope]) -> frozenset[str]:
    """The globals that functions rebind."""
    return frozenset(
        name
        for scope in scopes.values()
        if scope.kind != "module"
        for name in scope.declared_global
        if name in scope.bound
    )


def _resolve(scope: Scope) -> None:
    for name in scope.uses | scope.declared_nonlocal:
        owner = scope.owner(name)
        if owner is None or owner is scope or owner.kind != "function":
            continue
        line = _crossed(scope, owner)
        if line:
            owner.captured[name] = min(line, owner.captured.get(name, line))
            if name in scope.declared_nonlocal and name in scope.bound:
                owner.rebound.add(name)


def _crossed(scope: Scope, owner: Scope) -> int:
    """The line of the outermost function between a use and the owner; 0: none, they run as one."""
    line = 0
    inner: Scope | None = scope
    while inner is not None and inner is not owner:
        if inner.kind == "function":
            line = inner.line
        inner = inner.parent
    return line


class _Reader(ast.NodeVisitor):
    def __init__(self) -> None:
        self.scopes: dict[ast.AST, Scope] = {}
        self.scope: Scope = None  # type: ignore[assignment] # set by the first `open`
        self.loops = 0

    def open(self, node: ast.AST, kind: str, parent: Scope | None, in_class: str | None) -> Scope:
        scope = Scope(kind, parent, getattr(node, "lineno", 0), in_class)
        self.scopes[node] = self.scope = scope
        return scope

    def inside(self, node: ast.AST, kind: str, parts: Iterator[ast.AST], in_class: str | None) -> None:
        outer, loops = self.scope, self.loops
        scope = self.open(node, kind, outer, in_class)
        self.loops = 0
        if kind == "function":
            for argument in ast.walk(node.args):  # type: ignore[attr-defined] # a function has them
                if isinstance(argument, ast.arg):
                    scope.bound.setdefault(self.name(argument.arg), []).append((scope.line, False))
        for part in parts:
            self.visit(part)
        self.scope, self.loops = outer, loops

    def name(self, name: str) -> str:
        return mangle(name, self.scope.in_class)

    def bind(self, name: str, line: int, scope: Scope | None = None) -> None:
        scope = scope or self.scope
        scope.bound.setdefault(mangle(name, scope.in_class), []).append((line, self.loops > 0))

    # ---- what opens a scope

    def visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.bind(node.name, node.lineno)
        for outside in (*node.decorator_list, *_defaults(node.args), *_annotations(node)):
            self.visit(outside)
        self.inside(node, "function", iter(node.body), self.scope.in_class)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_function  # noqa: N815 - names that ast calls

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in _defaults(node.args):
            self.visit(default)
        self.inside(node, "function", iter((node.body,)), self.scope.in_class)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.bind(node.name, node.lineno)
        for outside in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(outside)
        self.inside(node, "class", iter(node.body), node.name)

    def visit_comprehension_scope(self, node: ast.expr) -> None:
        first, *rest = node.generators  # type: ignore[attr-defined] # a comprehension has them
        self.visit(first.iter)
        parts: list[ast.AST] = [first.target, *first.ifs]
        for clause in rest:
            parts += [clause.target, clause.iter, *clause.ifs]
        if isinstance(node, ast.DictComp):
            parts += [node.key, node.value]
        else:
            parts.append(node.elt)  # type: ignore[attr-defined] # the other three have one
        self.inside(node, "comprehension", iter(parts), self.scope.in_class)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_scope  # noqa: N815

    # ---- what binds or uses a name

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.scope.uses.add(self.name(node.id))
        else:
            self.bind(node.id, node.lineno)
            if isinstance(node.ctx, ast.Del):
                self.bind(node.id, node.lineno)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):  # reads too, and so is not bound but once
            self.scope.uses.add(self.name(node.target.id))
            self.bind(node.target.id, node.lineno)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        scope = self.scope
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        name = mangle(node.target.id, scope.in_class)
        scope.bound.setdefault(name, []).append((node.lineno, self.loops > 0 or scope is not self.scope))
        if scope is not self.scope:
            self.scope.uses.add(name)

    def visit_loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        if not isinstance(node, ast.While):
            self.visit(node.iter)
        self.loops += 1
        for part in (node.test,) if isinstance(node, ast.While) else (node.target,):
            self.visit(part)
        for statement in node.body:
            self.visit(statement)
        self.loops -= 1
        for statement in node.orelse:
            self.visit(statement)

    visit_For = visit_AsyncFor = visit_While = visit_loop  # noqa: N815

    def visit_Global(self, node: ast.Global) -> None:
        self.scope.declared_global.update(map(self.name, node.names))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.scope.declared_nonlocal.update(map(self.name, node.names))

    def visit_imports(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self.bind(alias.asname or alias.name.partition(".")[0], node.lineno)

    visit_Import = visit_ImportFrom = visit_imports  # noqa: N815

    def visit_named(self, node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self.bind(node.name, node.lineno)
            if isinstance(node, ast.ExceptHandler):
                self.bind(node.name, node.lineno)  # it is deleted at the end
        self.generic_visit(node)

    visit_ExceptHandler = visit_MatchAs = visit_MatchStar = visit_named  # noqa: N815

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self.bind(node.rest, node.lineno)
        self.generic_visit(node)


def _defaults(arguments: ast.arguments) -> Iterator[ast.expr]:
    yield from arguments.defaults
    yield from (default for default in arguments.kw_defaults if default is not None)


def _annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg) and argument.annotation is not None:
            yield argument.annotation
    if node.returns is not None:
        yield node.returns
