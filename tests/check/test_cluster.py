"""Units done by the workers of a Dask cluster, and by the processes beside them."""

import importlib.util
import marshal
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.check.programs import check, weft, write
from weft.check import remote

WITHOUT = "Dask's distributed is not installed (pip install 'weft[cluster]')"
needs_cluster = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason=WITHOUT)
RACE = """
    import threading
    seen, at = [], [0]

    def one():
        for number in range(1, 7):
            at[0] = number

    def other():
        while len(seen) < 3:
            seen.append(at[0])

    threads = [threading.Thread(target=one), threading.Thread(target=other)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert seen != [2, 3, 6]
"""


def spec(path: Path) -> bytes:
    """A program for processes beside a worker."""
    settings = {"steps": 1_000, "bound": 2, "strategy": "walk"}
    return marshal.dumps(
        {
            "kind": "script",
            "what": str(path),
            "args": [],
            "choice": {},
            "folder": str(path.parent),
            "path": sys.path[1:],
            "settings": settings,
            "notes": False,
            "preload": [],
            "python": sys.version,
            "sources": {},
            "sites": 0,
            "parts": 0,
        }
    )


@needs_cluster
def test_a_cluster_finds_what_one_process_finds(tmp_path: Path) -> None:
    options = ("--seed", "3", "--schedules", "300", "--time", "100")
    alone = check(tmp_path, RACE, "-j", "1", *options, status=1)
    spread = check(tmp_path, RACE, "-j", "2", "--cluster", *options, status=1)
    for name in ("kind", "findings", "executions", "preemptions"):
        assert spread[name] == alone[name]


@needs_cluster
def test_a_scheduler_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, RACE)
    done = weft("check", "--cluster=nonsense", str(path), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("weft: there is no cluster at 'nonsense': ")


def test_a_cluster_without_the_library_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "distributed.py").write_text("raise ImportError('it is not there')")
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "without"), before]))
    path = write(tmp_path, RACE)
    done = weft("check", "--cluster", str(path), cwd=tmp_path)
    assert done.returncode == 2
    assert "which is not installed: pip install 'weft[cluster]' (it is not there)" in done.stderr


def test_a_program_that_is_another_one_there_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, RACE)
    said: Any = marshal.loads(remote.prepare(spec(path)))
    assert "cannot check the program: it is not the same there: /" in said["error"]


def test_a_process_that_ends_is_told_and_replaced(tmp_path: Path) -> None:
    path = write(tmp_path, RACE)
    asked = spec(path)
    remote.prepare(asked)
    (process,) = remote._idle[asked]
    process.kill()
    lost: Any = marshal.loads(remote.do(asked, b""))
    assert lost == {"lost": [-9, False, True]}
    assert remote._idle[asked] == []
    again: Any = marshal.loads(remote.prepare(asked))
    assert "error" in again
    for process in remote._idle.pop(asked):
        process.stdin.close()
        process.stdout.close()
        process.wait()
