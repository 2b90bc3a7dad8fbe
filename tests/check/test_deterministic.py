"""What a program can ask the machine for is the same in each execution, and the guard names what is not."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.check.programs import SECONDS, check, weft, write

ASKS = """
    import datetime, json, os, random, secrets, sys, threading, time, uuid

    def work():
        seen["thread"] = [threading.current_thread().name, threading.get_ident(), threading.get_native_id()]

    class Thing:
        pass

    seen = {
        "time": [time.time(), time.monotonic(), time.perf_counter(), time.time_ns(), time.monotonic_ns()],
        "cpu time": [time.process_time(), time.thread_time(), time.process_time_ns(), time.thread_time_ns()],
        "calendar": [time.localtime(), time.gmtime(), time.ctime(), time.asctime(), time.strftime("%c")],
        "calendar of a time": [time.gmtime(0), time.strftime("%Y", time.gmtime(0))],
        "random": [random.random(), random.getrandbits(64), random.sample(range(99), 5)],
        "generators": [random.Random().random(), random.Random(3).random(), random.SystemRandom().random()],
        "secrets": [secrets.token_hex(), os.urandom(4).hex()],
        "uuid": [str(uuid.uuid1()), str(uuid.uuid4())],
        "hashes": [hash("a"), hash(b"a"), list({str(n) for n in range(20)})],
        "idents": [threading.get_ident(), threading.main_thread().native_id, threading.active_count()],
    }
    t = threading.Thread(target=work)
    t.start()
    t.join()
    with open(sys.argv[1], "a") as file:
        file.write(json.dumps(seen) + "\\n")
"""


def test_what_is_asked_for_is_the_same_each_time(tmp_path: Path) -> None:
    path = write(tmp_path, ASKS)
    for hashes in ("random", "7", None):
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONHASHSEED"}
        if hashes is not None:
            environment["PYTHONHASHSEED"] = hashes
        command = [sys.executable, "-m", "weft", "check", "--schedules", "30", str(path), "told"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "deterministic" not in done.stdout
    told = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    assert len(told) > 60
    for name in told[0]:
        assert len({json.dumps(one[name]) for one in told}) == 1, name
    assert told[0]["calendar of a time"] == [[1970, 1, 1, 0, 0, 0, 3, 1, 0], "1970"]


def test_what_differs_is_named(tmp_path: Path) -> None:
    program = """
        import threading
        with open("count", "a+") as file:
            file.write("x")
            file.seek(0)
            odd = len(file.read()) % 2
        lock = threading.Lock()

        def work():
            with lock:
                pass
            if odd:
                with lock:
                    pass

        threads = [threading.Thread(target=work) for _ in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    """
    said = check(tmp_path, program, "--time", "0.5")
    (problem,) = said["problems"]
    assert problem.startswith("the program is not deterministic: one schedule, run twice, parts at step ")
    assert "program.py:" in problem
    assert "datetime.now" in problem
    assert said["complete"] is False


def test_a_deterministic_program_has_no_such_note(tmp_path: Path) -> None:
    program = """
        import queue, threading, time
        q = queue.Queue(2)

        def work(n):
            time.sleep(n)
            q.put(n)

        for n in range(3):
            threading.Thread(target=work, args=(n,)).start()
        assert len({q.get(timeout=9) for _ in range(3)}) == 3
    """
    assert check(tmp_path, program, "--time", "0.5")["problems"] == []


def test_a_failure_that_only_the_guard_has_seen_is_told(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    text = """
        import os, sys, threading
        n = 0
        def add():
            global n
            n += 1
        threads = [threading.Thread(target=add) for _ in range(3)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        with open(sys.argv[1], "a") as file:
            file.write(f"{n}\\n")
        assert n == 3
    """
    program, failed = write(tmp_path, text), 0
    for seed in range(6):  # one execution, in which nobody is preempted, and the guard's
        seen.write_text("")
        options = ("--strategy", "round-robin", "--schedules", "1", "--seed", str(seed))
        done = weft("check", "--json", *options, str(program), str(seen), cwd=tmp_path)
        said = json.loads(done.stdout)
        lost = set(seen.read_text().split()) != {"3"}
        assert (said["kind"] is not None) == lost
        assert said["executions"] == 1 + lost
        assert not (lost and said["complete"])
        failed += lost
    assert failed


def test_what_else_was_found_is_told_beside_it(tmp_path: Path) -> None:
    text = """
        import threading
        n, box, seen = 0, [0], []
        def add():
            global n
            n += 1
        def wrote():
            box[0] = 1
        def read():
            seen.append(box[0])
        threads = [threading.Thread(target=each) for each in (wrote, read, add, add, add)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert n == 3
    """
    program, both = write(tmp_path, text), 0
    for seed in range(6):
        options = ("--notes", "--strategy", "round-robin", "--schedules", "1", "--seed", str(seed))
        said = json.loads(weft("check", "--json", *options, str(program), cwd=tmp_path).stdout)
        kinds = {finding["kind"] for finding in said["findings"]}
        assert "data-race" in kinds  # of the box, in whatever order
        both += said["kind"] is not None
    assert both
