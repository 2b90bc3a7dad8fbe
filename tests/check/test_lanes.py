"""Who lives, waits and holds what between the steps of an execution: what a picture of it is drawn from."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.check.programs import SECONDS, weft, write

TELL = """
    import json, sys
    from weft.check.start import begin
    session = begin()
    from weft.check.settings import Settings
    report, _ = session.check(session.parse(["program.py"]), Settings(time=5))
    schedule = report.schedule
    print(json.dumps({"steps": schedule.steps, "waits": schedule.waits, "lanes": schedule.lanes,
                      "kind": schedule.finding["kind"], "whole": report.whole and report.whole["lanes"]}))
"""


def told(folder: Path, program: str) -> dict[str, Any]:
    write(folder, program)
    write(folder, TELL, "tell.py")
    done = subprocess.run(
        [sys.executable, "tell.py"], cwd=folder, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_locks_waits_lives_and_time(tmp_path: Path) -> None:
    said = told(
        tmp_path,
        """
        import threading, time
        lock, gate = threading.Lock(), threading.Lock()

        def first():
            with lock:
                time.sleep(2)
            with gate:
                pass

        def second():
            time.sleep(1)
            with gate:
                pass
            with lock:
                pass

        threads = [threading.Thread(target=each, name=each.__name__) for each in (first, second)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        gate.acquire()
        gate.acquire()
        """,
    )
    assert said["kind"] == "self-deadlock"
    lanes, steps = said["lanes"], said["steps"]
    assert len(lanes["times"]) == len(steps)
    assert lanes["times"] == sorted(lanes["times"])
    assert lanes["times"][-1] == 2.0
    lives = {name: (number, parent, last >= 0) for number, name, _, last, parent in lanes["lives"]}
    assert lives == {"MainThread": (0, -1, False), "first": (1, 0, True), "second": (2, 0, True)}
    taken = {}
    for thing, thread, first, last in lanes["holds"]:
        assert steps[first][0] == thread
        assert steps[first][1] == "acquire Lock"
        taken[thread, last == -1] = thing
        if last >= 0:
            assert last >= first
            assert steps[last][0] == thread  # its holder lets it go
    assert taken[0, True] == said["waits"][0][3]  # the gate, to the end
    sleeps = [wait for wait in lanes["waits"] if wait[3] == "sleep"]
    assert (1, 2.0) in [(wait[0], wait[6]) for wait in sleeps]
    joined = [(wait[0], wait[5]) for wait in lanes["waits"] if wait[3] == "join"]
    assert joined[0] == (0, 1)
    last = lanes["waits"][-1]
    assert (last[0], last[2], last[3], last[5]) == (0, -1, "acquire", 0)
    for thread, first, end, *_ in lanes["waits"]:  # nobody makes a step while it waits
        until = len(steps) if end == -1 else end + 1
        assert thread not in [step[0] for step in steps[first:until]]


def test_a_notify_is_told_with_whom_it_wakes(tmp_path: Path) -> None:
    said = told(
        tmp_path,
        """
        import threading
        ready = threading.Condition()
        def waiter():
            with ready:
                ready.wait()
        t = threading.Thread(target=waiter, name="waiter")
        t.start()
        with ready:
            ready.notify_all()
        t.join()
        """,
    )
    assert said["kind"] == "lost-wakeup"
    notes = [(thread, place.rpartition("/")[2], text) for _, thread, place, text, _ in said["lanes"]["notes"]]
    assert notes == [(0, "program.py:10 in <module>", "notifies nobody: nobody waits")]
    gap, thing = said["lanes"]["notes"][0][0], said["lanes"]["notes"][0][4]
    assert said["steps"][gap - 1][0] == 0
    assert thing == said["waits"][-1][3]


def test_no_code_of_the_program_runs_for_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        import queue

        class Counting(queue.Queue):
            looks = 0

            def _qsize(self):
                self.looks += 1
                return len(self.queue)
        """,
        "counting.py",
    )
    program = """
        import threading
        from counting import Counting
        mine, lock = Counting(), threading.Lock()

        def work():
            mine.get()

        t = threading.Thread(target=work)
        t.start()
        for _ in range(3):
            with lock:
                pass
        looks = mine.looks
        mine.put(1)
        t.join()
        if looks % 3 == 0:
            raise ValueError(looks)
        if looks % 3 == 1:
            raise ValueError(looks)
        raise ValueError(looks)
    """
    write(tmp_path, program)
    found = weft("check", "--exclude", "counting", "--time", "5", "program.py", cwd=tmp_path)
    assert "did not show again" not in found.stdout  # what is told is what was found
    assert "failure: exception: ValueError: " in found.stdout
    assert weft("replay", ".weft/program-exception.json", cwd=tmp_path).returncode == 1
