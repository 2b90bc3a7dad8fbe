"""`weft check --all`: every test of a package under many schedules, as a person runs it."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.check.programs import SECONDS, weft

TESTS = """
    import threading
    import pytest

    n = 0

    def both(*works):
        threads = [threading.Thread(target=work) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def test_race():
        global n
        n = 0
        def work():
            global n
            n += 1
        both(work, work)
        assert n == 2

    @pytest.mark.parametrize("k", [1])
    def test_right(k, tmp_path):
        lock = threading.Lock()
        def work():
            with lock:
                pass
        both(work)

    def test_plain():
        assert not list(open(__file__)) == []

    def test_wrong():
        assert 1 == 2

    @pytest.mark.skip(reason="not today")
    def test_skipped():
        pass

    A, B = threading.Lock(), threading.Lock()

    def test_one_way():
        with A, B:
            pass

    def test_other_way():
        with B, A:
            pass
"""


def package(folder: Path, **files: str) -> Path:
    """A package with a module of tests."""
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").touch()
    for name, text in {"test_it": TESTS, **files}.items():
        (folder / "pack" / f"{name}.py").write_text(textwrap.dedent(text))
    return folder


def test_what_it_tells(tmp_path: Path) -> None:
    package(tmp_path)
    done = weft("check", "--all", "pack", "--time=30", "--strategy=dpor", cwd=tmp_path)
    assert done.returncode == 1, (done.stdout, done.stderr)
    said = done.stdout
    assert "== pack/test_it.py::test_race: fails\nfailure: race: lost update of n" in said
    assert "replay: weft replay .weft/test_race-race.json" in said
    assert "== pack/test_it.py::test_wrong: fails\nfailure: assertion: AssertionError: assert 1 == 2" in said
    table = said.partition("\ntest  ")[2].splitlines()
    assert table[0].split() == ["verdict", "executions", "seconds"]
    assert [line.split()[:2] for line in table[1:4]] == [
        ["pack/test_it.py::test_race", "fails"],
        ["pack/test_it.py::test_right[1]", "complete"],
        ["pack/test_it.py::test_wrong", "fails"],
    ]
    assert "skipped: not today: pack/test_it.py::test_skipped" in said
    assert "7 tests: 2 fail, 1 complete, 3 without threads, 1 skipped, 1 lock order that can" in said
    line = TESTS.splitlines().index("    A, B = threading.Lock(), threading.Lock()") + 1
    assert (
        f"== lock order of all tests, 1: warning: 2 locks made at pack/test_it.py:{line} in <module> are"
        in said
    )
    assert done.stderr == "1/7 pack/test_it.py\n"
    again = weft("replay", ".weft/test_race-race.json", cwd=tmp_path)
    assert again.returncode == 1, (again.stdout, again.stderr)
    assert "failure: race: lost update of n" in again.stdout


def test_json_packages_and_strictness(tmp_path: Path) -> None:
    package(tmp_path, test_bad="import nowhere_at_all")
    options = (
        "--json",
        "--schedules=300",
        "--total-time=60",
        "--strict",
        "pack",
        "--",
        "-k",
        "way or bad or plain",
    )
    done = weft("check", "--all", *options, cwd=tmp_path)
    assert done.returncode == 1, (done.stdout, done.stderr)
    said = json.loads(done.stdout)
    assert said["status"] == 1
    assert {name: n for name, n in said["counts"].items() if n} == {"no threads": 3, "error": 1}
    (ring,) = said["lock_order"]
    assert "with A, B:" in "\n".join(ring["lines"])
    by_name = {each["name"]: each for each in said["tests"]}
    assert "No module named 'nowhere_at_all'" in by_name["pack/test_bad.py"]["why"]
    plain = by_name["pack/test_it.py::test_plain"]
    assert (plain["verdict"], plain["report"]["executions"], plain["report"]["complete"]) == (
        "no threads",
        1,
        True,
    )
    assert said["executions"] == 3
    assert not said["interrupted"]


def test_what_cannot_be_checked(tmp_path: Path) -> None:
    package(tmp_path, test_bad="import nowhere_at_all")
    done = weft("check", "--all", "pack.test_bad", cwd=tmp_path)
    assert done.returncode == 2
    assert "1 test: 1 could not be checked" in done.stdout
    for words, wanted in (
        (["pack", "--", "-k", "nothing"], "pytest has collected no tests: name a folder"),
        (["pack/test_it.py::test_gone"], "not found: "),
        (["pack", "--", "--nonsense"], "unrecognized arguments: --nonsense"),
    ):
        (tmp_path / "pack" / "test_bad.py").unlink(missing_ok=True)
        done = weft("check", "--all", *words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, ""), done.stdout
        assert wanted in done.stderr
        assert "Traceback" not in done.stderr


def test_bad_calls_are_refused(tmp_path: Path) -> None:
    for words, wanted in (
        (["no/such/folder"], "there is no 'no/such/folder' here, and it is not the name of a package"),
        (["nowhere"], "there is no file, folder or package 'nowhere' here"),
        (["--time", "long"], "--time takes seconds, more than 0, not 'long'"),
        (["--total-time=0"], "--total-time takes seconds, more than 0, not 0.0"),
        (["-x"], "there is no option '-x' (pytest's own options stand after --)"),
    ):
        done = weft("check", "--all", *words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"weft check --all: {wanted}\n" in done.stderr


def test_without_pytest_it_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['pytest'] = None; from weft.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", "--all"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 2, done.stderr
    assert "pip install 'weft[pytest]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_interrupted_it_keeps_what_was_found(tmp_path: Path) -> None:
    endless = """
        import threading

        def test_wrong():
            assert 1 == 2

        def test_long():
            def work():
                for _ in range(50):
                    box.append(1)
            box = []
            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            open("begun", "a").write("x")

        def test_last():
            pass
    """
    package(tmp_path, test_it=endless)
    command = [sys.executable, "-m", "weft", "check", "--all", "--time=1000", "pack"]
    os.mkfifo(tmp_path / "begun")
    run = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        with open(tmp_path / "begun") as begun:
            assert begun.read(1)
            run.send_signal(signal.SIGINT)
            out, errors = run.communicate(timeout=SECONDS)
    finally:
        run.kill()
    assert run.returncode == 1, (out, errors)
    assert "failure: assertion: AssertionError: assert 1 == 2" in out
    assert "not run: interrupted: pack/test_it.py::test_long, pack/test_it.py::test_last" in out
    assert "interrupted: what was found until then\n3 tests: 1 fails, 2 not run\n" in out
    assert "Traceback" not in errors
