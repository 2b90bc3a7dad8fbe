"""The source tree as syntax trees: what the architecture tests ask their questions of."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "weft"


@dataclass(frozen=True)
class Import:
    """One imported module, by its full name; `names` are what a `from` takes out of it."""

    target: str
    names: tuple[str, ...]
    line: int
    relative: bool
    in_function: str | None  # the innermost function around it
    for_types_only: bool  # under `if TYPE_CHECKING:`


@dataclass(frozen=True)
class Module:
    """A source file of the package: `name` as imported, an `__init__.py` by its folder's name."""

    name: str
    path: Path
    text: str
    tree: ast.Module
    imports: tuple[Import, ...]


@cache
def read_tree(package: Path = PACKAGE) -> dict[str, Module]:
    """Every module of a package by name, each parsed once a run."""
    modules = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text, str(path))
        modules[name] = Module(name, path, text, tree, tuple(imports_of(tree)))
    return modules


def imports_of(
    node: ast.AST, in_function: str | None = None, for_types_only: bool = False
) -> Iterator[Import]:
    """All imports below a node. Only statements are walked: nothing else can hold one."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, (), child.lineno, False, in_function, for_types_only)
        elif isinstance(child, ast.ImportFrom):
            names = tuple(alias.name for alias in child.names)
            relative = child.level > 0
            yield Import(child.module or "", names, child.lineno, relative, in_function, for_types_only)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports_of(child, child.name, for_types_only)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for statement in child.body:
                yield from imports_of(ast.Module([statement], []), in_function, True)
            yield from imports_of(ast.Module(child.orelse, []), in_function, for_types_only)
        elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from imports_of(child, in_function, for_types_only)


def functions_of(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
