"""`weft ps` as a person meets it: programs that run, are stuck, spin, fork, or cannot be asked."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import MODELS
from tests.support.programs import Finished, environment, run_child

Start = Callable[..., "Program"]


class Program:
    """A program that `weft run` has started, up to its line "ready"."""

    def __init__(self, folder: Path, code: str, *options: str) -> None:
        self.env = environment({"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)})
        path = folder / "program.py"
        path.write_text(textwrap.dedent(code))
        self.child = subprocess.Popen(
            [sys.executable, "-m", "weft", "run", *options, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.env,
        )
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        assert line == "ready\n", (line, self.child.communicate())

    @property
    def pid(self) -> str:
        return str(self.child.pid)

    def ps(self, *args: str) -> Finished:
        return run_child([sys.executable, "-m", "weft", "ps", *args], env=self.env)

    def listing(self, *options: str) -> Any:
        return json.loads(self.ps("--json", *options, self.pid).check().stdout)

    def end(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.communicate()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    made: list[Program] = []

    def begin(code: str, *options: str) -> Program:
        folder = tmp_path / str(len(made))
        folder.mkdir(mode=0o700)
        made.append(Program(folder, code, *options))
        return made[-1]

    yield begin
    for program in made:
        program.end()


STUCK = """
import sys, threading
one, two, first, second = threading.Lock(), threading.Lock(), threading.Event(), threading.Event()

def forth():
    with one:
        first.set(); second.wait()
        with two:
            pass

def back():
    with two:
        second.set(); first.wait()
        with one:
            pass

never = threading.Event()

def idle():
    never.wait()

threads = [threading.Thread(target=target, name=target.__name__, daemon=True) for target in (forth, back)]
threads += [threading.Thread(target=idle, name=f"idle {number}", daemon=True) for number in range(20)]
for thread in threads:
    thread.start()
"""
SPINS = """
print("ready", flush=True)
while True:
    pass
"""


@pytest.mark.parametrize("model", MODELS)
def test_a_program_that_spins_tells_of_its_deadlocked_threads(start: Start, model: str) -> None:
    program = start(STUCK + "import time; time.sleep(0.2)" + SPINS, "--model", model)
    told = program.listing("--stacks")
    assert (told["model"], told["pid"], told["count"]) == (model, program.child.pid, 23)
    threads = {thread["name"]: thread for thread in told["threads"]}
    assert len(threads) == 23
    assert threads["MainThread"]["state"] == "running"
    assert "program.py:" in threads["MainThread"]["place"]
    assert [ring and {link["name"] for link in ring} for ring in told["cycles"]] == [{"forth", "back"}]
    assert (threads["forth"]["holder"], threads["forth"]["cycle"]) == ("back", 1)
    assert (threads["forth"]["kind"], threads["forth"]["daemon"]) == ("LOCK", True)
    assert threads["forth"]["place"].endswith("in forth")
    assert any(call.endswith("in forth") for call in threads["forth"]["calls"])
    assert threads["idle 7"]["kind"] == "EVENT"
    assert 0 < threads["idle 7"]["age"] < 120
    if model == "kernel":
        assert threads["MainThread"]["processor_time"] >= 0
        assert len({thread["carrier"] for thread in threads.values()}) == 23
    else:
        assert threads["idle 7"]["carrier"] in [carrier["native_id"] for carrier in told["carriers"]]


def test_what_people_see(start: Start) -> None:
    program = start(STUCK + SPINS)
    shown = program.ps(program.pid).check().stdout
    assert shown.startswith(f"{program.child.args[-1]} (process {program.pid}, user model, Python ")  # type: ignore[index]
    assert "\n23 threads\n" in shown
    assert "and 17 more like it" in shown
    assert "cycle: 'forth' -> 'back' -> 'forth'" in shown
    every = program.ps("--all", "--stacks", program.pid).check().stdout
    assert "more like it" not in every
    assert every.count("in idle\n") >= 20


def test_a_deadlocked_program_answers(start: Start) -> None:
    program = start(
        STUCK + "print('ready', flush=True)\nfor thread in threads:\n    thread.join()",
        "--on-deadlock",
        "report",
    )
    told = program.listing()
    assert [thread["kind"] for thread in told["threads"] if thread["name"] == "MainThread"] == ["JOIN"]
    assert program.child.stderr is not None
    assert "weft: deadlock" in program.child.stderr.readline()
    assert program.child.poll() is None
    assert program.listing()["count"] == 23


def test_processor_time_of_user_threads(start: Start) -> None:
    program = start(
        """
        import threading, time
        def spin():
            while True:
                pass
        def rest():
            while True:
                time.sleep(0.01)
        for target in (spin, rest):
            threading.Thread(target=target, name=target.__name__, daemon=True).start()
        print("ready", flush=True)
        threading.Event().wait()
        """
    )
    told = {thread["name"]: thread["processor_time"] for thread in program.listing("--time")["threads"]}
    assert told["spin"] > told["rest"] >= 0
    assert told["MainThread"] < told["spin"]
    assert "processor_time" not in program.listing()["threads"][0]


def test_the_programs_are_listed_and_the_only_one_is_asked(start: Start, tmp_path: Path) -> None:
    program = start(STUCK + SPINS)
    alone = program.ps()
    assert "23 threads" in alone.check().stdout
    other = subprocess.Popen(
        [sys.executable, "-m", "weft", "run", "--model", "process", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=program.env,
    )
    assert other.stdin is not None
    assert other.stdout is not None
    other.stdin.write("print('ready', flush=True)\nimport time\ntime.sleep(100)\n")
    other.stdin.close()
    try:
        assert other.stdout.readline() == "ready\n"
        listed = program.ps().check().stdout.splitlines()
        assert listed[0].split() == ["PID", "MODEL", "THREADS", "FOR", "PROGRAM"]
        models = {line.split()[0]: line.split()[1] for line in listed[1:]}
        assert models == {program.pid: "user", str(other.pid): "process"}
        told = json.loads(program.ps("--json").check().stdout)["programs"]
        assert {each["pid"]: each["threads"] for each in told} == {program.child.pid: 23, other.pid: 1}
        assert "there are several programs" in program.ps("--watch").stderr
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


def test_threads_that_are_processes(start: Start) -> None:
    program = start(
        """
        import threading, time
        def work():
            time.sleep(100)
        threading.Thread(target=work, name="worker", daemon=True).start()
        print("ready", flush=True)
        time.sleep(100)
        """,
        "--model",
        "process",
    )
    told = program.listing()
    threads = {thread["name"]: thread for thread in told["threads"]}
    assert threads["MainThread"]["ident"] == program.child.pid
    assert threads["worker"]["ident"] != program.child.pid
    assert threads["worker"]["daemon"] is True
    assert "py-spy" in program.ps(program.pid).check().stdout
    os.kill(threads["worker"]["ident"], signal.SIGKILL)


def test_a_child_that_was_forked_is_asked_for_itself(start: Start) -> None:
    program = start(
        """
        import os, sys, threading, time
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        child = os.fork()
        if child == 0:
            time.sleep(100)
        sys.stderr.write(f"{child}\\n"); sys.stderr.flush()
        print("ready", flush=True)
        os.waitpid(child, 0)
        """
    )
    assert program.child.stderr is not None
    child = program.child.stderr.readline().strip()
    try:
        assert program.listing()["count"] == 2
        told = json.loads(program.ps("--json", child).check().stdout)
        assert (told["pid"], told["count"]) == (int(child), 1)
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_a_call_in_c_that_keeps_the_interpreter_is_told(start: Start) -> None:
    program = start("print('ready', flush=True)\nimport ctypes\nctypes.PyDLL(None).sleep(100)")
    done = program.ps("--timeout", "300ms", program.pid)
    assert done.returncode == 1
    assert "has not answered for 0.3 s: most likely a call in C" in done.stderr
    assert f"py-spy dump --native --pid {program.pid}" in done.stderr


def test_a_stopped_program_is_told_as_such(start: Start) -> None:
    program = start(SPINS)
    program.child.send_signal(signal.SIGSTOP)
    assert "is stopped by a signal" in program.ps("--timeout", "300ms", program.pid).stderr


@pytest.mark.parametrize("how", [("--no-ps",), ()])
def test_a_program_need_not_answer(
    start: Start, how: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start(SPINS, *(how or ("--slice", "10ms")))
    if how:
        done = program.ps(program.pid)
        assert (done.returncode, done.stdout) == (1, "")
        assert "cannot be asked" in done.stderr
        assert "--no-ps" in done.stderr
    else:
        assert program.ps(program.pid).returncode == 0


def test_who_cannot_be_asked_is_told_why(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    env = environment({"XDG_RUNTIME_DIR": str(tmp_path), "TMPDIR": str(tmp_path)})

    def ps(*args: str) -> Finished:
        return run_child([sys.executable, "-m", "weft", "ps", *args], env=env)

    assert "there is no process 4194305" in ps("4194305").stderr
    assert f"process {os.getpid()} (" in ps(str(os.getpid())).stderr
    for args, why in (
        (("x",), "'x' is no process number"),
        (("1", "2"), "only one program"),
        (("--no",), "there is no option '--no'"),
        (("--timeout",), "--timeout needs a value"),
        (("--timeout", "soon"), "is no time"),
        (("--json", "--watch"), "choose one"),
    ):
        done = ps(*args)
        assert (done.returncode, why in done.stderr) == (2, True), done
    assert ps("--help").stdout.startswith("usage: weft ps")


def test_a_name_cannot_give_orders_to_the_terminal(start: Start) -> None:
    program = start(
        """
        import threading
        threading.Thread(target=threading.Event().wait, name="\\033[2Jred\\n\\udc80", daemon=True).start()
        """
        + textwrap.indent(SPINS, " " * 8)
    )
    shown = program.ps(program.pid).check().stdout
    assert "\033" not in shown
    assert "2Jred" in shown


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_cannot_ask(start: Start) -> None:
    program = start(SPINS)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-m", "weft", "ps", program.pid],
        env=program.env,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    if "weft ps:" in done.stderr:  # else that user cannot even run this interpreter
        assert "belongs to another user" in done.stderr


def test_the_live_view(start: Start) -> None:
    pytest.importorskip("rich")
    program = start(STUCK + SPINS)
    watching = subprocess.Popen(
        [sys.executable, "-m", "weft", "ps", "--watch", program.pid],
        env={**program.env, "COLUMNS": "150"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(2)
    program.end()
    out, err = watching.communicate(timeout=30)
    assert "has ended" in err
    assert "23 threads: 1 running, 22 blocked" in out
    assert "and 17 more like it" in out
    assert "cycle: 'forth' -> 'back' -> 'forth'" in out


def test_without_rich_the_live_view_says_what_is_missing(start: Start, tmp_path: Path) -> None:
    program = start(SPINS)
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich" / "__init__.py").write_text("raise ImportError('not there')")
    program.env["PYTHONPATH"] = str(tmp_path)
    done = program.ps("--watch", program.pid)
    assert (done.returncode, done.stderr) == (
        1,
        "weft ps: --watch needs rich: pip install 'weft[terminal]'\n",
    )
