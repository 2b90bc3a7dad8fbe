"""Warnings and notes: what may go wrong though nothing has; and what declares it harmless."""

from pathlib import Path
from typing import Any

import pytest

from tests.check.programs import check, weft, write

HEAD = """
import queue, threading
a, b, c = threading.Lock(), threading.Lock(), threading.Lock()
def run(*bodies):
    threads = [threading.Thread(target=body) for body in bodies]
    for t in threads: t.start()
    for t in threads: t.join()
"""
ONE = """
def one():
    with a:
        with b: pass
def other():
    with b:
        with a: pass
"""
#: The locks are taken in two orders, and nothing keeps the threads apart but what the search cannot know.
ORDERS = {
    "joined": (
        ONE + "first = threading.Thread(target=one)\nfirst.start(); first.join(); run(other)",
        False,
    ),
    "a gate": (
        ONE.replace("def one():", "def one():\n  with c:").replace("def other():", "def other():\n  with c:")
        + "run(one, other)",
        False,
    ),
    "an event": (
        "done = threading.Event()\n"
        + ONE.replace("def other():", "def other():\n    done.wait()")
        + "def early():\n    one(); done.set()\nrun(early, other)",
        False,
    ),
    "a queue": (
        "jobs = queue.Queue()\n"
        + ONE.replace("def other():", "def other():\n    jobs.get()")
        + "def early():\n    one(); jobs.put(1)\nrun(early, other)",
        False,
    ),
    "tried": (
        ONE.replace("with b: pass", "b.acquire(False) and b.release()") + "run(one, other)",
        False,
    ),
    "one after the other by chance": (
        "turns = [0] * 2\n"
        + ONE.replace("def one():", "def one():\n    turns[0] = 1").replace(
            "def other():", "def other():\n    if not turns[0] or len(threading.enumerate()) > 2: return"
        )
        + "run(one, other)",
        True,
    ),
}


def of_kind(said: dict[str, Any], kind: str) -> list[Any]:
    return [finding for finding in said["findings"] if finding["kind"] == kind]


@pytest.mark.parametrize("name", ORDERS)
def test_locks_in_two_orders(tmp_path: Path, name: str) -> None:
    program, warned = ORDERS[name]
    said = check(tmp_path, HEAD + program, "--strategy", "walk", "--schedules", "60")
    found = of_kind(said, "lock-order")
    assert bool(found) is warned
    for finding in found:
        assert (finding["level"], len(finding["threads"]), len(finding["places"])) == ("warning", 2, 4)


def test_what_is_proved_not_to_strike_is_no_warning(tmp_path: Path) -> None:
    program = ORDERS["one after the other by chance"][0]
    said = check(tmp_path, HEAD + program)
    assert said["exhausted"]
    assert said["findings"] == []


STALE = """
balance = 10
def spend():
    global balance
    if balance > 5:
        balance = 5{comment}
def refund():
    global balance
    balance = 20
run(spend, refund)
"""


def test_a_stale_read_is_a_warning_and_strict_makes_it_count(tmp_path: Path) -> None:
    program = HEAD + STALE.format(comment="")
    said = check(tmp_path, program, "--time", "1")
    (finding,) = said["findings"]
    assert (finding["kind"], finding["level"], said["kind"]) == ("stale-read", "warning", "stale-read")
    assert [line.split(" at ")[0] for line in finding["lines"]] == [
        "Thread-1 (spend) decides by balance",
        "Thread-2 (refund) writes balance",
        "Thread-1 (spend) writes all the same balance",
    ]
    check(tmp_path, program, "--time", "1", "--strict", status=1)
    again = weft("replay", said["schedule"], cwd=tmp_path)
    assert (again.returncode, "warning: stale-read" in again.stdout) == (1, True)


def test_a_comment_on_the_line_declares_it_harmless(tmp_path: Path) -> None:
    said = check(tmp_path, HEAD + STALE.format(comment="  # weft: benign"), "--time", "1", "--strict")
    assert (said["findings"], said["silenced"]) == ([], 1)


@pytest.mark.parametrize("pattern", ["balance", "*program.py:12 *", "* in refund"])
def test_an_entry_of_the_configuration_does_so_too(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.weft]\nbenign = ['{pattern}']\n")
    said = check(tmp_path, HEAD + STALE.format(comment=""), "--time", "1", "--strict")
    assert (said["findings"], said["silenced"]) == ([], 1)
    assert "1 finding is declared harmless" in weft("check", "program.py", cwd=tmp_path).stdout


def test_an_entry_that_cannot_be_understood_is_refused(tmp_path: Path) -> None:
    for text in ("[tool.weft]\nbenign = 3\n", "[tool.weft\nbenign"):
        (tmp_path / "pyproject.toml").write_text(text)
        write(tmp_path, HEAD)
        done = weft("check", "program.py", cwd=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert "benign" in done.stderr or "pyproject.toml" in done.stderr


def test_a_lost_update_can_be_harmless_and_what_it_leads_to_cannot(tmp_path: Path) -> None:
    program = """
    hits = [0]
    def hit():
        hits[0] += 1  # weft: benign
    run(hit, hit)
    """
    said = check(tmp_path, HEAD + program.replace("\n    ", "\n"), "--time", "1")
    assert (said["findings"], said["silenced"] > 0) == ([], True)
    said = check(tmp_path, HEAD + program.replace("\n    ", "\n") + "assert hits[0] == 2", status=1)
    assert said["kind"] == "assertion"


#: Who writes, then who reads; and what orders the two.
PUBLISHED = {
    "nothing": ("seen.append(box[0])", "box[0] = 1", True),
    "a flag that is polled": ("if flag[0]: seen.append(box[0])", "box[0] = 1; flag[0] = 1", True),
    "a lock": ("with a: seen.append(box[0])", "with a: box[0] = 1", False),
    "a queue": ("jobs.get(); seen.append(box[0])", "box[0] = 1; jobs.put(1)", False),
    "an event": ("done.wait(); seen.append(box[0])", "box[0] = 1; done.set()", False),
    "an event that is asked": ("if done.is_set(): seen.append(box[0])", "box[0] = 1; done.set()", False),
    "a condition": (
        "with cond:\n        cond.wait_for(done.is_set)\n    seen.append(box[0])",
        "box[0] = 1; done.set()\n    with cond: cond.notify()",
        False,
    ),
    "a start": (
        "seen.append(box[0])",
        "box[0] = 1; t = threading.Thread(target=read); t.start(); t.join()",
        False,
    ),
    "a join": (
        "pass",
        "t = threading.Thread(target=box.__setitem__, args=(0, 1)); t.start(); t.join(); seen.append(box[0])",
        False,
    ),
    "a barrier": ("meet.wait(); seen.append(box[0])", "box[0] = 1; meet.wait()", False),
    "a semaphore": ("slots.acquire(); seen.append(box[0])", "box[0] = 1; slots.release()", False),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_races_are_notes_where_nothing_publishes(tmp_path: Path, name: str) -> None:
    read, wrote, race = PUBLISHED[name]
    program = f"""
box, flag, seen, jobs, done = [0], [0], [], queue.Queue(), threading.Event()
cond, meet, slots = threading.Condition(), threading.Barrier(2), threading.Semaphore(0)
def read():
    {read}
def wrote():
    {wrote}
run(wrote, *([] if {name == "a start"} else [read]))
"""
    options = ("--strategy", "walk", "--schedules", "300")
    said = check(tmp_path, HEAD + program, "--notes", *options)
    found = [each for each in of_kind(said, "data-race") if "box[0]" in each["title"]]
    assert bool(found) is race
    assert all(finding["level"] == "note" for finding in said["findings"])
    assert check(tmp_path, HEAD + program, *options, "--strict")["findings"] == []


CALLS = {
    "what happens in json.dumps": "json.dumps(shared)",
    "what happens in copy.copy": "copy.copy([shared])",
    "what happens in collections.Counter.update": "counter.update('a')",
}


@pytest.mark.parametrize("what", CALLS)
def test_a_call_out_of_sight_is_told_if_it_touches_what_is_shared(tmp_path: Path, what: str) -> None:
    program = """
import collections, copy, json
shared, own, counter = {}, {}, collections.Counter()
def one():
    %s
def other():
    shared[1] = 1; counter["a"] = 2
run(one, other)
"""
    said = check(tmp_path, HEAD + program % CALLS[what], "--strategy", "dpor")
    assert (said["complete"], said["unseen"]) == (False, [what])
    unshared = CALLS[what].replace("shared", "own").replace("counter", "collections.Counter()")
    assert check(tmp_path, HEAD + program % unshared, "--strategy", "dpor")["complete"] is True
