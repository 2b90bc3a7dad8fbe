"""`weft compare`: one program on each model, as a person would ask for it."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support import MODELS, Finished, run_weft
from tests.support.programs import environment, run_child
from tests.support.waiting import until, until_ended
from weft.compare.choice import ALL, contest_file, contests

MODEL = """
import sys
model = next((name for name in ("user", "kernel") if f"weft.models.{name}" in sys.modules), "plain")
"""
THREE = "plain,kernel,user"


def python(*args: str) -> Finished:
    return run_child([sys.executable, *args])


def compare(*args: str, **how: Any) -> Finished:
    return run_child([sys.executable, "-m", "weft", "compare", *args], **how)


def asked(
    code: str, *options: str, models: str = THREE, runs: int = 1, **how: Any
) -> tuple[dict[str, Any], Finished]:
    """What `--json` says of a piece of code, and all else."""
    done = compare("--json", "--models", models, "--runs", str(runs), *options, "-c", MODEL + code, **how)
    assert done.returncode in (0, 1), done
    return json.loads(done.stdout), done


WORK = """
import threading, time
threads = [threading.Thread(target=time.sleep, args=(0.05,)) for _ in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("slept")
"""


def test_each_model_says_what_the_program_cost_there() -> None:
    said, done = asked(WORK, runs=2)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(said["models"]) == ["plain", "kernel", "user"]
    assert (said["format"], said["runs"], said["reference"]) == (1, 2, "plain")
    for model, found in said["models"].items():
        assert found["ok"]
        assert found["endings"] == ["status 0"] * 3
        assert found["output"] == {
            "same": True,
            "differing_runs": 0,
            "line": None,
            "expected": None,
            "got": None,
        }
        for name, least, most in (("wall", 0.05, 20), ("cpu", 0.005, 10), ("startup", 0.005, 10)):
            figure = found[name]
            assert least < figure["least"] <= figure["median"] <= figure["most"] < most
            assert len(figure["all"]) == 2
        assert 5e6 < found["memory"]["median"] < 100e6
        assert found["switches"]["kernel_voluntary"] >= 0
        if model == "plain":
            assert (found["threads_started"], found["parked"], found["switches"]["weft"]) == (
                None,
                None,
                None,
            )
        else:
            assert found["threads_started"] == 20
            assert 0.9 < found["parked"] < 5
    assert said["models"]["kernel"]["switches"]["weft"] == 0
    assert said["models"]["user"]["switches"]["weft"] >= 20
    assert said["verdict"]["text"].endswith(".")


def test_every_model_takes_part_unless_some_are_named() -> None:
    code = """
import queue, threading, time
woken = queue.Queue()
def nap():
    time.sleep(0.05)
    woken.put(1)
threads = [threading.Thread(target=nap) for _ in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(woken.get() for _ in threads))
"""
    done = compare("--runs", "1", "--json", "-c", code)
    said = json.loads(done.stdout)
    assert list(said["models"]) == list(ALL)
    for model, found in said["models"].items():
        assert found["output"]["same"], found
        assert found["threads_started"] == (None if model == "plain" else 20)
        if model in MODELS:
            assert 0.9 < found["parked"] < 8, found
        else:
            assert (found["parked"], found["switches"]["weft"]) == (None, None)


def keys(value: Any, path: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {path}
    return set().union(*(keys(inner, f"{path}.{key}".lstrip(".")) for key, inner in value.items()))


def test_the_keys_of_the_json_are_those_of_the_reference() -> None:
    said, _ = asked("print(1)", models="user")
    text = (Path(__file__).resolve().parents[2] / "docs" / "reference.md").read_text(encoding="utf-8")
    table = text.partition("### What `--json` prints")[2].partition("\n## ")[0]
    told = set()
    for first in re.findall(r"^\| (.*?) \|", table, re.MULTILINE)[2:]:
        told |= set(re.findall(r"`([^`]+)`", first))
    found = {re.sub(r"^models\.user\.", "models.NAME.", key) for key in keys(said)}
    assert told == {re.sub(r"\.(median|least|most|all)$", "", key) for key in found}


def test_the_table_is_what_a_person_gets() -> None:
    done = compare("--runs", "1", "--models", THREE, "-c", "print(1)")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("-c 'print(1)': one timed run, after one in which weft counts; Python 3.")
    assert lines[2].split() == ["plain", "kernel", "user"] or lines[3].split() == ["plain", "kernel", "user"]
    assert max(map(len, lines)) <= 100
    assert "\033" not in done.stdout
    assert lines[-1].endswith(".")


def on_a_terminal(*args: str, **env: str) -> str:
    """What a person sees, lines that are written over included."""
    ours, theirs = pty.openpty()
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "weft", "compare", *args],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment({"TERM": "xterm", **env}),
            start_new_session=True,
        )
    finally:
        os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 65536):
            seen += piece
    except OSError:  # nobody has the other end any more
        pass
    os.close(ours)
    assert child.wait(30) == 0
    return seen.decode()


def test_a_terminal_gets_colours_and_progress_unless_they_are_not_wanted() -> None:
    code = MODEL + "import time; time.sleep(0.3 if model == 'kernel' else 0); print(sys.stdin.read())"
    call = ("--runs", "1", "--models", "plain,kernel", "-c", code)
    seen = on_a_terminal(*call, NO_COLOR="")
    assert "\033[1m" in seen
    assert "counting: plain" in seen
    assert "round 1 of 1: kernel" in seen
    assert not re.search("\033\\[[0-9]+m", on_a_terminal(*call, NO_COLOR="1"))
    assert not re.search("\033\\[[0-9]+m", on_a_terminal(*call, NO_COLOR="", TERM="dumb"))


# -- programs that do not do as they should ----------------------------------------------------------------


def test_a_model_on_which_the_program_fails_shows_its_error_and_spoils_nothing() -> None:
    said, done = asked("print('begun')\nif model == 'kernel': raise ValueError('not here')")
    assert done.returncode == 1
    failed = said["models"]["kernel"]
    assert not failed["ok"]
    assert failed["endings"] == ["status 1", "status 1"]
    assert failed["error"].endswith("ValueError: not here")
    assert all(said["models"][model]["ok"] for model in ("plain", "user"))
    assert said["verdict"]["model"] != "kernel"


def asked_of_one_that_hangs(code: str, hangs: str, **how: Any) -> tuple[dict[str, Any], Finished]:
    """As `asked`, with time enough for the other models, also on a machine with other work."""
    for seconds in ("2", "8", "32"):
        said, done = asked(code, "--timeout", seconds, **how)
        if not any("hung" in found["endings"] for name, found in said["models"].items() if name != hangs):
            break
    return said, done


def test_a_model_on_which_the_program_hangs_is_given_up_with_the_dump_it_printed() -> None:
    code = """
import threading, subprocess
if model == "user":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(child.pid, flush=True)
    threading.Event().wait(60)
"""
    begun = time.monotonic()
    said, done = asked_of_one_that_hangs(code, "user", runs=3)
    assert time.monotonic() - begun < 30
    assert done.returncode == 1
    hung = said["models"]["user"]
    assert hung["endings"] == ["hung"]  # once is enough
    assert hung["wall"] is None
    assert hung["output"]["same"] is None
    assert re.search(r"'MainThread' \(blocked\) waits for an event to be set", hung["error"])
    assert all(said["models"][model]["endings"] == ["status 0"] * 4 for model in ("plain", "kernel"))


def test_a_deadlock_hangs_plain_python_and_is_told_elsewhere() -> None:
    code = "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()"
    said, _ = asked_of_one_that_hangs(code, "plain")
    assert said["models"]["plain"]["endings"] == ["hung"]
    assert said["models"]["plain"]["error"] == ""
    for model in ("kernel", "user"):
        assert said["models"][model]["endings"] == ["status 1", "status 1"]
        assert "DeadlockError" in said["models"][model]["error"]
    assert said["reference"] == "kernel"  # the first whose output is whole


def test_a_program_that_a_signal_ends_says_which() -> None:
    said, done = asked("import os\nif model == 'plain': os.kill(os.getpid(), 9)")
    assert said["models"]["plain"]["endings"] == ["signal 9", "signal 9"]
    assert said["models"]["user"]["ok"]
    assert done.returncode == 1


def test_another_output_is_shown_where_it_begins() -> None:
    said, done = asked("print('one'); print(model); print('three')", models="kernel,plain,user")
    assert done.returncode == 0
    assert said["reference"] == "kernel"
    assert said["models"]["kernel"]["output"]["same"]
    for model in ("plain", "user"):
        assert said["models"][model]["output"] == {
            "same": False,
            "differing_runs": 2,
            "line": 2,
            "expected": "kernel",
            "got": model,
        }


@pytest.mark.parametrize(
    ("code", "expected", "got"),
    [
        ("print('a' + 'b' * (model == 'user'))", "a", "ab"),
        ("print('a', end='' if model == 'user' else '\\n')", "a", "a (no end of line)"),
        ("print('a'); model == 'user' and print('more')", "(nothing: it ends before)", "more"),
        ("sys.stdout.buffer.write(b'\\xff' if model == 'user' else b'\\xfe')", "\\xfe (no", "\\xff (no"),
    ],
)
def test_every_byte_counts(code: str, expected: str, got: str) -> None:
    difference = asked(code, models="plain,user")[0]["models"]["user"]["output"]
    assert not difference["same"]
    assert difference["expected"].startswith(expected)
    assert difference["got"].startswith(got)


def test_a_program_that_never_prints_the_same_is_said_to_vary() -> None:
    done = compare("--runs", "1", "--models", "plain,user", "-c", "import time; print(time.time_ns())")
    assert done.returncode == 0
    assert re.search(r"^output +varies +differs$", done.stdout, re.MULTILINE)
    assert "as plain's own do" in done.stdout


def test_counts_that_a_program_left_no_time_for_are_not_made_up() -> None:
    said, done = asked("import os; os._exit(0)", models="user")
    assert done.returncode == 0
    assert said["models"]["user"]["threads_started"] is None
    assert said["models"]["user"]["switches"]["weft"] is None


# -- what the program gets ---------------------------------------------------------------------------------


def test_every_run_gets_the_whole_input() -> None:
    text = "first\nsecond\n" * 10_000
    code = "text = sys.stdin.read(); print(len(text), text[:5], sys.stdin.read() == '')"
    said, done = asked(code + "; assert len(text) == 130_000", input=text)
    assert done.returncode == 0
    assert all(found["ok"] and found["output"]["same"] for found in said["models"].values())


def test_input_that_does_not_come_is_asked_for() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "weft", "compare", "--runs", "1", "--models", "plain", "-c", "print(1)"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(None),
    )
    assert child.stderr
    assert child.stderr.readline().startswith("weft compare: waiting for the end of standard input, which")
    assert child.communicate(timeout=30) == (None, "")
    assert child.returncode == 0


def test_without_input_there_is_none() -> None:
    assert asked("assert sys.stdin.read() == ''")[1].returncode == 0


def test_the_program_may_come_from_the_input() -> None:
    done = compare("--models", THREE, "--runs", "1", "--json", "-", "x", input="import sys; print(sys.argv)")
    assert done.returncode == 0
    assert all(found["output"]["same"] for found in json.loads(done.stdout)["models"].values())


@pytest.mark.parametrize("how", ["script", "module", "code", "dash"])
def test_arguments_and_modules_are_as_weft_run_has_them(how: str, tmp_path: Path) -> None:
    code = (
        "import sys\nassert sys.argv[1:] == ['--runs', 'a b', '-x'], sys.argv\nprint(sys.path[0], __name__)\n"
    )
    program = "-program.py" if how == "dash" else "program.py"
    (tmp_path / program).write_text(code)
    call = {"script": [program], "module": ["-m", "program"], "code": ["-c", code], "dash": ["--", program]}[
        how
    ]
    done = compare(
        "--models",
        THREE,
        "--runs=1",
        "--json",
        *call,
        "--runs",
        "a b",
        "-x",
        cwd=tmp_path,
        env={"PYTHONSAFEPATH": ""},
    )
    assert done.returncode == 0, done
    assert all(found["output"]["same"] for found in json.loads(done.stdout)["models"].values())


def test_settings_of_weft_reach_the_models_and_its_own_variable_reaches_nobody() -> None:
    code = "import os\nassert (os.environ['WEFT_SLICE'], 'WEFT_COUNTS' in os.environ) == ('5ms', False)"
    env = {"WEFT_SLICE": "5ms", "WEFT_COUNTS": "/nowhere", "WEFT_MODEL": "kernel"}
    said, done = asked(code, env=env)
    assert done.returncode == 0, said


# What is started in the background by a shell ignores the signal.
INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from weft.cli.main import main; main()"
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_ends_its_group_ends_the_runs_and_all_they_started(number: int, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    child = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "compare", "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(None),
        process_group=0,
    )
    try:
        until(lambda: note.exists() and note.read_text())
        os.killpg(child.pid, number)
        out, err = child.communicate(timeout=30)
    finally:
        child.kill()
        child.wait()
    assert (child.returncode, err.strip()) == (
        (130, "weft compare: interrupted") if number == signal.SIGINT else (-number, "")
    )
    assert out == ""
    until_ended(int(note.read_text()))  # where compare is gone at once, the starter follows


# -- bad calls ---------------------------------------------------------------------------------------------

BAD: dict[str, tuple[tuple[str, ...], str]] = {
    "no program": ((), "weft compare: no program was named"),
    "an unknown option": (("--model", "user", "x.py"), "weft compare: there is no option '--model'"),
    "an option without a value": (("--runs",), "weft compare: --runs needs a value"),
    "an unknown model": (("--models", "plain,best", "-c", "1"), "weft: there is no model 'best'; choose"),
    "no runs": (("--runs", "0", "-c", "1"), "weft: there cannot be '0' runs; choose between 1 and 1000"),
    "runs that are no number": (("--runs", "many", "-c", "1"), "weft: there cannot be 'many' runs"),
    "a timeout that is no time": (("--timeout", "soon", "-c", "1"), "weft: 'soon' is no time"),
    "a timeout below zero": (("--timeout=-1", "-c", "1"), "weft: a timeout of -1 cannot be kept"),
    "a timeout that is no number": (("--timeout=nan", "-c", "1"), "weft: a timeout of nan cannot be kept"),
    "a script that is not there": (("nothing.py",), "weft: can't open file 'nothing.py': No such"),
    "a contest that is not there": (("--contest", "chess"), "weft: there is no contest 'chess'; choose"),
    "a contest and a program": (("--contest", "locks", "x.py"), "weft compare: a contest is a program"),
    "-m without a module": (("-m",), "weft compare: -m needs a module name"),
    "-c without code": (("-c",), "weft compare: -c needs a piece of code"),
    "a page in no folder": (("--html", "/no/page", "-c", "1"), "weft: cannot write the page to '/no/page'"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_bad_call_is_told_in_a_line_with_status_2(what: str) -> None:
    args, words = BAD[what]
    done = compare(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(words)
    assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize(
    ("redirected", "status", "words"),
    [
        (">&-", 2, "weft: standard output is closed: there is nobody to tell"),
        ("| true", 1, ""),
        ("2>&-", 0, ""),
        ("<&-", 0, ""),
    ],
)
def test_streams_may_be_closed(redirected: str, status: int, words: str) -> None:
    call = f"{sys.executable} -m weft compare --models plain --runs 1 -c pass"
    done = run_child(["bash", "-c", f"{call} {redirected}; exit ${{PIPESTATUS[0]}}"])
    assert done.returncode == status
    assert done.stderr.strip() == words


def test_a_page_without_its_library_is_refused_before_the_first_run(tmp_path: Path) -> None:
    (tmp_path / "matplotlib").mkdir()
    (tmp_path / "matplotlib" / "__init__.py").write_text("raise ImportError('no matplotlib here')\n")
    note = tmp_path / "ran"
    done = compare(
        "--html",
        "page.html",
        "-c",
        f"open({str(note)!r}, 'w')",
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("weft: --html draws its plots with matplotlib, which cannot be loaded")
    assert "'weft[html]'" in done.stderr
    assert not note.exists()
    assert not (tmp_path / "page.html").exists()


def test_a_page_is_written_beside_the_table(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the extra html is not installed")
    done = compare(
        "--html", "page.html", "--models", "plain,user", "--runs", "2", "-c", "print(1)", cwd=tmp_path
    )
    assert done.returncode == 0, done
    assert "\nThe page is page.html.\n" in done.stdout
    assert "<svg" in (tmp_path / "page.html").read_text(encoding="utf-8")


# -- what there is to choose from --------------------------------------------------------------------------


def test_models_and_contests_are_listed() -> None:
    assert compare("--models", "list").check().stdout.split() == list(ALL)
    listed = compare("--contest", "list").check().stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(contests())
    assert any("100 processes" in line for line in listed)


def test_the_help_names_every_option_and_model() -> None:
    text = python("-m", "weft", "compare", "--help").check().stdout
    for word in (
        "--models",
        "--runs",
        "--timeout",
        "--contest",
        "--json",
        "--html",
        "weft[html]",
        "-m",
        "-c",
        *ALL,
    ):
        assert word in text
    assert max(map(len, text.splitlines())) <= 110
    assert "weft compare" in python("-m", "weft", "--help").stdout


#: What makes a contest long, and what is enough of it for its answer to be right or wrong.
ENOUGH = {
    "BELOW = 500_000": "BELOW = 20_000",
    "CLIENTS = 100": "CLIENTS = 20",
    "REQUESTS = 200": "REQUESTS = 50",
    "TIMES = 500": "TIMES = 100",
    "SLEEPERS = 1_000": "SLEEPERS = 100",
    "COUNT = 100": "COUNT = 25",
}


def answers(program: str) -> dict[str, str]:
    said = {model: run_weft("--model", model, program).check().stdout for model in (*MODELS, "process")}
    return said | {"plain": python(program).check().stdout}


@pytest.mark.parametrize("name", contests())
def test_a_contest_has_the_same_answer_on_every_model(tmp_path: Path, name: str) -> None:
    text = Path(contest_file(name)).read_text(encoding="utf-8")
    lines = [ENOUGH.get(line, line) for line in text.splitlines()]
    assert lines != text.splitlines()
    program = tmp_path / "contest.py"
    program.write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = answers(str(program))
    assert len(set(said.values())) == 1, said


@pytest.mark.slow
@pytest.mark.parametrize("name", contests())
def test_a_whole_contest_has_the_same_answer_on_every_model(name: str) -> None:
    said = answers(contest_file(name))
    assert len(set(said.values())) == 1, said


def test_a_contest_is_compared_by_its_name() -> None:
    done = compare("--contest", "starting-threads", "--runs", "1", "--json", "--models", "user,kernel")
    assert done.returncode == 0, done
    said = json.loads(done.stdout)
    assert said["program"] == "contest starting-threads"
    assert [found["threads_started"] for found in said["models"].values()] == [1000, 1000]
