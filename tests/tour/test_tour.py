"""`weft tour`, as a person uses it: the list, a chapter, its answer, other languages, bad calls."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.support.programs import Finished, environment, run_child
from weft.tour.book import open_book
from weft.tour.terminal import Terminal, wrapped

LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


def tour(*words: str, env: Mapping[str, str] | None = None) -> Finished:
    plain = dict.fromkeys(LOCALES, "") | {"PYTHONUTF8": "1"}
    return run_child([sys.executable, "-m", "weft", "tour", *words], env=plain | dict(env or {}))


def on_a_terminal(*words: str, typed: bytes, env: Mapping[str, str]) -> str:
    """What a person sees who types that as soon as the command asks."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "weft", "tour", *words]
    child = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment({"PYTHONUTF8": "1", **env})
    )
    os.close(theirs)
    os.write(ours, typed)  # it waits in the terminal until it is read
    seen = b""
    try:
        while part := os.read(ours, 10_000):
            seen += part
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    assert child.wait(60) == 0
    return seen.decode()


def test_the_list_has_every_chapter_in_order() -> None:
    listed = tour().check().stdout
    assert listed.startswith("\nA tour of threads\n")
    numbers = [int(line.split()[0]) for line in listed.splitlines() if line.startswith((" ", "  "))]
    assert numbers == [chapter.number for chapter in open_book().chapters]


@pytest.mark.parametrize(
    ("env", "title"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "线程之旅"),
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "zh_CN.UTF-8"}, "A tour of threads"),
        ({"LC_ALL": "C"}, "A tour of threads"),
        ({}, "A tour of threads"),
    ],
)
def test_the_language_is_that_of_the_locale(env: dict[str, str], title: str) -> None:
    assert tour(env=env).check().stdout.split("\n")[1] == title


def test_a_chapter_is_shown_and_run_and_asks_its_question() -> None:
    shown = tour("14", "--lang=en").check().stdout
    parts = ["14. Two ways", " | import threading", "$ weft run --model user program.py"]
    parts += [
        "printed",
        "hello, Ben",
        "Just as expected.",
        "Question",
        "weft tour 14 --answer",
        "weft tour 16",
    ]
    places = [shown.index(part) for part in parts]
    assert places == sorted(places)
    assert "It works, and no thread is made" not in shown
    assert "\033" not in shown


def test_the_answer_is_shown_to_who_asks_for_it() -> None:
    assert "\nAnswer\n" in tour("14", "--answer").check().stdout


def test_a_chapter_runs_on_the_model_that_one_asks_for() -> None:
    shown = tour("1", "--model", "kernel", "--lang", "zh").check().stdout
    assert "$ weft run --model kernel program.py" in shown
    assert "first thread: the same process, another kernel thread" in shown
    assert "与预期完全一致" in shown


def test_the_program_alone_can_be_had() -> None:
    chapter = open_book().find("21")
    assert tour("21", "--program").check().stdout == chapter.program


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["28"], "there is no chapter '28': they have the numbers 1 to 27; `weft tour` lists them"),
        (["-1"], "there is no option '-1'"),
        (["deadlock"], "there is no chapter 'deadlock'"),
        (["²"], "there is no chapter '²'"),
        (["21", "--model", "plain"], "chapter 21 does not run on 'plain'; it runs on user, kernel, hybrid"),
        (["21", "--model"], "--model needs a value"),
        (["21", "22"], "one chapter at a time: 21 or 22"),
        (["21", "--lang", "fr"], "there is no language 'fr': en or zh"),
        (["--answer"], "which chapter? `weft tour` lists them"),
    ],
)
def test_a_bad_call_is_told(words: list[str], why: str) -> None:
    done = tour(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"weft tour: {why}")
    assert "Traceback" not in done.stderr


def test_help_says_what_there_is() -> None:
    said = tour("--help").check().stdout
    assert all(option in said for option in ("--model", "--answer", "--lang", "--program"))


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m weft tour 14 | head -1; exit ${{PIPESTATUS[0]}}"
    done = run_child(["bash", "-c", command])
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_on_a_terminal_enter_shows_the_answer() -> None:
    seen = on_a_terminal("14", "--lang", "en", typed=b"\n", env={"NO_COLOR": "1", "TERM": "xterm"})
    assert "Press Enter for the answer" in seen
    assert "no thread is made" in seen
    assert "\033[" not in seen


def test_on_a_terminal_there_are_colours() -> None:
    seen = on_a_terminal("14", "--lang", "en", typed=b"\n", env={"NO_COLOR": "", "TERM": "xterm-256color"})
    assert "\033[1;32m$ weft run --model user program.py" in seen
    assert "no thread is made" in seen


def test_what_differs_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    from weft.tour.running import Ran
    from weft.tour.words import ENGLISH

    Terminal(80).outputs(ENGLISH, Ran("one\ntwo\n", 0), "one\nthree\n", 0)
    assert capsys.readouterr().out.splitlines() == [
        "  printed | expected",
        "  one     | one",
        "! two     | three",
        ENGLISH.different,
        "",
    ]
    Terminal(40).outputs(ENGLISH, Ran("x" * 30 + "\n", 0), "y\n", 3)
    told = capsys.readouterr().out
    assert told.index("-- printed") < told.index("xxx") < told.index("-- expected") < told.index("status 3")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two three", ["one two", "three"]),
        ("一二三四五", ["一二三四", "五"]),
        ("一二三四，五", ["一二三", "四，五"]),
        ("averylongword x", ["averylongword", "x"]),
    ],
)
def test_text_is_wrapped_at_the_columns_that_it_takes(text: str, lines: list[str]) -> None:
    assert wrapped(text, 8) == lines
