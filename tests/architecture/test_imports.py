"""The import table of the design, held: which part of weft may import which, and who may touch the machine.

To change the architecture, change the tables here; everything else follows. Each exception stands in one of
the three allow-lists with its reason, and one that is no longer needed fails the tests.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.source import Import, Module, read_tree

# Rows import columns. A part is a folder or a file directly in src/weft ("weft" is __init__.py); `part.name`
# stands for one module of a folder. A folder may import itself, except models, where SIBLINGS decides.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "config": frozenset({"errors"}),
    "host": frozenset({"errors", "config", "host"}),
    "guard": frozenset({"config", "host.guarding", "host.platform", "host.threads"}),
    "core": frozenset({"errors", "config", "guard", "core"}),
    "models": frozenset({"errors", "config", "guard", "host", "core"}),
    "stdlib": frozenset({"errors", "config", "guard", "host", "core", "stdlib"}),
    "processes": frozenset(
        {"errors", "config", "host", "core.places", "core.tracebacks", "core.wait", "processes"}
    ),
    "pages": frozenset(),
    "wording": frozenset(),
    "watch": frozenset({"errors", "config", "core", "pages", "watch", "wording"}),
    "instrument": frozenset({"errors", "config", "host.digests", "host.platform", "instrument"}),
    "futures": frozenset({"errors", "host.platform", "host.threads", "core", "stdlib", "futures"}),
    "runtime": frozenset(
        {"errors", "config", "guard", "host", "core", "models", "stdlib", "processes", "watch"}
    ),
    "check": frozenset(
        {
            "errors",
            "pages",
            "wording",
            "config",
            "host.anew",
            "host.children",
            "host.clock",
            "host.digests",
            "host.entropy",
            "host.files",
            "host.noted_locks",  # the lock orders of ordinary tests: the locks of this process are real there
            "host.platform",
            "host.sockets",
            "host.shared",
            "core",
            "models.controlled",
            "models.interrupts",
            "stdlib.local",
            "stdlib.per_thread",
            "watch",
            "instrument",
            "runtime",
            "check",
        }
    ),
    "tracing": frozenset(
        {"errors", "config", "core", "host.clock", "host.servant", "host.threads", "runtime", "watch"}
    ),
    "serving": frozenset(
        {"errors", "config", "core", "host.clock", "host.local", "host.servant", "host.threads"}
        | {"runtime", "watch"}
    ),
    "launch": frozenset({"errors", "config", "core", "host.platform", "runtime", "serving", "tracing"}),
    "compare": frozenset({"errors", "config", "host.files", "host.platform", "host.starter", "compare"}),
    "contests": frozenset(),
    "chapters": frozenset({"weft", "futures"}),  # as the programs of people do
    "tour": frozenset({"errors", "config", "tour"}),
    "doctor": frozenset(
        {
            "errors",
            "config",
            "core.life",
            "host.files",
            "host.guarding",
            "host.platform",
            "stdlib.supply",
            "stdlib.user_pool",
            "watch.notes",
            "doctor",
        }
    ),
    "cli": frozenset(
        {"errors", "config", "host.children", "host.clock", "host.files", "host.foreground", "host.local"}
        | {
            "host.anew",
            "host.procfs",
            "processes.outside",
            "watch",
            "runtime",
            "check",
            "launch",
            "compare",
            "wording",
            "tour",
            "doctor",
            "cli",
        }
    ),
    "weft": frozenset({"errors", "config", "core", "watch", "runtime", "tracing", "check"}),
    "__main__": frozenset({"cli"}),
}

# Which models may import which of their siblings; all may import LOOP.
# `foreign` carries one thread of a kernel thread, `preemption` slices a loop: parts, not models, and
# `blocked` tells of what `preemption` finds. `overseer` looks after the carriers of hybrid, and interrupts
# them by `monitored` or `traced`.
SIBLINGS: dict[str, frozenset[str]] = {
    "loop": frozenset({"launching"}),
    "hybrid": frozenset({"overseer", "user"}),
    "overseer": frozenset({"monitored", "traced"}),
    "user": frozenset({"foreign", "preemption"}),
    "kernel": frozenset({"foreign"}),
    "preemption": frozenset({"blocked"}),
    "interrupts": frozenset({"controlled"}),
    "controlled": frozenset({"tasks"}),
}
LOOP = "loop"

# What weft takes from the interpreter and the machine comes in through host/ and nowhere else. The modules
# with a leading underscore are the C halves of the others; greenlet is how stacks are switched.
MACHINE = frozenset(
    {"_thread", "threading", "time", "select", "selectors", "socket", "signal", "random", "multiprocessing"}
    | {"queue", "concurrent", "_queue", "_socket", "_signal", "_random", "_multiprocessing", "greenlet"}
)

# Programs to be run, as people write them, and no part of weft: nobody may import them.
PROGRAMS = frozenset({"contests", "chapters"})

# The exceptions: (module, what it imports) -> why. Keep it small.
MACHINE_ALLOWED: dict[tuple[str, str], str] = {
    (
        "weft.core.current",
        "greenlet",
    ): "every primitive asks first who runs: a frame less on the path to the switch",
    ("weft.stdlib.supply", "_thread"): "weft's module is made from the real one",
    ("weft.stdlib.supply", "time"): "its `sleep` is replaced",
    ("weft.stdlib.beside", "time"): "its copy has another `sleep`",
    ("weft.stdlib.selecting", "select"): "its functions are replaced",
    ("weft.check.network.polling", "select"): "its functions are replaced",
    ("weft.processes.cells", "_thread"): "one kernel thread of a process at a time reads and writes cells",
    ("weft.processes.modules", "signal"): "`_thread.interrupt_main` has SIGINT for its default",
    ("weft.processes.session", "signal"): "SIGQUIT is given to faulthandler by its number",
}

# Imports inside functions hide the shape of the program: (module, function, import) -> why it is there.
IN_FUNCTION_ALLOWED: dict[tuple[str, str, str], str] = {
    (
        "weft.stdlib.condition",
        "notifyAll",
        "warnings",
    ): "as CPython does: only callers of the old name pay for it",
    ("weft.stdlib.event", "isSet", "warnings"): "as CPython does: only callers of the old name pay for it",
    ("weft.launch", "_execute", "runpy"): "it leads to functools and more: not before weft is in place",
    ("weft.launch", "show", "linecache"): "a program that does not fail has no need of it",
    ("weft.host.signals", "prepare", "ctypes"): "a program without threads has no need of it",
    ("weft.host.ending", "prepare", "ctypes"): "a program with one carrier has no need of it",
    ("weft.host.local", "_machine", "_socket"): "left where the program does not find it: loaded when needed",
    ("weft.host.tracer", "_make", "ctypes"): "a program with one carrier has no need of it",
    ("weft.host.signals", "prepare", "opcode"): "a program without threads has no need of it",
    ("weft.compare.page", "load_plots", "matplotlib.figure"): "an extra, which only pages with plots want",
    (
        "weft.check.page.__main__",
        "main",
        "weft.check.page.build",
    ): "who asks whether it could has no need of it",
    ("weft.check.page.__main__", "main", "weft.check.page.render"): "it stands on an extra: told if missing",
    ("weft.watch.export", "load_pages", "weft.watch.page.render"): "it stands on an extra: told if missing",
    ("weft.compare.page", "_svg", "matplotlib"): "an extra, which only pages with plots want",
}

# Names with a leading underscore belong to their module: (module, from, name) -> why another takes it.
PRIVATE_ALLOWED: dict[tuple[str, str, str], str] = {
    ("weft.watch.notes", "weft.watch", "_notes"): "the same in C, named as CPython names such modules",
    ("weft.host.tracer", "weft.host", "_tracer"): "the same in C, named as CPython names such modules",
    ("weft.host.guarding", "weft.host", "_guard"): "the same in C, named as CPython names such modules",
    ("weft.core.life", "weft.core", "_life"): "the same in C, named as CPython names such modules",
    ("weft.stdlib.user_pool", "weft.stdlib", "_calls"): "the same in C, named as CPython names such modules",
}


def part_of(name: str) -> str:
    """`weft.core.parking` is of core, `weft.errors` of errors, `weft` of itself."""
    return name.split(".")[1] if "." in name else name


def targets(found: Import, modules: Mapping[str, Module]) -> Iterator[str]:
    """The modules that a statement really imports: `from weft.host import clock` is weft.host.clock."""
    inner = [f"{found.target}.{name}" for name in found.names if f"{found.target}.{name}" in modules]
    yield from inner
    if len(inner) < len(found.names) or not found.names:
        yield found.target


def may_import(importer: str, target: str) -> bool:
    allowed = MAY_IMPORT.get(part_of(importer))
    if allowed is None or (
        target == "weft" and target not in allowed
    ):  # the package's root leans on the rest
        return False
    if part_of(importer) == part_of(target) == "models":
        mine, other = importer.rpartition(".")[2], target.rpartition(".")[2]
        return other == LOOP or other in SIBLINGS.get(mine, ())
    return part_of(target) in allowed or target.removeprefix("weft.") in allowed


def weft_imports(modules: Mapping[str, Module]) -> Iterator[tuple[Module, Import, str]]:
    for module in modules.values():
        for found in module.imports:
            if found.target.partition(".")[0] == "weft":
                for target in targets(found, modules):
                    yield module, found, target


def layers(modules: Mapping[str, Module]) -> list[str]:
    return [
        f"{module.name}:{found.line} imports {target}"
        for module, found, target in weft_imports(modules)
        if not may_import(module.name, target)
    ]


def machine(modules: Mapping[str, Module], allowed: Mapping[tuple[str, str], str]) -> list[str]:
    wrong = []
    used = set()
    for module in modules.values():
        for found in module.imports:
            top = found.target.partition(".")[0]
            if top not in MACHINE or found.for_types_only or part_of(module.name) in {"host", *PROGRAMS}:
                continue
            if (module.name, top) in allowed:
                used.add((module.name, top))
            else:
                wrong.append(f"{module.name}:{found.line} imports {found.target}: only host/ may")
    return wrong + [f"no longer needed in MACHINE_ALLOWED: {entry}" for entry in allowed.keys() - used]


def in_functions(modules: Mapping[str, Module], allowed: Mapping[tuple[str, str, str], str]) -> list[str]:
    wrong = []
    used = set()
    for module in modules.values():
        for found in module.imports:
            if found.in_function is None:
                continue
            entry = (module.name, found.in_function, found.target)
            if entry in allowed:
                used.add(entry)
            else:
                wrong.append(
                    f"{module.name}:{found.line} imports {found.target} inside {found.in_function}()"
                )
    return wrong + [f"no longer needed in IN_FUNCTION_ALLOWED: {entry}" for entry in allowed.keys() - used]


def private_names(modules: Mapping[str, Module], allowed: Mapping[tuple[str, str, str], str]) -> list[str]:
    wrong = []
    used = set()
    for module in modules.values():
        for found in module.imports:
            if found.target.partition(".")[0] != "weft":
                continue
            for name in found.names:
                entry = (module.name, found.target, name)
                if not name.startswith("_") or f"{found.target}.{name}" in modules:
                    continue
                if entry in allowed:
                    used.add(entry)
                else:
                    wrong.append(
                        f"{module.name}:{found.line} takes {name} from {found.target}: it is private"
                    )
    return wrong + [f"no longer needed in PRIVATE_ALLOWED: {entry}" for entry in allowed.keys() - used]


def relative(modules: Mapping[str, Module]) -> list[str]:
    return [
        f"{module.name}:{found.line} is relative"
        for module in modules.values()
        for found in module.imports
        if found.relative
    ]


def cycles(modules: Mapping[str, Module]) -> list[str]:
    """Modules that import one another at their top, in a ring; imports for types alone make none."""
    edges: dict[str, set[str]] = {name: set() for name in modules}
    for module, found, target in weft_imports(modules):
        if found.in_function is None and not found.for_types_only and target in modules:
            edges[module.name].add(target)
    while leaves := [name for name, out in edges.items() if not out & edges.keys()]:
        for name in leaves:
            del edges[name]
    return [f"in a ring of imports, or above one: {name}" for name in edges]


def test_each_part_imports_only_what_the_table_allows() -> None:
    assert layers(read_tree()) == []


def test_only_host_touches_the_machine() -> None:
    assert machine(read_tree(), MACHINE_ALLOWED) == []


def test_nobody_imports_the_programs() -> None:
    assert [name for name, allowed in MAY_IMPORT.items() if PROGRAMS & allowed] == []
    assert MAY_IMPORT["contests"] == frozenset()
    assert [name for name, allowed in MAY_IMPORT.items() if "weft" in allowed] == ["chapters"]


def test_imports_are_absolute() -> None:
    assert relative(read_tree()) == []


def test_imports_stand_at_the_top() -> None:
    assert in_functions(read_tree(), IN_FUNCTION_ALLOWED) == []


def test_private_names_stay_private() -> None:
    assert private_names(read_tree(), PRIVATE_ALLOWED) == []


def test_no_ring_of_imports() -> None:
    assert cycles(read_tree()) == []


def test_every_part_has_a_row() -> None:
    assert {part_of(name) for name in read_tree()} <= MAY_IMPORT.keys()


def test_every_exception_has_a_reason() -> None:
    reasons = [*MACHINE_ALLOWED.values(), *IN_FUNCTION_ALLOWED.values(), *PRIVATE_ALLOWED.values()]
    assert all(len(reason.split()) >= 4 for reason in reasons)


# Each rule must be able to fail: small trees that break one.


def tree(folder: Path, **files: str) -> dict[str, Module]:
    """A package named weft; `core__parking` is core/parking.py."""
    for name, text in files.items():
        path = folder / "weft" / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_tree(folder / "weft")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("core__parking", "import weft.host.clock"),
        ("core__parking", "from weft.host import clock"),
        ("core__parking", "from weft import runtime"),
        ("core__parking", "import weft"),
        (
            "core__parking",
            "def f():\n    try:\n        pass\n    finally:\n        from weft.host.clock import now",
        ),
        ("stdlib__locks", "from weft.models.user import User"),
        ("stdlib__locks", "from weft.watch.dump import dump"),
        ("models__user", "from weft.stdlib.locks import Lock"),
        ("models__user", "from weft.models.kernel import Kernel"),
        (
            "watch__dump",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from weft.models.user import User",
        ),
        ("newcomer", "import weft.errors"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path: Path, file: str, text: str) -> None:
    files = {"host__clock": "", "models__user": "", "runtime": "", file: text}
    found = layers(tree(tmp_path, **files))
    assert len(found) == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("stdlib__locks", "from weft.host.platform import VERSION\nfrom weft.host import sockets"),
        ("models__hybrid", "from weft.models import loop, user"),
        ("models__user", "from weft.models.loop import Loop"),
        ("runtime", "from weft.models.user import User"),
    ],
)
def test_an_allowed_import_is_not_found(tmp_path: Path, file: str, text: str) -> None:
    files = {"host__sockets": "", "models__loop": "", "models__user": "", file: text}
    assert layers(tree(tmp_path, **files)) == []


def test_the_machine_outside_host_is_found(tmp_path: Path) -> None:
    modules = tree(
        tmp_path,
        host__clock="import time",
        core__timers="from time import monotonic",
        runtime="import _thread",
    )
    found = machine(modules, {("weft.runtime", "_thread"): "", ("weft.core.timers", "select"): ""})
    assert found == [
        "weft.core.timers:1 imports time: only host/ may",
        "no longer needed in MACHINE_ALLOWED: ('weft.core.timers', 'select')",
    ]


def test_an_import_in_a_function_is_found(tmp_path: Path) -> None:
    modules = tree(
        tmp_path, runtime="class A:\n    def f(self):\n        with self:\n            import ast, json"
    )
    found = in_functions(modules, {("weft.runtime", "f", "ast"): "", ("weft.runtime", "g", "ast"): ""})
    assert found == [
        "weft.runtime:4 imports json inside f()",
        "no longer needed in IN_FUNCTION_ALLOWED: ('weft.runtime', 'g', 'ast')",
    ]


def test_a_relative_import_is_found(tmp_path: Path) -> None:
    assert relative(tree(tmp_path, core__parking="from . import wait")) == ["weft.core.parking:1 is relative"]


def test_a_private_name_taken_is_found(tmp_path: Path) -> None:
    modules = tree(
        tmp_path, stdlib___thread="", runtime="from weft.stdlib import _thread\nfrom weft.errors import _x"
    )
    assert private_names(modules, {}) == ["weft.runtime:2 takes _x from weft.errors: it is private"]


def test_a_ring_of_imports_is_found(tmp_path: Path) -> None:
    modules = tree(
        tmp_path,
        core__a="from weft.core import b",
        core__b="from weft.core.c import x",
        core__c="import weft.core.a",
    )
    assert len(cycles(modules)) == 3
