"""What a process could not give back is found before it starts, and what is harmless is not."""

import sys
from types import ModuleType

import pytest

from weft.errors import WeftError
from weft.processes.carried import check

SHARED = """\
import threading
from collections import deque
numbers = {}
line = [1]
tail = deque()
own = threading.local()
class Account:
    def __init__(self):
        self.left, self.log = 1, []
    def take(self):
        self.left -= 1
    def note(self):
        self.log.append(1)
    def look(self):
        return self.left
    def __call__(self):
        self.left = 0
account = Account()
def maker():
    seen, n = [], 0
    def append():
        seen.append(1)
    def count():
        nonlocal n
        n += 1
    def read():
        return len(seen) + n
    return append, count, read
append, count, read = maker()
"""

LOST = {
    "global n\n n = 1": "f() sets the global n",
    "global numbers\n del numbers": "f() sets the global numbers",
    "numbers[1] = 2": "f() changes the global numbers",
    "numbers[1] += 2": "f() changes the global numbers",
    "numbers[len(line)] = sum(x for x in line)": "f() changes the global numbers",
    "del line[0]": "f() changes the global line",
    "line.append(1)": "f() changes the global line, by append()",
    "tail.popleft()": "f() changes the global tail, by popleft()",
    "for x in range(3):\n  numbers.setdefault(x, x)": "f() changes the global numbers, by setdefault()",
    "account.left = 2": "f() sets left of the global account",
    "account.left += 2": "f() sets left of the global account",
    "account.log.append(2)": "f() changes account.log, by append()",
    "account.log[0] = 2": "f() changes account.log",
    "account.take()": "Account.take() sets self.left",
    "account.note()": "Account.note() changes self.log, by append()",
    "append()": "maker.<locals>.append() changes the variable seen, by append()",
    "count()": "maker.<locals>.count() sets the variable n of the function around it",
    "def inner():\n  global n\n  n = 1\n return inner": "f() sets the global n",
    "a[0] = b": "f() changes the argument a",
    "b[a[0]] = a": "f() changes the argument b",
    "a.clear()": "f() changes the argument a, by clear()",
}

HARMLESS = [
    "return numbers.get(1), line[0], account.left",
    "mine = {}\n mine[1] = numbers\n mine[1] = 2",
    "a = []\n a.append(1)\n a[0] += 1",
    "own.value = 1\n own.value += 1",
    "return account.look(), read()",
    "n = 0\n def inner():\n  nonlocal n\n  n += 1\n inner()\n return n",
    "return sorted(line), [x for x in numbers]",
    "with open('/dev/null') as file:\n  file.name",
    "account = Account()\n account.left = 3\n account.take()",
]


def module(text: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of a program, as an import of it would make it."""
    made = ModuleType("prog")
    made.__file__ = "/home/ada/prog.py"
    monkeypatch.setitem(sys.modules, "prog", made)
    exec(compile(SHARED + text, made.__file__, "exec"), made.__dict__)
    return made


@pytest.mark.parametrize("body", LOST)
def test_what_would_be_lost_is_refused(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prog = module(f"def f(a, b):\n {body}\n", monkeypatch)
    with pytest.raises(WeftError) as caught:
        check(prog.f, ([0], {}))
    text = str(caught.value)
    assert text.startswith(LOST[body] + " (prog.py:")
    assert "return the value through a queue, or pass --copy-globals" in text


@pytest.mark.parametrize("body", HARMLESS)
def test_what_loses_nothing_is_let_be(body: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(module(f"def f(a, b):\n {body}\n", monkeypatch).f, ([0], {}))


def test_the_line_is_the_one_that_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    prog = module("def f():\n  x = 1\n  numbers[x] = 2\n", monkeypatch)
    with pytest.raises(WeftError, match=rf"\(prog\.py:{SHARED.count(chr(10)) + 3}\)"):
        check(prog.f)


def test_any_kind_of_target_is_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    prog = module("import functools\ndef f(a, b):\n b.append(a)\n", monkeypatch)
    partial = prog.functools.partial(prog.f, 1)
    for target, args in (
        (partial, ([],)),
        (prog.account, ()),
        (prog.account.take, ()),
        (lambda: prog.line.append(1), ()),
        (lambda seen=prog.line: seen.append(1), ()),
        (prog.line.append, (1,)),
    ):
        with pytest.raises(WeftError, match="nobody would see it"):
            check(target, args)
    check(print, ([],))
    check(None)


def test_an_object_that_comes_back_may_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    account = module("", monkeypatch).account
    check(account.take, comes_back=account)
    check(account.note, comes_back=account)
