"""`weft trace` as a person types it."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

SECONDS = 60

PROGRAM = """
    import sys, threading, time
    box = threading.Lock()

    def work():
        with box:
            time.sleep(0.01)

    threads = [threading.Thread(target=work, name=f"w{n}") for n in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    print("done", *sys.argv[1:])
    sys.exit(3)
"""


def write(folder: Path, program: str = PROGRAM, name: str = "app.py") -> Path:
    path = folder / name
    path.write_text(textwrap.dedent(program))
    return path


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "weft", "trace", *args]


def trace(folder: Path, *args: str, input: str | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*args), cwd=folder, input=input, capture_output=True, text=True, timeout=SECONDS
    )


def slices(path: Path) -> list[dict[str, Any]]:
    return [event for event in json.loads(path.read_text())["traceEvents"] if event["ph"] == "X"]


@pytest.mark.parametrize("model", ["user", "kernel", "hybrid"])
def test_a_program_runs_as_ever_and_leaves_both_files(tmp_path: Path, model: str) -> None:
    pytest.importorskip("jinja2", reason="the extra html is not installed")
    write(tmp_path)
    done = trace(tmp_path, "--model", model, "app.py", "--open", "x y")
    assert (done.returncode, done.stdout) == (3, "done --open x y\n")
    first, *rest = done.stderr.splitlines()
    assert first.startswith("weft trace: 5 threads, ")
    assert first.endswith(f"model {model}")
    assert rest[0].startswith("  Lock box: 3 waits, ")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["app-trace.html", "app-trace.json", "app.py"]
    waits = [
        each for each in slices(tmp_path / "app-trace.json") if each["name"] == "waits for a lock: Lock box"
    ]
    assert len(waits) == 3
    assert all(each["args"]["place"].endswith("app.py:6 in work") for each in waits)
    assert "w3" in (tmp_path / "app-trace.html").read_text()


@pytest.mark.parametrize(
    ("output", "made"), [("t.json", {"t.json"}), ("in/t.html", {"t.html"}), ("in/t", {"t.html", "t.json"})]
)
def test_the_ending_says_which_files(tmp_path: Path, output: str, made: set[str]) -> None:
    pytest.importorskip("jinja2", reason="the extra html is not installed")
    (tmp_path / "in").mkdir()
    done = trace(tmp_path, "-o", output, "-c", "print(1)")
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert {each.name for each in (tmp_path / output).parent.iterdir()} - {"in"} == made


def test_modules_code_and_standard_input(tmp_path: Path) -> None:
    write(tmp_path, "print(input())", "mod.py")
    done = trace(tmp_path, "-o", "m.json", "-m", "mod", input="given\n")
    assert (done.returncode, done.stdout) == (0, "given\n")
    done = trace(tmp_path, "-o", "s.json", "-", "x", input="import sys; print(sys.argv)")
    assert done.stdout == "['-', 'x']\n"


def test_an_exception_is_the_programs_own(tmp_path: Path) -> None:
    done = trace(tmp_path, "-o", "t.json", "-c", "1 / 0")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "1 thread" in done.stderr


def test_a_deadlock_is_told_and_drawn(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        import threading
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
        """,
    )
    done = trace(tmp_path, "-o", "t.json", "app.py")
    assert done.returncode == 1
    assert "DeadlockError" in done.stderr
    assert [each["name"] for each in slices(tmp_path / "t.json")].count("waits for a lock: Lock lock") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_the_programs(tmp_path: Path, number: int) -> None:
    """Without a terminal the command hands on what it gets; then it makes the files."""
    write(
        tmp_path,
        """
        import signal, sys, time
        def leave(number, frame):
            print("leaving", flush=True)
            sys.exit(7)
        signal.signal(signal.SIGTERM, leave)
        signal.signal(signal.SIGINT, leave)
        print("ready", flush=True)
        time.sleep(60)
        """,
    )
    with subprocess.Popen(
        command("-o", "t.json", "app.py"),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(number)
        out, err = running.communicate(timeout=SECONDS)
    assert (running.returncode, out) == (7, "leaving\n")
    assert "cut short" not in err
    assert any(each["name"] == "running" for each in slices(tmp_path / "t.json"))


def test_of_a_program_that_is_killed_there_is_what_was_written(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        import os, signal, threading, time
        threading.Thread(target=time.sleep, args=(0.3,), name="sleeper").start()
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    done = trace(tmp_path, "-o", "t.json", "app.py")
    assert done.returncode == 128 + signal.SIGKILL
    assert "the recording is cut short" in done.stderr
    assert slices(tmp_path / "t.json")
    assert not (tmp_path / ".weft").exists()


def test_of_a_program_that_left_at_once_there_is_nothing_and_that_is_said(tmp_path: Path) -> None:
    done = trace(tmp_path, "-o", "t.json", "-c", "import os; os._exit(4)")
    assert done.returncode == 4
    assert "nothing was recorded" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_was_left_can_be_made_into_files(tmp_path: Path) -> None:
    """The command was killed, and the program went on to its end."""
    write(
        tmp_path,
        """
        import threading, time
        print("ready", flush=True)
        input()
        """,
    )
    to_read, to_write = os.pipe()
    with subprocess.Popen(
        command("-o", "t.json", "app.py"), cwd=tmp_path, stdin=to_read, stdout=subprocess.PIPE, text=True
    ) as running:
        os.close(to_read)
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.kill()
        running.wait()
        os.write(to_write, b"\n")
        os.close(to_write)
        assert running.stdout.read() == "", "the program has ended"
    (spool,) = (tmp_path / ".weft").iterdir()
    done = trace(tmp_path, "--from", str(spool), "-o", "again.json")
    assert done.returncode == 0, done.stderr
    assert slices(tmp_path / "again.json")
    assert spool.exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "no program was named"),
        (["--nonsense", "app.py"], "there is no option '--nonsense'"),
        (["-o"], "-o needs a value"),
        (["-o", "", "app.py"], "-o needs a file"),
        (["-o", "no/such/t.html", "app.py"], "cannot write the page to 'no/such/t.html': No such file"),
        (["-o", "no/such/t.json", "app.py"], "cannot write the trace to 'no/such/t.json': No such file"),
        (["--ring", "much", "app.py"], "'much' is no size; write it as 64MB"),
        (["--ring", "1kB", "app.py"], "a ring of 1kB is too small"),
        (["--open", "-o", "t.json", "app.py"], "--open shows the page"),
        (["--from", "no.spool"], "no.spool: the recording cannot be read: No such file"),
        (["--from", "app.py"], "this is no recording"),
        (["--from", "x.spool", "app.py"], "it runs no program"),
        (["--from", "x.spool", "--model", "user"], "it takes -o and --open alone"),
    ],
)
def test_a_bad_call_is_refused_before_anything_runs(tmp_path: Path, args: list[str], said: str) -> None:
    pytest.importorskip("jinja2", reason="the extra html is not installed")
    write(tmp_path)
    done = trace(tmp_path, *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["app.py"]


def test_what_weft_run_refuses_is_its_own_word(tmp_path: Path) -> None:
    write(tmp_path)
    for args, said in (
        (["--model", "none", "app.py"], "there is no model 'none'"),
        (["--ring", "1MB", "--model", "process", "app.py"], "on the process model many do; leave it out"),
        (["missing.py"], "can't open file 'missing.py'"),
    ):
        done = trace(tmp_path, "-o", "t.json", *args)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr
        assert [each.name for each in tmp_path.iterdir()] == ["app.py"]


def test_a_ring_keeps_the_end(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        import threading, time
        a, b = threading.Event(), threading.Event()
        def turn(mine, other, count):
            for _ in range(count):
                mine.wait(); mine.clear(); other.set()
        one = threading.Thread(target=turn, args=(a, b, 6_000))
        two = threading.Thread(target=turn, args=(b, a, 6_000))
        one.start(); two.start(); a.set(); one.join(); two.join()
        time.sleep(0.1)
        """,
    )
    done = trace(tmp_path, "--ring", "100kB", "-o", "t.json", "app.py")
    assert done.returncode == 0, done.stderr
    assert "records were let go" in done.stderr
    found = slices(tmp_path / "t.json")
    assert 1_000 < len(found) < 40_000
    assert [each["name"] for each in found].count("sleeps") >= 1
    assert not (tmp_path / ".weft").exists()
