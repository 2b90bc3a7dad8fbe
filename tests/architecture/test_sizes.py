"""No file and no function gets away: the ones newcomers must read first are the ones that want to grow."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.source import ROOT, Module, functions_of, read_tree

FILE_LINES = 600
FUNCTION_LINES = 80  # its docstring left out, and classes made inside: their functions are counted
LOOP_LINES = 120

# The loop may be longer than other functions: it does one thing, and each call costs a frame a switch.
LOOPS = frozenset({"weft.models.loop"})

# Module, or module.function -> (lines allowed, why).
LONGER: dict[str, tuple[int, str]] = {}

# Beside the package: file -> why it may be longer.
LONGER_BESIDE = {
    "tests/conformance/conform.py": "the yardstick is kept as it is, so that its figures compare",
}


def span(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = span(function)
    if ast.get_docstring(function, clean=False) is not None:
        lines -= span(function.body[0])
    return lines - sum(span(inner) for inner in function.body if isinstance(inner, ast.ClassDef))


def sizes(modules: Mapping[str, Module]) -> Iterator[tuple[str, int, int]]:
    """What, how long, how long it may be."""
    for module in modules.values():
        yield module.name, module.text.count("\n"), FILE_LINES
        limit = LOOP_LINES if module.name in LOOPS else FUNCTION_LINES
        for function in functions_of(module.tree):
            yield f"{module.name}.{function.name}", length(function), limit


def too_long(modules: Mapping[str, Module], longer: Mapping[str, tuple[int, str]]) -> list[str]:
    wrong = []
    used = set()
    for what, lines, limit in sizes(modules):
        if lines > limit:
            used.add(what)
            allowed = longer.get(what, (limit, ""))[0]
            if lines > allowed:
                wrong.append(f"{what} has {lines} lines, {allowed} are allowed")
    return wrong + [f"no longer needed in LONGER: {what}" for what in longer.keys() - used]


def test_files_and_functions_are_short() -> None:
    assert too_long(read_tree(), LONGER) == []


def test_files_beside_the_package_are_short() -> None:
    folders = ("benchmarks", "examples", "scripts", "tests")
    long = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if path.read_text(encoding="utf-8").count("\n") > FILE_LINES
    }
    assert long == LONGER_BESIDE.keys()


def test_every_exception_has_a_reason() -> None:
    reasons = [*(reason for _, reason in LONGER.values()), *LONGER_BESIDE.values()]
    assert all(len(reason.split()) >= 4 for reason in reasons)


def test_what_is_too_long_is_found(tmp_path: Path) -> None:
    package = tmp_path / "weft"
    package.mkdir()
    body = '    """Docs.\n' + "\n" * 50 + '    """\n' + "    pass\n" * 79
    (package / "fits.py").write_text("def f():\n" + body + "\n" * 300)
    (package / "long.py").write_text("class A:\n  def f():\n" + body + "    pass\n" + "\n" * 600)
    (package / "factory.py").write_text("def f():\n  class A:\n" + "    x = 1\n" * 90)
    (package / "known.py").write_text("\n" * 601)
    assert too_long(read_tree(package), {"weft.known": (650, ""), "weft.fits": (650, "")}) == [
        "weft.long has 734 lines, 600 are allowed",
        "weft.long.f has 81 lines, 80 are allowed",
        "no longer needed in LONGER: weft.fits",
    ]
