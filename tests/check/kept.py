"""Programs that tests are emitted of: what is wrong in each, how it is mended, and harmless edits of it."""

from typing import NamedTuple


class Kept(NamedTuple):
    """A program; `mends` are (wrong, right) parts of its text, `edits` change it and not what it does."""

    text: str
    mends: tuple[tuple[str, str], ...]
    edits: tuple[tuple[str, str], ...]
    kinds: tuple[str, ...]  # of the finding


START = """
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""

LOST_UPDATE = Kept(
    """\
import threading

left = 10
lock = threading.Lock()


def sell():
    global left
    for _ in range(3):
        left -= 1


def main():
    targets = [sell, sell]
"""
    + START
    + """
    assert left == 4, left


main()
""",
    (("        left -= 1", "        with lock:\n            left -= 1"),),
    (("        left -= 1", "        left-=1  # one less"),),
    ("race",),
)

THROUGH_A_LOCAL = Kept(
    """\
import threading


class Account:
    def __init__(self):
        self.balance = 0
        self.lock = threading.Lock()

    def deposit(self, amount):
        before = self.balance
        after = before + amount
        self.balance = after


def main():
    account = Account()
    targets = [lambda: account.deposit(1), lambda: account.deposit(2)]
"""
    + START
    + """
    assert account.balance == 3, account.balance


if __name__ == "__main__":
    main()
""",
    (
        (
            "        before = self.balance\n        after = before + amount\n        self.balance = after\n",
            "        with self.lock:\n            self.balance += amount\n",
        ),
    ),
    (("        after = before", "        assert amount > 0\n        after = before"),),
    ("race",),
)

TWO_ORDERS = Kept(
    """\
import threading

checking = threading.Lock()
savings = threading.Lock()
moved = []


def save():
    with checking:
        with savings:
            moved.append("in")


def spend():
    with savings:
        with checking:
            moved.append("out")


def main():
    targets = [save, spend]
"""
    + START
    + """

main()
""",
    (("    with savings:\n        with checking:\n", "    with checking:\n        with savings:\n"),),
    (('            moved.append("in")', '            print("in")\n            moved.append("in")'),),
    ("deadlock",),
)

PHILOSOPHERS = Kept(
    """\
import threading

forks = [threading.Lock() for _ in range(3)]


class Philosopher(threading.Thread):
    def __init__(self, seat):
        super().__init__(name=f"philosopher-{seat}")
        self.first, self.second = seat, (seat + 1) % 3

    def run(self):
        for _ in range(2):
            forks[self.first].acquire()
            forks[self.second].acquire()
            forks[self.second].release()
            forks[self.first].release()


def main():
    table = [Philosopher(seat) for seat in range(3)]
    for philosopher in table:
        philosopher.start()
    for philosopher in table:
        philosopher.join()


main()
""",
    (
        (
            "        self.first, self.second = seat, (seat + 1) % 3",
            "        self.first, self.second = sorted((seat, (seat + 1) % 3))",
        ),
    ),
    ((" for _ in range(2):", " for meal in range(2):\n            self.meal = meal"),),
    ("deadlock",),
)

LOST_WAKEUP = Kept(
    """\
import threading

condition = threading.Condition()
ready = False


def wait():
    with condition:
        condition.wait()


def tell():
    global ready
    with condition:
        ready = True
        condition.notify()


def main():
    targets = [wait, tell]
"""
    + START
    + """

main()
""",
    (("        condition.wait()", "        while not ready:\n            condition.wait()"),),
    (("        ready = True", "        ready = True\n        print(ready)"),),
    ("lost-wakeup",),
)

BUFFER = Kept(
    """\
import threading


class Buffer:
    def __init__(self):
        self.items = []
        self.filled = threading.Condition()

    def put(self, item):
        with self.filled:
            self.items.append(item)
            self.filled.notify_all()

    def get(self):
        with self.filled:
            if not self.items:
                self.filled.wait()
            return self.items.pop()


def main():
    buffer = Buffer()

    def produce():
        for item in range(2):
            buffer.put(item)

    targets = [buffer.get, buffer.get, produce]
"""
    + START
    + """

main()
""",
    (("            if not self.items:", "            while not self.items:"),),
    (
        (
            "            return self.items.pop()",
            "            item = self.items.pop()\n            return item",
        ),
    ),
    ("exception",),
)

CHECK_THEN_ACT = Kept(
    """\
import sys
import threading

made = []
connections = {}
lock = threading.Lock()


def connect(host):
    made.append(host)
    return object()


def connection(host):
    if host not in connections:
        connections[host] = connect(host)
    return connections[host]


def main():
    host = sys.argv[1]
    targets = [lambda: connection(host), lambda: connection(host)]
"""
    + START
    + """
    assert len(made) == 1, f"{len(made)} connections to {host!r}"


main()
""",
    (
        (
            "    if host not in connections:\n        connections[host] = connect(host)\n",
            "    with lock:\n        if host not in connections: connections[host] = connect(host)\n",
        ),
    ),
    (("    made.append(host)", "    print('new', host)\n    made.append(host)"),),
    ("assertion", "race"),
)

SINGLETON = Kept(
    """\
import threading


class Settings:
    instance = None
    lock = threading.Lock()

    @classmethod
    def get(cls):
        if cls.instance is None:
            with cls.lock:
                cls.instance = cls()
        return cls.instance


seen = []


def main():
    def look():
        seen.append(Settings.get())

    targets = [look, look]
"""
    + START
    + """
    assert seen[0] is seen[1], "two of them"


main()
""",
    (
        (
            "                cls.instance = cls()",
            "                if cls.instance is None:\n                    cls.instance = cls()",
        ),
    ),
    (("        seen.append(Settings.get())", "        mine = Settings.get()\n        seen.append(mine)"),),
    ("assertion", "race"),
)

TIMER = Kept(
    """\
import threading
import time

lock = threading.Lock()
answers = []


def give_up():
    with lock:
        if not answers:
            answers.append("too late")


def work():
    time.sleep(0.1)
    if not answers:
        answers.append("done")


def main():
    timer = threading.Timer(0.2, give_up)
    timer.start()
    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    timer.cancel()
    timer.join()
    assert len(answers) == 1, answers


main()
""",
    (
        (
            '    if not answers:\n        answers.append("done")',
            '    with lock:\n        if not answers:\n            answers.append("done")',
        ),
    ),
    (("    worker.start()", "    print(worker.name)\n    worker.start()"),),
    ("assertion",),
)

POOL = Kept(
    """\
import threading
from concurrent.futures import ThreadPoolExecutor

lock = threading.Lock()
totals = {"words": 0}


def count(line):
    words = len(line.split())
    totals["words"] = totals["words"] + words


def main():
    totals["words"] = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(count, ["a b", "c d e"]))
    assert totals["words"] == 5, totals
""",
    (
        (
            '    totals["words"] = totals["words"] + words',
            '    with lock:\n        totals["words"] = totals["words"] + words',
        ),
    ),
    (("    words = len(line.split())", "    words = len(\n        line.split()\n    )"),),
    ("race",),
)

#: By name: the program, and what follows its name (or, with a colon, the function) on the command line.
KEPT: dict[str, Kept] = {
    "lost_update": LOST_UPDATE,
    "through_a_local": THROUGH_A_LOCAL,
    "two_orders": TWO_ORDERS,
    "philosophers": PHILOSOPHERS,
    "lost_wakeup": LOST_WAKEUP,
    "buffer": BUFFER,
    "check_then_act": CHECK_THEN_ACT,
    "singleton": SINGLETON,
    "timer": TIMER,
    "pool": POOL,
}
WORDS: dict[str, list[str]] = {
    "through_a_local": ["-m", "through_a_local"],
    "check_then_act": ["check_then_act.py", "db.example"],
    "pool": ["pool:main"],
}


def replaced(text: str, parts: tuple[tuple[str, str], ...]) -> str:
    """The text with these parts changed, each of which stands there once."""
    for old, new in parts:
        assert text.count(old) == 1, (old, text)
        text = text.replace(old, new)
    return text


def moved(text: str) -> str:
    """The same program further down in its file, with functions in it that nobody calls and comments."""
    unrelated = (
        '"""A program."""\n\n\ndef unrelated():\n    # not called\n    return [n for n in range(10)]\n\n\n'
    )
    return unrelated + text.replace("\n\n\n", "\n\n\n# one more comment\n\n\n")
