"""Facts as the checking process sends them, written by hand."""

from pathlib import Path
from typing import Any

SOURCE = """\
import threading

lock, other = threading.Lock(), threading.Lock()
n = 0


def work():
    global n
    old = n
    n = old + 1
"""


def place(path: Path, line: int, function: str = "work") -> str:
    return f"{path}:{line} in {function}"


def finding(kind: str, level: str = "failure", **more: Any) -> dict[str, Any]:
    made = {"kind": kind, "level": level, "title": f"a {kind}", "threads": [], "places": [], "lines": []}
    return {**made, "names": [], **more}


def run(steps: list[tuple[int, str, str, int, str]], **more: Any) -> dict[str, Any]:
    """A run: of each step the thread, the operation, the place, the thing and what is said."""
    lanes = {name: more.pop(name) for name in ("times", "lives", "waits", "holds", "notes") if name in more}
    names = more.pop("names", {0: "MainThread", 1: "Ada", 2: "Ben"})
    return {
        "steps": [list(step[:3]) for step in steps],
        "details": [list(step[3:]) for step in steps],
        "waits": [list(end) for end in more.pop("ends", [])],
        "threads": [list(pair) for pair in names.items()],
        "lanes": {"lives": [[n, name, 0, -1, -1] for n, name in names.items()], **lanes},
    }


def facts(*findings: dict[str, Any], minimal: Any = None, full: Any = None, **more: Any) -> dict[str, Any]:
    runs = {name: each for name, each in (("minimal", minimal), ("full", full)) if each is not None}
    made = {
        "command": "weft check program.py",
        "replayed": False,
        "version": "0",
        "python": "3",
        "findings": list(findings),
        "executions": 1234,
        "seconds": 1.5,
        "complete": False,
        "exhausted": False,
        "unseen": [],
        "bound": None,
        "bounded": "preemptions",
        "within": 0,
        "preemptions": None,
        "schedule": None,
        "notes": [],
        "shown": findings[0] if findings else None,
        "runs": runs,
    }
    return {**made, **more}


def lost_update(path: Path) -> dict[str, Any]:
    """Ada reads, Ben reads and writes, Ada writes; before it Ada has been there once, alone."""
    read, write = place(path, 9), place(path, 10)
    steps = [
        (1, "reads n", read, 1, "reads 0"),
        (1, "writes n", write, 1, "writes 1"),
        (1, "reads n", read, 1, "reads 1"),
        (2, "reads n", read, 1, "reads 1"),
        (2, "writes n", write, 1, "writes 2"),
        (1, "writes n", write, 1, "writes 2"),
        (0, "join Ada", place(path, 4, "<module>"), 0, ""),
    ]
    found = finding(
        "race",
        threads=["Ada", "Ben"],
        places=[read, write, write],
        lines=[
            f"Ada reads n at {read}",
            f"Ben writes n at {write}",
            f"Ada writes what it made of the old value of n at {write}",
        ],
    )
    return facts(found, minimal=run(steps, times=[0.0, 0.0, 0.0, 0.0, 2.5, 2.5, 2.5]))


def deadlock(path: Path) -> dict[str, Any]:
    """Ada has the lock and wants the other one, Ben the other way round; the main thread joins Ada."""
    steps = [
        (0, "start", place(path, 3, "<module>"), 0, ""),
        (1, "acquire Lock", place(path, 7), 1, "takes lock"),
        (2, "acquire Lock", place(path, 8), 2, "takes other"),
    ]
    ends = [
        (0, place(path, 4, "<module>"), "waits for the end of Ada", 0),
        (1, place(path, 9), "waits for other, held by Ben", 2),
        (2, place(path, 10), "waits for lock, held by Ada", 1),
    ]
    found = finding(
        "deadlock",
        threads=["Ada", "Ben"],
        places=[place(path, 9), place(path, 10)],
        lines=["MainThread waits", "Ada waits", "Ben waits"],
    )
    minimal = run(
        steps,
        ends=ends,
        lives=[[0, "MainThread", 0, -1, -1], [1, "Ada", 1, -1, 0], [2, "Ben", 1, -1, 0]],
        holds=[[1, 1, 1, -1], [2, 2, 2, -1]],
        waits=[
            [0, 1, -1, "join", 0, 1, None],
            [1, 3, -1, "acquire", 2, 2, None],
            [2, 3, -1, "acquire", 1, 1, None],
        ],
    )
    return facts(found, minimal=minimal)
