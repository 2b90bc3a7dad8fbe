"""What searches find, how much they run, and that it happens again."""

import json
from pathlib import Path

import pytest

from tests.check.programs import check, weft, write

STEPS = """
    import sys, threading
    lock = threading.Lock()

    def work():
        for _ in range({k}):
            with lock:
                pass

    threads = [threading.Thread(target=work) for _ in range({n})]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
"""

TWO_LOCKS = """
    import threading
    a, b = threading.Lock(), threading.Lock()

    def work(first, second):
        with first:
            with second:
                pass

    threads = [threading.Thread(target=work, args=pair) for pair in ((a, b), (b, a))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
"""


@pytest.mark.parametrize(("n", "k", "orders"), [(2, 1, 2), (2, 3, 20), (3, 1, 6), (3, 2, 90)])
def test_dpor_runs_each_order_of_locked_steps_once(tmp_path: Path, n: int, k: int, orders: int) -> None:
    said = check(tmp_path, STEPS.format(n=n, k=k), "--strategy", "dpor")
    assert said["complete"] is True
    assert said["executions"] == orders + 1  # and the first one, which shows what the program imports


@pytest.mark.parametrize(
    "strategy", ["portfolio", "walk", "uniform", "pct", "pos", "surw", "dfs", "delay", "dpor"]
)
def test_each_strategy_finds_two_locks_in_both_orders(tmp_path: Path, strategy: str) -> None:
    said = check(tmp_path, TWO_LOCKS, "--strategy", strategy, status=1)
    assert said["kind"] == "deadlock"
    assert sorted(said["findings"][0]["threads"]) == ["Thread-1 (work)", "Thread-2 (work)"]
    assert said["executions"] <= 100


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_makes_the_same_search(tmp_path: Path, seed: int) -> None:
    options = ("--strategy", "walk", "--schedules", "40", "--seed", str(seed))
    first = check(tmp_path, TWO_LOCKS, *options, status=1)
    again = check(tmp_path, TWO_LOCKS, *options, status=1)
    assert (first["executions"], first["findings"]) == (again["executions"], again["findings"])


def test_a_bound_is_told(tmp_path: Path) -> None:
    said = check(tmp_path, STEPS.format(n=3, k=2), "--strategy", "dfs", "--bound", "1")
    assert (said["bound"], said["complete"], said["kind"]) == (1, False, None)


def test_a_found_schedule_fails_again_and_says_where_it_parts(tmp_path: Path) -> None:
    said = check(tmp_path, TWO_LOCKS, status=1)
    for _ in range(3):
        done = weft("replay", said["schedule"], cwd=tmp_path)
        assert done.returncode == 1, done.stdout
        assert "failure: deadlock: deadlock of" in done.stdout
    write(tmp_path, TWO_LOCKS.replace("with second:", "if True:"))
    done = weft("replay", said["schedule"], cwd=tmp_path)
    assert done.returncode == 2
    assert "diverged here" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "is no schedule: it is not JSON"),
        ("[]", "is no schedule of weft"),
        ('{"weft schedule": 99}', "is of format 99; this weft reads 1"),
        ('{"weft schedule": 1}', "is damaged: its 'program' is None"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "file.json").write_text(text)
    done = weft("replay", "file.json", cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_damaged_field_is_refused(tmp_path: Path) -> None:
    said = check(tmp_path, TWO_LOCKS, status=1)
    path = tmp_path / said["schedule"]
    whole = json.loads(path.read_text())
    for field, value in (("choices", "0*x"), ("args", [1]), ("steps", [[1]]), ("seed", "0"), ("finding", 3)):
        path.write_text(json.dumps({**whole, field: value}))
        done = weft("replay", str(path), cwd=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), field


def test_what_cannot_be_checked_has_its_own_status(tmp_path: Path) -> None:
    path = write(tmp_path, "def broken(:\n")
    for args in (
        ("check", "missing.py"),
        ("check", str(path)),
        ("check",),
        ("check", "--time", "x", str(path)),
        ("check", "--strategy", "best", str(path)),
        ("replay",),
        ("replay", "missing.json"),
    ):
        done = weft(*args, cwd=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), args
        assert done.stderr.startswith("weft"), args


def test_what_the_last_thread_does_races_with_those_that_have_ended(tmp_path: Path) -> None:
    """In the first execution the thread has ended when the main one, alone by then, writes."""
    program = """
        import threading

        class Shared:
            value = 0

        shared, told = Shared(), threading.Event()
        shared.value = 1

        def work():
            told.set()
            assert shared.value is not None, "it is gone"

        t = threading.Thread(target=work)
        u = threading.Thread(target=told.wait)
        t.start()
        u.start()
        u.join()
        shared.value = None
        t.join()
    """
    said = check(tmp_path, program, "--strategy", "dpor", status=1)
    assert "it is gone" in said["findings"][0]["title"]
