"""What is found is told by the smallest schedule that shows it, and shows again everywhere."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from tests.check.programs import check, weft
from tests.check.test_search import TWO_LOCKS
from weft.check.schedule import from_text

DATA = Path(__file__).parent / "schedules"

#: Programs of which some threads have nothing to do with what is wrong, the preemptions that are left and the
#: most switches at choices.
SMALLEST = {
    "two locks in both orders, among others": (
        """
        import threading
        a, b, count = threading.Lock(), threading.Lock(), []

        def work(first, second):
            with first:
                with second:
                    count.append(1)

        def other():
            for n in range(5):
                count.append(n)

        threads = [threading.Thread(target=work, args=pair) for pair in ((a, b), (b, a))]
        threads += [threading.Thread(target=other) for _ in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        """,
        1,
        6,
    ),
    "a lost update": (
        """
        import threading
        count = [0]

        def work():
            for n in range(4):
                count[0] += 1

        threads = [threading.Thread(target=work) for _ in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        """,
        1,
        3,
    ),
    "three in a row": (
        """
        import threading
        lock, path = threading.Lock(), []

        def step(name):
            with lock:
                path.append(name)
                assert path != [2, 0, 1]

        threads = [threading.Thread(target=step, args=(n,)) for n in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        """,
        0,
        3,
    ),
}


FRESH = """
    import sys, threading
    fresh = sys.getswitchinterval() < 1
    sys.setswitchinterval(1)  # C keeps it from one execution of a process to the next
    made = []

    def make(padding):
        for n in range(3):
            padding.append(n)
        if not made:
            made.append(1)

    threads = [threading.Thread(target=make, args=([],)) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(made) == 1 or not fresh
"""


def switches(choices: list[int]) -> int:
    return sum(one != other for one, other in itertools.pairwise(choices))


@pytest.mark.parametrize("name", SMALLEST)
@pytest.mark.parametrize("seed", range(3))
def test_the_schedule_is_the_smallest(tmp_path: Path, name: str, seed: int) -> None:
    program, preemptions, most = SMALLEST[name]
    said = check(tmp_path, program, "--seed", str(seed), "--strategy", "uniform", status=1)
    assert said["preemptions"] == preemptions
    data = json.loads((tmp_path / said["schedule"]).read_text())
    assert switches(from_text(data["choices"])) <= most


def test_a_failure_of_fresh_state_alone_becomes_smaller_too(tmp_path: Path) -> None:
    said = check(tmp_path, FRESH, status=1)
    assert said["kind"] == "assertion"
    assert said["preemptions"] is not None


@pytest.mark.parametrize("times", [10, pytest.param(100, marks=pytest.mark.slow)])
def test_a_finding_shows_again_each_time(tmp_path: Path, times: int) -> None:
    said = check(tmp_path, TWO_LOCKS, status=1)
    for _ in range(times):
        assert weft("replay", said["schedule"], cwd=tmp_path).returncode == 1


@pytest.mark.parametrize("path", sorted(DATA.glob("*.json")), ids=lambda path: path.stem)
def test_a_schedule_of_another_python_version_shows_the_same(path: Path) -> None:
    recorded: dict[str, Any] = json.loads(path.read_text())
    done = weft("replay", str(path), str(path.with_suffix(".py")), cwd=path.parent)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"failure: {recorded['finding']['kind']}: {recorded['finding']['title']}" in done.stdout
