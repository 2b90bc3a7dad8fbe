"""When a search says that it is complete, and what keeps it from saying so."""

import textwrap
from pathlib import Path

import pytest

from tests.check.programs import check

#: Two threads, of which one order alone fails: a search that is complete has to come upon it.
NARROW = """
import threading
{before}
def one():
{one}
def other():
{other}
threads = [threading.Thread(target=one), threading.Thread(target=other)]
for t in threads: t.start()
for t in threads: t.join()
"""
HIDDEN = {
    "a class attribute read through an instance, written in the instance": (
        "class C: x = 0\nc = C()",
        "assert c.x == 0",
        "c.x = 1",
    ),
    "a class attribute read through an instance, written in the class": (
        "class C: x = 0\nclass D(C): pass\nc = D()",
        "assert c.x == 0",
        "C.x = 1",
    ),
    "a class attribute hidden by that of a subclass": (
        "class C: x = 0\nclass D(C): pass\nc = D()",
        "assert c.x == 0",
        "D.x = 1",
    ),
    "an attribute that its class gets": (
        "class C: pass\nc = C()",
        "assert not hasattr(c, 'x')",
        "C.x = 1",
    ),
    "a method of a class": (
        "class C:\n    def x(self): return 0\nc = C()",
        "assert c.x() == 0",
        "C.x = lambda self: 1",
    ),
    "a method hidden by an instance": (
        "class C:\n    def x(self): return 0\nc = C()",
        "assert c.x() == 0",
        "c.x = lambda: 1",
    ),
}


#: Ways to read a whole container; each shows if it comes after the append of the other thread.
READS = {
    "==": "assert xs == []",
    "== of two": "assert own == xs",
    "+": "assert len(xs + []) == 0",
    "an f-string": "assert f'{xs}' == '[]'",
    "a call with a star": "assert f(*xs) == 0",
    "a display with a star": "own = [*xs]; assert len(own) == 0",
    "join": "assert ''.join(xs) == ''",
    "unpacking": "a, *rest = xs; assert not rest",
}


def indented(text: str) -> str:
    return textwrap.indent(text, "    ")


@pytest.mark.parametrize("what", HIDDEN)
@pytest.mark.parametrize("turned", [False, True])
def test_what_two_names_lead_to_is_one_thing(tmp_path: Path, what: str, turned: bool) -> None:
    before, one, other = HIDDEN[what]
    if turned:
        one, other = other, one
    program = NARROW.format(before=before, one=indented(one), other=indented(other))
    assert check(tmp_path, program, "--strategy", "dpor", status=1)["kind"] == "assertion"


@pytest.mark.parametrize("how", READS)
def test_whoever_reads_a_whole_container_is_seen(tmp_path: Path, how: str) -> None:
    before = "xs, own = [], []\nf = lambda *xs: len(xs)\nshow = repr"
    if how == "unpacking":
        before = before.replace("xs, own = []", "xs, own = ['b']")
    program = NARROW.format(
        before=before, one="    own = []\n" + indented(READS[how]), other="    xs.append('a')"
    )
    assert check(tmp_path, program, "--strategy", "dpor", status=1)["kind"] == "assertion"


DAEMON = """
    import threading
    seen = []

    def work():
        seen.append(1)
        assert len(seen) != 2

    threading.Thread(target=work, daemon=True).start()
    seen.append(2)
"""


@pytest.mark.parametrize("strategy", ["dpor", "dfs"])
def test_what_a_daemon_does_before_the_end_is_tried(tmp_path: Path, strategy: str) -> None:
    assert check(tmp_path, DAEMON, "--strategy", strategy, status=1)["kind"] == "assertion"
    said = check(tmp_path, DAEMON.replace("!= 2", "!= 3"), "--strategy", strategy, "--bound", "9")
    assert said["complete"] is (strategy == "dpor") or said["exhausted"]


NOT_SEEN = {
    "timeouts": "threading.Event().wait(0.1)",
    "sleeps": "import time; time.sleep(1)",
    "is_alive()": "threads[0].is_alive()",
    "what comes after the bound on steps": "[seen.append(n) for n in range(400)]",
}


@pytest.mark.parametrize("what", NOT_SEEN)
def test_what_was_not_seen_keeps_it_from_being_complete(tmp_path: Path, what: str) -> None:
    program = NARROW.format(
        before="seen = []", one=indented(NOT_SEEN[what]), other=indented("seen.append(2)")
    )
    options = ("--strategy", "dpor", "--time", "2", "--steps", "300")
    said = check(tmp_path, program, *options)
    assert said["complete"] is False
    assert what in said["unseen"]


def test_without_any_of_it_it_is_complete(tmp_path: Path) -> None:
    program = NARROW.format(before="seen = []", one="    seen.append(1)", other="    seen.append(2)")
    said = check(tmp_path, program)
    assert (said["complete"], said["unseen"]) == (True, [])
