"""The pytest plugin: tests under many schedules, in a run of pytest of their own."""

import re
import textwrap
import tomllib
from pathlib import Path

import pytest

from tests.check.programs import pytest_in, weft, write
from tests.support import Finished
from tests.support.source import ROOT

CONFTEST = """
    import pytest

    class Box:
        def __init__(self):
            self.n = 0

    def both(work):
        import threading
        threads = [threading.Thread(target=work) for _ in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    @pytest.fixture
    def box():
        return Box()

    @pytest.fixture(scope="session")
    def shared():
        return Box()

    @pytest.fixture
    def run():
        return both
"""


def run(folder: Path, text: str, *options: str) -> Finished:
    """A run of pytest over one module, with the plugin."""
    write(folder, CONFTEST, "conftest.py")
    write(folder, "import pytest, threading\n" + textwrap.dedent(text), "test_it.py")
    return pytest_in(folder, *options)


def outcomes(done: Finished) -> dict[str, int]:
    last = done.stdout.strip().splitlines()[-1]
    return {
        word.rstrip("s") if word == "errors" else word: int(n) for n, word in re.findall(r"(\d+) (\w+)", last)
    }


RACE = """
    @pytest.mark.weft(time=5)
    @pytest.mark.parametrize("wanted", [2, 3])
    def test_race(box, run, wanted, tmp_path):
        def work():
            box.n += 1
        run(work)
        (tmp_path / "file").touch()
        assert box.n == wanted or wanted == 3, "too few"
"""


def test_a_failure_shows_its_story_and_replays(tmp_path: Path) -> None:
    done = run(tmp_path, RACE, "-q")
    assert done.returncode == 1, done.stdout
    assert "failure: race: lost update of box.n" in done.stdout
    assert "AssertionError: too few" in done.stdout
    assert re.search(r"^Thread-1 .* +Thread-2 .*$", done.stdout, re.MULTILINE)
    assert "_pytest" not in done.stdout, "the frames are the test's own"
    # Where CI is set, pytest does not cut its closing lines, and each command stands there once more.
    commands = set(re.findall(r"replay: weft (replay \S+)", done.stdout))
    assert len(commands) == 2
    for one in commands:
        again = weft(*one.split(), cwd=tmp_path)
        assert again.returncode == 1, (again.stdout, again.stderr)
        assert "failure: race: lost update of box.n" in again.stdout


def test_assertions_are_rewritten_too(tmp_path: Path) -> None:
    text = """
        @pytest.mark.weft
        def test_it(box):
            assert [box.n] == [1]
    """
    done = run(tmp_path, text, "-q")
    assert "assert [0] == [1]" in done.stdout
    assert "test_it.py:5 in test_it" in done.stdout


GOOD = """
    import logging, time, unittest

    pytestmark = pytest.mark.weft(time=1)
    torn = []

    @pytest.fixture(scope="module", autouse=True)
    def wide():
        assert not torn, "fixtures of all scopes are made and torn down in each execution"
        begun = threading.Thread(target=time.sleep, args=(1,))
        begun.start()
        yield
        begun.join()
        torn.append(1)
        torn.clear()

    def test_fresh_fixtures(box, shared, run):
        assert (box.n, shared.n) == (0, 0)
        lock = threading.Lock()
        def work():
            with lock:
                box.n += 1
                shared.n += 1
        run(work)
        assert (box.n, shared.n) == (2, 2)

    def test_tmp_path(tmp_path, run):
        assert list(tmp_path.iterdir()) == []
        run((tmp_path / "file").touch)
        assert (tmp_path / "file").exists()

    def test_output(capsys):
        print("said")
        assert capsys.readouterr().out == "said\\n"

    def test_logs(caplog):
        logging.warning("told")
        assert caplog.messages == ["told"]

    def test_patched(monkeypatch, request):
        monkeypatch.setattr(time, "sleep", len)
        assert request.node.name == "test_patched"

    class TestCase(unittest.TestCase):
        def setUp(self):
            self.n = 3

        def test_method(self):
            self.assertEqual(self.n, 3)

    class TestGroup:
        def setup_method(self):
            self.n = 3

        @pytest.mark.parametrize("k", ["a::b", "c[d]"])
        def test_method(self, k):
            assert self.n == 3 and len(k) == 4
"""


def test_what_pytest_offers_works(tmp_path: Path) -> None:
    others = ("-p", "_hypothesis_pytestplugin", "-p", "pytest_timeout")
    done = run(tmp_path, GOOD, *others)
    assert outcomes(done) == {"passed": 8}, done.stdout


OTHER = """
    import unittest

    weft = pytest.mark.weft(time=1)

    @weft
    def test_skipped():
        pytest.skip("not today")

    @weft
    @pytest.mark.skip
    def test_marked():
        assert False

    @weft
    @pytest.mark.xfail(strict=True)
    def test_expected():
        assert False

    @weft
    def test_fails_in_set_up(missing):
        pass

    @weft
    def test_told(request):
        pytest.fail("told why")

    @pytest.mark.weft(colour=1)
    def test_bad_name():
        pass

    @pytest.mark.weft(5)
    def test_bad_form():
        pass

    @pytest.mark.weft(time="long")
    def test_bad_value():
        pass

    class TestCase(unittest.TestCase):
        @weft
        def test_fails(self):
            self.assertEqual(1, 2)

        @weft
        def test_skips(self):
            self.skipTest("nor today")

    def test_plain():
        assert not threading.current_thread().__class__.__module__.startswith("weft")
"""


def test_other_outcomes(tmp_path: Path) -> None:
    done = run(tmp_path, OTHER, "-rs")
    assert outcomes(done) == {"passed": 1, "skipped": 3, "xfailed": 1, "failed": 6}, done.stdout
    for said in (
        "not today",
        "nor today",
        "fixture 'missing' not found",
        "Failed: told why",
        "there is no option 'colour': a check takes",
        "the marker weft takes names with values, not (5,)",
        "time takes seconds, more than 0, not 'long'",
        "AssertionError: 1 != 2",
    ):
        assert said in done.stdout
    assert "Traceback" not in done.stdout


PLAIN = """
    import sys
    n = 0

    def test_race(run):
        global n
        n = 0
        def work():
            global n
            n += 1
        run(work)
        assert n == 2

    def test_nothing_of_weft_is_here():
        assert not [name for name in sys.modules if name.split(".")[0] in ("weft", "greenlet")]
"""


def test_without_a_mark_nothing_is_imported(tmp_path: Path) -> None:
    assert outcomes(run(tmp_path, PLAIN)) == {"passed": 2}


def test_all_tests(tmp_path: Path) -> None:
    done = run(tmp_path, PLAIN, "--weft", "-k", "race", "--weft-time", "5", "--weft-schedules", "500")
    assert outcomes(done) == {"failed": 1, "deselected": 1}
    assert "lost update of n" in done.stdout
    done = run(tmp_path, PLAIN, "--weft", "-k", "race", "--weft-time=0.3", "--weft-only", "nothing")
    assert outcomes(done) == {"passed": 1, "deselected": 1}, done.stdout


def test_a_strict_configuration(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers --strict-config --import-mode=importlib -x\n"
        "faulthandler_timeout = 50\nfilterwarnings = error\n"
    )
    done = run(tmp_path, RACE)
    assert outcomes(done) == {"failed": 1}, done.stdout
    assert "lost update of box.n" in done.stdout


def test_a_module_that_only_fails_there_is_told(tmp_path: Path) -> None:
    text = """
        if threading.Lock.__module__.startswith("weft"):
            raise ValueError("only there")

        @pytest.mark.weft
        def test_it():
            pass
    """
    done = run(tmp_path, text)
    assert outcomes(done) == {"failed": 1}
    assert "cannot be collected" in done.stdout
    assert "only there" in done.stdout


def test_the_entry_point_is_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["pytest11"] == {"pytest_weft": "pytest_weft"}
    assert "src/pytest_weft.py" in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "src"))
        plugin = __import__("pytest_weft")
    assert callable(plugin.pytest_configure)
