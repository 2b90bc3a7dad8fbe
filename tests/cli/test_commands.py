"""The table of commands is what the commands take and what their help says; and errors say what was meant."""

import contextlib
import importlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.programs import run_child
from weft.cli import check_all
from weft.cli.commands import COMMANDS, Option, usage
from weft.cli.output import meant

HELP = ("-h", "--help")
WEFT = (sys.executable, "-m", "weft")


def helps(name: str) -> list[str]:
    """What the command's help says, in all its parts."""
    own = importlib.import_module(f"weft.cli.{name}").HELP
    return [own, check_all.HELP] if name == "check" else [own]


def told(text: str) -> set[str]:
    """The options in a help: in its usage, and at the beginnings of lines."""
    use, _, body = text.partition("\n\n")
    columns = [
        re.split(r"\s{3,}|  (?=[a-z])|: ", line.strip())[0] for line in body.splitlines() if line[:3] == "  -"
    ]
    # What the usage shows as an option has a word of its own; `-m` stands in the column or there.
    return set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", "\n".join([use, *columns])))


def said(name: str, *args: str) -> tuple[str, int]:
    """What a command says on standard error to a wrong call, and its status."""
    errors = io.StringIO()
    command = getattr(importlib.import_module(f"weft.cli.{name}"), f"{name}_command")
    with contextlib.redirect_stderr(errors), pytest.raises(SystemExit) as ended:
        command(list(args))
    assert isinstance(ended.value.code, int)
    return errors.getvalue(), ended.value.code


OPTIONS = [
    pytest.param(name, option, each, id=f"{name} {each}")
    for name, command in COMMANDS.items()
    for option in command.options
    for each in option.names
    if each not in HELP
]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_tells_every_option_and_no_other(name: str) -> None:
    table = {each for option in COMMANDS[name].options for each in option.names} - set(HELP)
    texts = helps(name)
    if "all other options of `weft run`" in texts[0]:
        texts += helps("run")
    assert {option for text in texts for option in told(text)} == table


@pytest.mark.parametrize("name", COMMANDS)
def test_helps_have_one_form(name: str) -> None:
    for text in helps(name):
        lines = text.splitlines()
        assert lines[0].startswith(f"usage: weft {name} ")
        assert any(line.startswith("Exit status: ") for line in lines), "without the exit status"
        assert max(map(len, lines)) <= 110
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_both_ways_to_the_help_print_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = getattr(importlib.import_module(f"weft.cli.{name}"), f"{name}_command")
    for word in HELP:
        with contextlib.suppress(SystemExit):  # of status 0: what follows has printed nothing else
            command([word])
        assert capsys.readouterr().out == helps(name)[0]


@pytest.mark.parametrize(("name", "option", "each"), OPTIONS)
def test_every_option_of_the_table_is_taken(name: str, option: Option, each: str) -> None:
    """One that needs a value asks for it; after any other, the complaint is about what follows."""
    if (name, each) == ("check", "-m"):  # who parses it has ended with `os._exit` by then
        done = run_child([*WEFT, name, each])
        text, status = done.stderr, done.returncode
        assert "-m needs the name of a module" in text
    elif option.takes_value:
        words = ("--all", each) if each == "--total-time" else (each,)
        text, status = said(name, *words)
        assert f"{each} needs a" in text.replace("--jobs", each)
    else:
        text, status = said(name, each, "--no-such-option")
        assert "there is no option '--no-such-option'" in text
    assert status == 2


def test_a_command_that_is_missing_in_the_table_is_no_command() -> None:
    done = run_child([*WEFT, "bake"])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("weft: there is no command 'bake'\n")


def test_the_list_of_commands_names_each() -> None:
    assert re.findall(r"^(?:usage:| +) weft (\w+)", usage(), re.MULTILINE) == [
        *(line[0].split()[0] for command in COMMANDS.values() for line in command.usage)
    ]
    assert max(map(len, usage().splitlines())) <= 110


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("chek", "x.py"), "weft: there is no command 'chek'; did you mean 'check'?"),
        (("--verson",), "weft: there is no option '--verson'; did you mean '--version'?"),
        (
            ("run", "--modle", "user", "x.py"),
            "weft run: there is no option '--modle'; did you mean '--model'?",
        ),
        (("check", "--stict", "x.py"), "weft check: there is no option '--stict'; did you mean '--strict'?"),
        (
            ("check", "--all", "--totaltime=4"),
            (
                "weft check --all: there is no option '--totaltime=4'; did you mean '--total-time'?"
                " (pytest's own options stand after --)"
            ),
        ),
        (("compare", "--run=3"), "weft compare: there is no option '--run=3'; did you mean '--runs'?"),
        (("replay", "--pbd", "x"), "weft replay: there is no option '--pbd'; did you mean '--pdb'?"),
        (
            ("completion", "zhs"),
            "weft completion: it knows bash, zsh, fish, and not 'zhs'; did you mean 'zsh'?",
        ),
        (
            ("check", "--policy", "fair", "x.py"),
            "weft check: there is no option '--policy'; it is one of `weft run`, `weft trace`",
        ),
        (("doctor", "--jsno"), "weft doctor: there is no option '--jsno'; did you mean '--json'?"),
        (("doctor", "x.py"), "weft doctor: it takes no program; `weft run` starts one"),
        (("--help", "chek"), "weft: nothing may follow --help; did you mean 'check'?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_misspelled_word_is_told_with_what_was_meant(args: tuple[str, ...], expected: str) -> None:
    done = run_child([*WEFT, *args])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == expected


def test_nothing_is_guessed_where_nothing_is_near() -> None:
    assert meant("--colour", ["--model", "--slice"]) == ""


def test_help_is_a_command_too() -> None:
    done = run_child([*WEFT, "help", "doctor"])
    assert (done.returncode, done.stdout) == (0, helps("doctor")[0])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no disk that is always full")
@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("doctor",),
        ("tour", "18", "--answer"),
        ("check", "x.py"),
        ("check", "--all", "test_x.py"),
    ],
)
def test_output_that_cannot_be_written_is_told(args: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(RACE)
    (tmp_path / "test_x.py").write_text("def test_nothing(): pass\n")
    with open("/dev/full", "w") as full:
        done = subprocess.run([*WEFT, *args], stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    assert done.returncode == 2
    said = "weft: what it has to say cannot be written: No space left on device\n"
    assert done.stderr.removeprefix("1/1 test_x.py\n") == said


def test_a_replay_without_a_file_names_the_newest(tmp_path: Path) -> None:
    (tmp_path / ".weft").mkdir()
    for age, name in enumerate(("new-race.json", "old-deadlock.json", "new-0a.search.json")):
        (tmp_path / ".weft" / name).write_text("{}")
        os.utime(tmp_path / ".weft" / name, (1000 - age, 1000 - age if "search" not in name else 2000))
    done = run_child([*WEFT, "replay"], cwd=tmp_path)
    assert done.returncode == 2
    assert "the newest is .weft/new-race.json" in done.stderr


RACE = """\
import threading

n = 0


def add():
    global n
    n += 1


threads = [threading.Thread(target=add) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize(
    ("args", "status"),
    [
        (("--help",), 0),
        (("run", "--help"), 0),
        (("completion", "bash"), 0),
        (("compare", "--contest", "list"), 0),
        (("check", "-j", "1", "--quiet", "race.py"), 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_who_stops_reading_hears_no_complaint(args: tuple[str, ...], status: int, tmp_path: Path) -> None:
    """As `weft ... | head -0`: the other end of the pipe is closed before anything is written."""
    (tmp_path / "race.py").write_text(RACE)
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "wb") as out:
        done = subprocess.run(
            [*WEFT, *args],
            cwd=tmp_path,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.stderr, done.returncode) == ("", status)
