"""Queues with hooks of the program's own (`_init`, `_qsize`, `_put`, `_get`) behave as on CPython."""

from pathlib import Path

import pytest

from tests.check.programs import check

HEAD = """
import queue, threading
def run(*bodies):
    threads = [threading.Thread(target=body) for body in bodies]
    for t in threads: t.start()
    for t in threads: t.join()

class Counting(queue.Queue):
    looks = 0
    def _qsize(self):
        self.looks += 1
        return len(self.queue)

class Latest(queue.Queue):
    def _init(self, maxsize):
        self.values = {}
    def _qsize(self):
        return len(self.values)
    def _put(self, item):
        key, value = item
        self.values[key] = value
    def _get(self):
        key = min(self.values)
        return key, self.values.pop(key)
"""

RIGHT = {
    "a size that is counted": """
mine, seen = Counting(1), []
def put():
    for n in range(2): mine.put(n)
def get(): seen.append(mine.get())
run(put, get, get)
assert sorted(seen) == [0, 1] and mine.empty() and mine.looks > 0
""",
    "by priority, the last of each": """
mine, seen = Latest(), []
def put():
    mine.put((2, "old"))
    mine.put((1, "first"))
    mine.put((2, "new"))
def get():
    for _ in range(2):
        seen.append(mine.get())
        mine.task_done()
run(put, get)
assert [each for each in seen if each[0] == 1] == [(1, "first")]
assert seen[-1] in ((1, "first"), (2, "new"), (2, "old"))
""",
    "a put that counts, and who reads the count with the mutex": """
class Total(queue.LifoQueue):
    total = 0
    def _put(self, item):
        self.total += item
        super()._put(item)
mine = Total()
def drop():
    with mine.mutex: mine.total -= 1
run(lambda: mine.put(1), lambda: mine.put(2), drop)
assert mine.total == 2 and mine.qsize() == 2 and not mine.full()
""",
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_one_is_proved_right(tmp_path: Path, name: str) -> None:
    said = check(tmp_path, HEAD + RIGHT[name], "--time", "30", "--strict")
    assert said["complete"]
    assert not said["findings"]


def test_waits_have_their_timeouts(tmp_path: Path) -> None:
    program = """
mine, ends = Counting(1), []
mine.put(0)
def put():
    try: mine.put(1, timeout=5)
    except queue.Full: ends.append("full")
run(put)
mine.get()
try: mine.get(timeout=3)
except queue.Empty: ends.append("empty")
try: mine.get_nowait()
except queue.Empty: ends.append("empty")
assert ends == ["full", "empty", "empty"], ends
"""
    assert check(tmp_path, HEAD + program, "--strategy", "dfs")["kind"] is None


def test_a_wrong_one_loses_an_update(tmp_path: Path) -> None:
    program = """
class Total(Counting):
    total = 0
    def _put(self, item):
        self.total += item
        super()._put(item)
    def drop(self, item):
        self.total -= item  # the mutex is not held
mine = Total()
run(lambda: mine.put(1), lambda: mine.put(2), lambda: mine.drop(1))
"""
    said = check(tmp_path, HEAD + program, status=1)
    assert said["kind"] == "race"
    assert "total" in said["findings"][0]["title"]


def test_who_waits_in_vain_is_told_by_the_line_of_the_program(tmp_path: Path) -> None:
    program = """
mine = Counting()
def take(): mine.get()
run(take)
"""
    said = check(tmp_path, HEAD + program, status=1)
    assert said["kind"] == "deadlock"
    assert any("not_empty" in line and " in take" in line for line in said["findings"][0]["lines"])
