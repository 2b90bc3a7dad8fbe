"""Steering along an order of operations, and the file of a test that is emitted."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.check.programs import weft as command
from tests.check.programs import write
from weft.check.emitted import MARK, Text, claim
from weft.check.order import CLOCK, Named, alike, code_of, parse, words_of
from weft.check.steer import steer
from weft.errors import WeftError

# -- steering ----------------------------------------------------------------------------------------

LETTERS = """
    import sys
    import threading

    class Log:
        def __init__(self):
            self.text = ""

        def add(self, letter):
            self.text = self.text + letter

    log = Log()
    guard = threading.Lock()

    def first():
        for letter in "abc":
            with guard:
                log.add(letter)

    def second():
        for letter in "xyz":
            with guard:
                log.add(letter)

    others = [threading.Thread(target=int) for _ in range(int(sys.argv[1]))]
    threads = [threading.Thread(target=target) for target in (first, second)]
    for thread in [*others, *threads]:
        thread.start()
    for thread in [*others, *threads]:
        thread.join()
    assert log.text != "axbyzc", log.text
"""
TAKE = ("acquire Lock", "", "with guard:")
ORDER = [
    (f"Thread-{1 + (turn in 'xyz')} ({'second' if turn in 'xyz' else 'first'})", *TAKE) for turn in "axbyzc"
]


def test_operations_come_in_their_order(tmp_path: Path) -> None:
    path = write(tmp_path, LETTERS)
    found = steer([str(path), "0"], ORDER, folder=tmp_path)
    assert (found.kind, found.executions, found.missed) == ("assertion", 1, []), found
    assert "AssertionError: axbyzc" in str(found)
    assert (tmp_path / str(found.schedule)).exists() or Path(str(found.schedule)).exists()


def test_threads_are_told_by_their_names_without_numbers_too(tmp_path: Path) -> None:
    path = write(tmp_path, LETTERS)
    found = steer([path, "4"], ORDER)
    assert (found.kind, found.executions, found.missed) == ("assertion", 2, []), found


def test_functions_and_lines_may_change_one_at_a_time(tmp_path: Path) -> None:
    path = write(tmp_path, LETTERS.replace("with guard:", "with guard as held:").replace("axbyzc", "axbycz"))
    order = [(thread, what, thread[10:-1], source) for thread, what, _, source in ORDER]
    order[-2:] = order[:-3:-1]
    found = steer([path, "0"], order)
    assert found.kind == "assertion", found
    assert found.executions <= 4, "the line has changed, and the function is the same"
    assert not found.missed


def test_what_does_not_come_any_more_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, LETTERS.replace("!=", "!= 0 !="))
    gone = [
        ("Thread-2 (second)", "reads nothing"),
        *ORDER[:2],
        ("Thread-9 (gone)", "calls nothing"),
        (CLOCK,),
    ]
    answers = [steer([path, "0"], gone, schedules=40) for _ in range(2)]
    for found in answers:
        assert found.ok, found
        assert found.missed == [gone[0], gone[3], gone[4]]
    assert answers[0].executions == answers[1].executions > 40


@pytest.mark.parametrize(
    ("program", "order", "options", "why"),
    [
        ([], [], {}, "a program is a path, a name, or the words of a command line"),
        (["x.py", 3], [], {}, "a program is a path, a name, or the words of a command line"),
        ("x.py", "reads n", {}, "an order is a list of"),
        (
            "x.py",
            [("a", "b", "c", "d", "e")],
            {},
            "an operation of an order is (thread, what it does, function",
        ),
        ("x.py", [()], {}, "an operation of an order is"),
        ("x.py", [("", "reads n")], {}, "an operation of an order is"),
        ("x.py", [], {"schedules": 0}, "schedules takes a number of executions"),
        ("x.py", [], {"folder": "/no/such"}, "there is no folder '/no/such' to run the program in"),
        ("no_such.py", [], {}, "can't open file 'no_such.py'"),
    ],
)
def test_what_cannot_be_steered_is_refused(program: object, order: object, options: object, why: str) -> None:
    with pytest.raises(WeftError, match=re.escape(why)):
        steer(program, order, **options)  # type: ignore[arg-type]


def test_a_line_is_its_words() -> None:
    assert words_of("  n-=1   # less") == words_of("n -= 1")
    assert words_of("x = 'a # b'  # c") == words_of("x = 'a # b'") != words_of("x = 'a '")
    assert words_of("call(a,") == words_of("call( a ,  # open") != words_of("call(b,")
    assert alike("Thread-12 (sell)") == alike("Thread-3 (sell)") != alike("Thread-3 (buy)")
    assert alike("worker #2") == alike("worker")
    assert code_of("?") == ("", "")
    assert parse([["a", "b"]]) == [Named("a", "b")]


# -- the file ----------------------------------------------------------------------------------------

FINDING = {"kind": "exception", "level": "failure", "threads": ["T"], "places": [], "names": []}


def test_any_text_makes_a_test_as_ruff_would_leave_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nasty = 'it\'s "quoted" \\ \x00 \u202e \udc80 {n!r} """ \n end'
    order = [
        Named(nasty, nasty, "f", nasty),
        Named(CLOCK),
        Named("T", "reads n"),
        Named('"', "'", "\"'", "\\"),
    ]
    finding = {**FINDING, "title": f'"{nasty}', "lines": [nasty, f"at /elsewhere/x.py:3 in {nasty}"]}
    options = {"only": ["one", "two" * 40], "stdlib": True, "steps": 5}
    text = Text("tests/test_it.py", "script", str(tmp_path / "a b.py"), [nasty, "--x"])
    (tmp_path / "test_it.py").write_text(text.of(finding, order, "it's", options))
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "test_it.py"]
    done = subprocess.run(ruff, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    said: list[object] = []
    names: dict[str, object] = {"__file__": str(tmp_path / "tests" / "test_it.py")}
    source = (tmp_path / "test_it.py").read_text().replace("import weft", "")
    exec(source, names)
    names["weft"] = type("weft", (), {"steer": lambda *words, **named: said.append((words, named)) or Fine()})
    names["test_a_b_exception"]()  # type: ignore[operator]
    ((program,), named) = said[0]  # type: ignore[misc]
    assert program == ["a b.py", nasty, "--x"]
    assert named.pop("folder") == tmp_path.resolve()
    assert parse(named.pop("order")) == order
    assert named == options


class Fine:
    ok = True


@pytest.mark.parametrize(
    ("kind", "what", "args", "path", "words", "folder"),
    [
        ("script", "{}/app/run.py", [], "app/test_x.py", '"app/run.py"', "parents[1]"),
        ("script", "{}/run.py", ["a"], "test_x.py", '["run.py", "a"]', "parents[0]"),
        ("module", "app.run", ["a"], "tests/deep/test_x.py", '["-m", "app.run", "a"]', "parents[2]"),
        ("function", "app.run:main", [], "tests/test_x.py", '"app.run:main"', "parents[1]"),
        (
            "function",
            "{}/app/run.py:Group.main",
            [],
            "../test_x.py",
            '"app/run.py:Group.main"',
            'parents[0] / "{}"',
        ),
        ("script", "{}/a:b.py", [], "test_x.py", '"a:b.py"', "parents[0]"),
        ("script", "{}/../other/run.py", [], "../other/t/test_x.py", '"run.py"', "parents[1]"),
    ],
)
def test_a_program_is_named_from_the_test(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    what: str,
    args: list[str],
    path: str,
    words: str,
    folder: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    text = Text(path, kind, what.format(tmp_path), args).of(
        {**FINDING, "title": "t", "lines": []}, [], None, {}
    )
    assert f"        {words},\n        folder=ROOT,\n" in text
    assert f"ROOT = Path(__file__).resolve().{folder.format(tmp_path.name)}\n" in text


def test_only_what_was_emitted_is_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("def test_it(): pass\n")
    Path("ours.py").write_text(f"# edited\n{MARK}\n")
    Path("bytes.py").write_bytes(b"\xff")
    Path("folder.py").mkdir()
    for path, why in (
        ("mine.py", "was not emitted by weft"),
        ("bytes.py", "cannot be read"),
        ("folder.py", "is a folder"),
        ("test.txt", "ends with .py"),
        ("mine.py/deep/test.py", "'mine.py' is no folder"),
    ):
        with pytest.raises(WeftError, match=why):
            claim(path)
    for path in ("ours.py", "new.py", "new/deep/test.py"):
        claim(path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bytes.py", "folder.py", "mine.py", "ours.py"]


def test_the_command_says_when_no_test_is_written(tmp_path: Path) -> None:
    fine = "import threading\nt = threading.Thread(target=int)\nt.start()\nt.join()\n"
    write(tmp_path, fine)
    done = command("check", "--schedules", "5", "--emit-test", "tests/test_it.py", "program.py", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "no test was written: nothing failed")
    assert not (tmp_path / "tests").exists()
    done = command("check", "program.py", "--emit-test", "tests/test_it.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--emit-test stands before the program" in done.stderr
    done = command("check", "--emit-test", "program.py", "program.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert (tmp_path / "program.py").read_text() == fine
