"""The ways in: scripts, modules, functions, calls from code; what is rewritten; and what is refused."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.check.programs import SECONDS, check, weft, write
from weft.check.settings import STRATEGIES, Settings, option
from weft.errors import WeftError

COUNTER = """
    import sys
    import threading

    n = 0

    def work():
        global n
        n += 1

    def main():
        global n
        n = 0
        threads = [threading.Thread(target=work) for _ in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert n == 2, sys.argv[1:]

    class Group:
        @staticmethod
        def inside():
            main()

    def fine():
        pass

    def needy(a, b=1, *c, d):
        pass

    if __name__ == "__main__":
        main()
"""


def run(folder: Path, *words: str) -> "tuple[int, dict[str, object]]":
    done = weft("check", "--json", "--time", "5", *words, cwd=folder)
    return done.returncode, json.loads(done.stdout) if done.stdout else {"error": done.stderr}


@pytest.mark.parametrize(
    "words",
    [
        ["program.py"],
        ["-m", "program"],
        ["-m", "package"],
        ["program:main"],
        ["program.py:main"],
        ["program:Group.inside"],
        ["package.inner:main"],
        ["package/inner.py:main"],
    ],
)
def test_each_way_in_finds_it_and_replays(tmp_path: Path, words: list[str]) -> None:
    write(tmp_path, COUNTER)
    (tmp_path / "package").mkdir()
    write(tmp_path, "", "package/__init__.py")
    write(tmp_path, COUNTER, "package/inner.py")
    write(tmp_path, "from package import inner\nfrom .inner import main\nmain()\n", "package/__main__.py")
    status, said = run(tmp_path, *words, "an argument")
    assert (status, said["kind"]) == (1, "race"), said
    if "package" not in words:  # there the assertion of another module is told by its own line alone
        assert "an argument" in str(said["findings"])
    again = weft("replay", str(said["schedule"]), cwd=tmp_path)
    assert (again.returncode, again.stderr) == (1, ""), again.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nope.py"], "can't open file 'nope.py': No such file or directory"),
        (["nope:main"], "'nope' cannot be imported: ModuleNotFoundError: No module named 'nope'"),
        (["-m", "nope"], "there is no module 'nope' to run"),
        (["-m", "package"], "there is no module 'package' to run, or its package has no __main__"),
        (["-m"], "-m needs the name of a module"),
        (["-m", "math"], "'math' has no source file"),
        (["package.nope:main"], "No module named 'package.nope'"),
        (["program:mein"], "'program' has no 'mein'"),
        (["program:n"], "'program:n' is no function: it is 'int'"),
        (["program:needy"], "'program:needy' needs arguments (a, d)"),
        (["broken.py"], "invalid syntax"),
        (["broken:main"], "SyntaxError: invalid syntax"),
        (["raises:main"], "raises.py:2: ValueError: told"),
        (["raises.py:main"], "raises.py:2: ValueError: told"),
        (
            ["lacks.py"],
            "does not get as far as its first thread: ModuleNotFoundError: No module named 'no_such'",
        ),
        (["starts:main"], "starts.py:2: it starts threads while it is imported"),
        (["."], "can't open file '.': Is a directory"),
        ([], "no program was named"),
        (["--only", ",", "program.py"], "--only takes patterns of module names"),
        (["--exclude"], "--exclude needs a value"),
    ],
)
def test_what_cannot_be_checked_is_refused(tmp_path: Path, words: list[str], why: str) -> None:
    write(tmp_path, COUNTER)
    write(tmp_path, "def f(:\n", "broken.py")
    write(tmp_path, "\nraise ValueError('told')\n", "raises.py")
    write(tmp_path, "import no_such\n", "lacks.py")
    write(tmp_path, "import threading\nthreading.Thread(target=int).start()\nmain = int\n", "starts.py")
    (tmp_path / "package").mkdir()
    write(tmp_path, "", "package/__init__.py")
    status, said = run(tmp_path, *words)
    assert status == 2
    assert why in str(said["error"])
    assert "Traceback" not in str(said["error"])


# ---- what is rewritten


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ([], "race"),
        (["--only", "other,counted"], "race"),
        (["--only", "other"], None),
        (["--exclude", "count*"], None),
        (["--exclude=other"], "race"),
    ],
)
def test_only_and_exclude(tmp_path: Path, options: list[str], kind: str | None) -> None:
    write(tmp_path, COUNTER, "counted.py")
    program = "from counted import main\nmain()\n"
    said = check(tmp_path, program, "--time", "1", *options, status=int(kind is not None))
    assert said["kind"] == kind
    if kind is not None:
        done = weft("replay", said["schedule"], cwd=tmp_path)
        assert done.returncode == 1, done.stdout


def test_the_standard_library_on_request(tmp_path: Path) -> None:
    program = """
        import threading, mailcap_like, colorsys, sched
        s = sched.scheduler(lambda: 0, lambda _: None)
        seen = []

        def work():
            seen.append(sched.__loader__.__class__.__module__)

        t = threading.Thread(target=work)
        t.start()
        t.join()
        assert not seen[0].startswith("weft"), "sched is rewritten"
    """.replace(" mailcap_like, colorsys,", "")
    assert check(tmp_path, program, "--time", "1")["kind"] is None
    said = check(tmp_path, program, "--stdlib", "--time", "1", status=1)
    assert "sched is rewritten" in said["findings"][0]["title"]
    assert check(tmp_path, program, "--stdlib", "--only", "json", "--time", "1")["kind"] is None


# ---- from code

CALLS = """
    import subprocess
    import sys
    import threading
    import weft
    import weft.check.settings
    from program import main, Group, fine
    import program

    def mine():
        lock = threading.Lock()
        def work():
            with lock:
                pass
        threads = [threading.Thread(target=work) for _ in range(2)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def nested():
        both = [main]
        count, name, out = 2, "n", []

        def twice(body):
            threads = [threading.Thread(target=body) for _ in range(count)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()

        def lost():
            n = 0
            def work():
                nonlocal n
                n += 1
            twice(work)
            out.append(n)
            assert out == [count] and name == "n", "what is captured is made anew"

        found = weft.check(lost, time=5)
        assert found.kind == "race" and "lost update of n" in str(found), str(found)
        command = [sys.executable, "-m", "weft", "replay", found.schedule]
        replayed = subprocess.run(command, capture_output=True)
        assert replayed.returncode == 1, replayed
        assert out == [], "this one is another"

        lock = threading.Lock()
        assert weft.check(lambda: twice(int)).complete
        said = refused(lambda: lock.acquire())
        assert "has captured 'lock', which is a lock" in said, said
        said = refused(lambda: both)
        assert "has captured 'both', which is a list" in said, said
        assert "needs arguments (a)" in refused(lambda a: count)
        assert "more than one" in refused([lambda: 1, lambda: 2][0])
        assert "has no source" in refused(eval("lambda: 0", {"__name__": "sys"}))

    def refused(function, **options):
        try:
            weft.check(function, **options)
        except weft.WeftError as error:
            return str(error)

    if __name__ == "__main__":
        found = weft.check(main, time=5, seed=3)
        assert not found.ok and found.kind == "race" and found.schedule.endswith("main-race.json")
        assert found.failures and "lost update of n" in str(found) and "weft replay" in str(found)
        assert repr(found).startswith("<weft check: race found in")
        assert weft.check(Group.inside).kind == "race"
        assert weft.check(main, only=["nothing"], time=1).ok
        right = weft.check(mine, strategy="dpor")
        assert right.ok and right.complete and right.findings == [] and right.schedule is None
        assert (right.executions, repr(right)) == (3, "<weft check: nothing found in 3 executions>")
        from weft import check
        assert check is weft.check and check(mine, schedules=2).executions == 2
        alone = check(fine)
        assert alone.complete and alone.executions == 1, "without threads there is one schedule"
        assert "takes a function, not 3" in refused(3)
        nested()
        assert "needs arguments (a, d)" in refused(program.needy)
        assert "there is no strategy 'no'" in refused(main, strategy="no")
        assert "bound takes a number" in refused(main, bound=1.5)
        try:
            weft.check(main, nothing=1)
        except TypeError as error:
            assert "nothing" in str(error)
        print("done")
"""


def test_from_code(tmp_path: Path) -> None:
    write(tmp_path, COUNTER)
    path = write(tmp_path, CALLS, "calls.py")
    done = subprocess.run(
        [sys.executable, path], cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_the_package_costs_nothing_until_it_is_called() -> None:
    code = """
        import sys, weft
        assert "weft.check" not in sys.modules
        assert callable(weft.check)
        print(*[name for name in sys.modules if name.startswith("weft.check") or name == "threading"])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=SECONDS
    )
    assert (done.stdout, done.stderr) == ("weft.check\n", "")


# ---- settings


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("time", "0", "time takes seconds, more than 0, not 0.0"),
        ("time", "nan", "time takes seconds, more than 0, not nan"),
        ("time", "soon", "time takes seconds, more than 0, not 'soon'"),
        ("schedules", "0", "schedules takes a number of executions, 1 or more, not 0"),
        ("seed", "-1", "seed takes a whole number, 0 or more, not -1"),
        ("seed", "0x1", "seed takes a whole number, 0 or more, not '0x1'"),
        ("bound", "1.5", "bound takes a number of preemptions or delays, 0 or more, not '1.5'"),
        ("steps", "0", "steps takes a number of steps, 1 or more, not 0"),
        ("strategy", "luck", "there is no strategy 'luck': portfolio, walk,"),
        ("colour", "1", "there is no option 'colour': a check takes bound, jobs, net_faults,"),
    ],
)
def test_bad_values_are_refused(name: str, text: str, why: str) -> None:
    with pytest.raises(WeftError) as caught:
        option(Settings(), name, text)
    assert str(caught.value).startswith(why)


def test_good_values_are_taken() -> None:
    settings = Settings(seed=3, bound=None)
    for name, text in (("time", "2.5s"), ("schedules", "7"), ("steps", "9"), ("strategy", STRATEGIES[-1])):
        option(settings, name, text)
    taken = (settings.seconds, settings.schedules, settings.limit, settings.strategy, settings.seed)
    assert taken == (2.5, 7, 9, STRATEGIES[-1], 3)
    assert settings.bound == 2


@pytest.mark.parametrize("bad", [True, "1", 1.5])
def test_types_are_looked_at(bad: object) -> None:
    with pytest.raises(WeftError, match="seed takes a whole number"):
        Settings(seed=bad)


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("kind", 3, "its 'kind' is 3"),
        ("kind", "poem", "there are no programs of kind 'poem'"),
        ("instrument", [], "its 'instrument' is []"),
        ("instrument", {"only": [3]}, "in its 'only' is 3"),
        ("instrument", {"colour": 1}, "in its 'instrument' is 'colour'"),
    ],
)
def test_a_damaged_way_in_is_refused(tmp_path: Path, field: str, value: object, why: str) -> None:
    said = check(tmp_path, COUNTER, status=1)
    path = tmp_path / said["schedule"]
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    done = weft("replay", said["schedule"], cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr
