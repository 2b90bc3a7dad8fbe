"""Type checkers know the pools, and the modules of weft.stdlib, though these are made when asked for."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.support.programs import run_child
from tests.support.source import PACKAGE

# Each number in a comment is a mistake to be found: were something untyped, no type checker would.
PROGRAM = """\
from weft import futures
from weft.stdlib import queue, threading, time

box: queue.Queue[int] = queue.Queue()
lock: threading.Lock = threading.Lock()
with futures.ThreadExecutor(max_workers=2, thread_name_prefix="of the shop") as threads:
    lengths: list[int] = list(threads.map(len, ["one"]))
    threads.sumbit(len, "two")  # 1
with futures.executor("user") as pool:
    found: futures.Future[int] = pool.submit(len, "three")
    found.reslut()  # 2
futures.UserExecutor(4, initializer=print, initargs=("begun",)).shutdown()
futures.ProcessExecutor(workers=2)  # 3
futures.ClusterExecutor(address="tcp://127.0.0.1:8786", timeout="soon")  # 4
try:
    futures.ProcessExecutor(2, max_tasks_per_child=3).submit(len, "four")
except futures.WorkerDied as died:
    raise SystemExit(str(died)) from None
box.put("five")  # 5
lock.aquire()  # 6
time.sleep("a while")  # 7
"""


def test_mistakes_are_found_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, "-P", "-m", "mypy", "--strict", "--config-file=", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error: " in line}
    wrong = {number for number, line in enumerate(PROGRAM.splitlines(), 1) if "  # " in line}
    assert found == wrong, done.stdout + done.stderr


def test_pools_take_what_type_checkers_are_told() -> None:
    """In an interpreter of its own: the real classes are made over the `concurrent.futures` of a program."""
    stub = ast.parse((PACKAGE / "futures" / "__init__.pyi").read_text(encoding="utf-8"))
    told = {
        node.name: parameters(node.body[0])
        for node in stub.body
        if isinstance(node, ast.ClassDef) and isinstance(node.body[0], ast.FunctionDef)
    }
    assert len(told) == 4
    code = (
        "import inspect, weft.futures\n"
        f"for name in {sorted(told)}:\n"
        "    print(name, inspect.signature(getattr(weft.futures, name).__init__))"
    )
    real = {}
    for line in run_child([sys.executable, "-m", "weft", "run", "-c", code]).check().stdout.splitlines():
        name, _, signature = line.partition(" ")
        (function,) = ast.parse(f"def __init__{signature}: ...").body
        assert isinstance(function, ast.FunctionDef)
        real[name] = parameters(function)
    assert real == told


def test_type_checkers_are_told_of_all_names() -> None:
    """What can be asked for is in the stub, and nothing else is."""
    for package in ("futures", "stdlib"):
        stub = ast.parse((PACKAGE / package / "__init__.pyi").read_text(encoding="utf-8"))
        passed_on = {
            alias.asname
            for node in ast.walk(stub)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
            if alias.asname
        }
        passed_on |= {node.name for node in stub.body if isinstance(node, ast.ClassDef)}
        code = ast.parse((PACKAGE / package / "__init__.py").read_text(encoding="utf-8"))
        offered: set[str] = set()
        for node in code.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in (
                "_WHERE",
                "_THEIRS",
                "_OFFERED",
            ):
                offered |= set(ast.literal_eval(node.value))
        assert passed_on == offered


def parameters(function: ast.FunctionDef) -> tuple[list[str], list[str], list[str]]:
    """Names by position, names by keyword alone, and the defaults of all."""
    arguments = function.args
    defaults = [ast.unparse(value) for value in (*arguments.defaults, *arguments.kw_defaults) if value]
    return [a.arg for a in arguments.args], [a.arg for a in arguments.kwonlyargs], defaults
