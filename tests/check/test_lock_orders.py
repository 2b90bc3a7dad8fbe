"""The lock orders of a whole run of pytest: ordinary tests, checked ones, workers."""

import textwrap
from pathlib import Path

import pytest

from tests.check.programs import pytest_in, write
from tests.support import Finished

BANK = """
    import threading

    A = threading.Lock()
    B = threading.RLock()

    def one_way():
        with A:
            B.acquire()
            B.release()

    def other_way():
        with B, A:
            pass

    class Account:
        def __init__(self):
            self.lock = threading.Lock()

        def transfer(self, other):
            with self.lock:
                with other.lock:
                    pass
"""

APART = """
    import bank

    def test_one():
        bank.one_way()

    def test_other():
        bank.other_way()
"""


def run(folder: Path, tests: str, *options: str, name: str = "test_it.py") -> Finished:
    """A run of pytest with the plugin, over one module of tests."""
    write(folder, BANK, "bank.py")
    write(folder, tests, name)
    return pytest_in(folder, *options)


def section(done: Finished) -> str:
    return done.stdout.partition(" lock order (weft) ")[2].partition("\n")[2]


TOLD = """\
1. warning: locks made at bank.py:4 in <module> and bank.py:5 in <module> are taken in orders that can \
end in a deadlock
   A: Lock made at bank.py:4 in <module>:  A = threading.Lock()
   B: RLock made at bank.py:5 in <module>:  B = threading.RLock()
   MainThread takes B while it holds A, in test_it.py::test_one
       A taken at
           test_it.py:5 in test_one:  bank.one_way()
           bank.py:8 in one_way:  with A:
       B taken at
           test_it.py:5 in test_one:  bank.one_way()
           bank.py:9 in one_way:  B.acquire()
   MainThread takes A while it holds B, in test_it.py::test_other
       B taken at
           test_it.py:8 in test_other:  bank.other_way()
           bank.py:13 in other_way:  with B, A:
       A taken at
           test_it.py:8 in test_other:  bank.other_way()
           bank.py:13 in other_way:  with B, A:
1 cycle in 2 orders of locks that 2 places make
"""


def test_a_cycle_of_two_tests_is_told_with_its_stacks(tmp_path: Path) -> None:
    done = run(tmp_path, APART, "--weft-lock-order", "test_it.py")
    assert done.returncode == 0, done.stdout
    assert section(done).startswith(TOLD), done.stdout


def test_it_may_make_the_run_fail(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\naddopts = --strict-config\n")
    done = run(tmp_path, APART, "--weft-lock-order=error")
    assert done.returncode == 1, done.stdout
    assert "1. error: locks made at" in done.stdout
    assert "the run fails: --weft-lock-order=error" in done.stdout
    assert "2 passed" in done.stdout
    (tmp_path / "pytest.ini").write_text("[pytest]\nweft_lock_order = error\n")
    assert run(tmp_path, APART).returncode == 1


ALONE = """
    import threading
    import bank

    def test_both_ways():
        bank.one_way()
        bank.other_way()

    def test_a_gate():
        first, second = bank.Account(), bank.Account()
        gate = threading.Lock()

        def work(one, other):
            with gate:
                one.transfer(other)

        threads = [threading.Thread(target=work, args=two) for two in ((first, second), (second, first))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
"""


def test_one_thread_alone_is_told_when_asked(tmp_path: Path) -> None:
    done = run(tmp_path, ALONE, "--weft-lock-order=error")
    assert done.returncode == 0, done.stdout
    assert "no cycle in 4 orders" in section(done)
    assert "1 more, each by one thread of one test: -v tells of them" in section(done)
    done = run(tmp_path, ALONE, "--weft-lock-order=error", "-v")
    assert done.returncode == 0, done.stdout
    assert "1. note: locks made at bank.py:4" in section(done)


ACCOUNTS = """
    import threading
    import bank

    def test_accounts():
        first, second = bank.Account(), bank.Account()
        for one, other in ((first, second), (second, first)):
            threading.Thread(target=one.transfer, args=(other,)).start()
"""


def test_objects_of_one_place(tmp_path: Path) -> None:
    done = run(tmp_path, ACCOUNTS, "--weft-lock-order")
    assert "2 locks made at bank.py:18 in Account.__init__ are each taken while another" in section(done)
    (tmp_path / "pyproject.toml").write_text('[tool.weft]\nbenign = ["*/bank.py:22 in Account.transfer"]\n')
    done = run(tmp_path, ACCOUNTS, "--weft-lock-order=error")
    assert done.returncode == 0, done.stdout
    assert "no cycle in 1 order of locks that 1 place makes\n1 declared harmless" in section(done)


def test_locks_of_one_place_are_told_with_the_test_that_took_them_so(tmp_path: Path) -> None:
    tests = """
        import threading
        first, second = threading.Lock(), threading.Lock()

        def test_one_way():
            with first, second: pass

        def test_the_other_way():
            with second, first: pass
    """
    said = section(run(tmp_path, tests, "--weft-lock-order"))
    assert "takes B while it holds A, in test_it.py::test_one_way" in said
    assert "takes A while it holds B, in test_it.py::test_the_other_way" in said
    assert "also in" not in said


CHECKED = """
    import threading

    import pytest
    import bank

    @pytest.mark.weft(schedules=5)
    def test_checked():
        thread = threading.Thread(target=bank.one_way)
        thread.start()
        thread.join()

    def test_ordinary():
        bank.other_way()
"""


def test_a_checked_test_feeds_the_same_graph(tmp_path: Path) -> None:
    done = run(tmp_path, CHECKED, "--weft-lock-order=error")
    assert done.returncode == 1, done.stdout
    assert "2 passed" in done.stdout
    assert "Thread-1 (one_way) takes B while it holds A, in test_it.py::test_checked" in section(done)
    assert "bank.py:9 in one_way:  B.acquire()" in section(done)
    assert "MainThread takes A while it holds B, in test_it.py::test_ordinary" in section(done)


WORKER = """
    import json

    import pytest

    class Node:
        pass

    def pytest_collection_finish(session):
        \"\"\"What a worker's controller does when the worker has ended, in one process.\"\"\"
        output = json.loads(json.dumps(GRAPH))
        node = Node()
        node.workeroutput = {"weft_lock_order": output}
        session.config.hook.pytest_testnodedown(node=node, error=None)
        bad = Node()  # one that died has handed nothing over
        session.config.hook.pytest_testnodedown(node=bad, error="died")

    class Hooks:
        def pytest_testnodedown(self, node, error):
            pass

    def pytest_addhooks(pluginmanager):
        if not pluginmanager.hasplugin("xdist"):
            pluginmanager.add_hookspecs(Hooks)
"""

HANDS_OVER = """
    import json, pytest

    def pytest_configure(config):
        config.workeroutput = {}
        config.workerinput = {"workerid": "gw0"}

    def pytest_unconfigure(config):
        open("graph.json", "w").write(json.dumps(config.workeroutput["weft_lock_order"]))
"""


def test_workers_hand_their_graphs_over(tmp_path: Path) -> None:
    (tmp_path / "hands_over.py").write_text(textwrap.dedent(HANDS_OVER))
    first = run(tmp_path, APART, "-p", "hands_over", "-p", "no:xdist", "--weft-lock-order=error", "-k", "one")
    assert first.returncode == 0, first.stdout
    graph = (tmp_path / "graph.json").read_text()
    (tmp_path / "conftest.py").write_text(
        f"import json\nGRAPH = json.loads({graph!r})\n" + textwrap.dedent(WORKER)
    )
    done = run(tmp_path, APART, "--weft-lock-order=error", "-k", "other")
    assert done.returncode == 1, done.stdout
    assert "1. error: locks made at bank.py:4" in section(done)
    assert "in test_it.py::test_one" in section(done)


def test_xdist(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    done = run(tmp_path, APART, "-p", "xdist.plugin", "--weft-lock-order=error", "-n2")
    assert done.returncode == 1, done.stdout
    assert "1. error: locks made at bank.py:4" in section(done)


def test_without_it_nothing_is_changed(tmp_path: Path) -> None:
    tests = """
        import sys, threading, _thread

        def test_it():
            assert type(threading.Lock()) is type(_thread.allocate_lock())
            assert "weft" not in sys.modules
    """
    (tmp_path / "pytest.ini").write_text("[pytest]\nweft_lock_order = true\n")
    assert run(tmp_path, tests, "--weft-lock-order=off").returncode == 0
    done = run(tmp_path, tests, "-p", "no:weft")
    assert (done.returncode, section(done)) == (0, ""), done.stdout


def test_bad_words_are_refused(tmp_path: Path) -> None:
    done = run(tmp_path, APART, "--weft-lock-order=often")
    assert done.returncode == 4
    assert "argument --weft-lock-order" in done.stderr
    (tmp_path / "pytest.ini").write_text("[pytest]\nweft_lock_order = often\n")
    done = run(tmp_path, APART)
    assert done.returncode == 4
    assert "weft_lock_order takes true, error or false, not 'often'" in done.stderr
    (tmp_path / "pytest.ini").unlink()
    (tmp_path / "pyproject.toml").write_text("[tool.weft]\nbenign = 3\n")
    done = run(tmp_path, APART, "--weft-lock-order")
    assert done.returncode == 4
    assert "`benign` in [tool.weft] has to be a list" in done.stderr
    assert "Traceback" not in done.stderr
