"""A search that is interrupted, kept and gone on with, and what it shows meanwhile."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.check.programs import SECONDS, check, weft, write
from tests.support.waiting import until

#: It says when its executions begin. Nothing fails, and there is no end to the schedules.
ENDLESS = """
    import os, threading
    state = {}

    def work(number):
        for step in range(40):
            state[number, step] = state.get((1 - number, step))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    os.close(os.open("begun", os.O_CREAT))
"""
SHORT = ("--schedules", "40", "--strategy", "walk")


def begun(folder: Path, *options: str, program: str = ENDLESS) -> "subprocess.Popen[str]":
    """A check of which executions are being run."""
    write(folder, program)
    child = subprocess.Popen(
        [sys.executable, "-m", "weft", "check", "--json", "--time", "1000", *options, "program.py"],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k != "PYTHONHASHSEED"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: (folder / "begun").exists() or child.poll() is not None)
    assert child.poll() is None, child.communicate()
    return child


@pytest.mark.parametrize(
    ("number", "jobs"), [(signal.SIGINT, "1"), (signal.SIGINT, "3"), (signal.SIGTERM, "2")]
)
def test_an_interrupt_ends_the_search_and_tells_what_was_found(
    tmp_path: Path, number: int, jobs: str
) -> None:
    child = begun(tmp_path, "-j", jobs)
    os.killpg(child.pid, number)  # as a terminal does it: to all processes of the command
    out, errors = child.communicate(timeout=SECONDS)
    said = json.loads(out)
    assert (child.returncode, errors) == (128 + number, "")
    assert (said["interrupted"], said["kind"], said["complete"]) == (True, None, False)
    assert said["executions"] > 0
    assert (tmp_path / said["rest"]).exists()


def test_a_failure_that_was_found_is_told_with_its_status(tmp_path: Path) -> None:
    """Whoever comes too late with an interrupt sees the verdict."""
    said = check(tmp_path, ENDLESS + "    assert not state\n", status=1)
    assert (said["interrupted"], said["rest"], said["kind"]) == (False, None, "assertion")


def test_a_second_interrupt_leaves_at_once(tmp_path: Path) -> None:
    """The executions do not come to their end, so that the first one cannot be over by then."""
    child = begun(tmp_path, program=ENDLESS + "    while True:\n        pass\n")
    os.kill(child.pid, signal.SIGINT)
    os.kill(child.pid, signal.SIGTERM)
    _, errors = child.communicate(timeout=SECONDS)
    assert child.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    assert "Traceback" not in errors


def test_a_search_goes_on(tmp_path: Path) -> None:
    first = check(tmp_path, ENDLESS, *SHORT)
    assert first["executions"] == 40
    assert first["rest"]
    then = check(tmp_path, ENDLESS, "--resume", "--schedules", "30")
    assert then["executions"] == 70
    whole = check(tmp_path, ENDLESS, "--schedules", "70", "--strategy", "walk", "-j", "1")
    assert whole["executions"] == 70
    done = weft("check", "--resume", "--seed", "4", "program.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "has --seed 0: it goes on with that. Without --resume the search begins anew" in done.stderr


def test_a_search_over_a_program_that_has_changed_does_not_go_on(tmp_path: Path) -> None:
    check(tmp_path, ENDLESS, *SHORT)
    write(tmp_path, ENDLESS + "    # another one\n")
    done = weft("check", "--resume", "program.py", cwd=tmp_path)
    assert done.returncode == 2
    assert f"the program has changed since the search was kept: {tmp_path}/program.py" in done.stderr
    check(tmp_path, ENDLESS + "    # another one\n", *SHORT)  # anew


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no search: it is not JSON"),
        ("{}", "is no search of weft"),
        ('{"weft search": 99}', "is of format 99; this weft reads 1"),
        ('{"weft search": 1}', "was made with another version of python: None"),
        (None, "is damaged"),
        ("", "there is no search to go on with"),
    ],
)
def test_a_file_that_is_no_search_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    first = check(tmp_path, ENDLESS, *SHORT)
    path = tmp_path / first["rest"]
    if text is None:
        text = path.read_text().replace('"digest": "', '"digest": "0')
    if text:
        path.write_text(text)
    else:
        path.unlink()
    done = weft("check", "--resume", "program.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_does_not_spoil_the_verdict(tmp_path: Path) -> None:
    (tmp_path / ".weft").write_text("in the way")
    said = check(tmp_path, ENDLESS, *SHORT)
    assert (said["kind"], said["rest"]) == (None, None)
    assert "the search cannot be kept in" in said["problems"][0]


def test_what_is_over_is_not_kept(tmp_path: Path) -> None:
    assert check(tmp_path, ENDLESS, "--strategy", "dfs", "--bound", "0")["rest"] is None
    assert check(tmp_path, "import threading")["rest"] is None


@pytest.mark.parametrize("words", [["-j", "0"], ["-j", "two"], ["--jobs=-1"], ["-j"]])
def test_a_number_of_processes_that_cannot_be_is_refused(tmp_path: Path, words: list[str]) -> None:
    done = weft("check", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("weft check: --jobs ")


@pytest.mark.parametrize("words", [["-j2"], ["-j", "2"], ["--jobs=auto"], ["-q"]])
def test_short_options(tmp_path: Path, words: list[str]) -> None:
    assert check(tmp_path, "import threading", *words)["complete"]
