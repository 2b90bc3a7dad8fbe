"""What `weft trace` sees of threads that are processes: each notes its own waits, in one recording."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.processes.programs import METHODS
from tests.support.programs import environment
from weft.config import with_trace_file
from weft.watch.reading import read
from weft.watch.record import End, Record, Start, Stint, Wait

SECONDS = 60


class Recording:
    """A recording, read: waits as (thread, reason, object, line, who woke it, from which line, cause)."""

    def __init__(self, path: Path) -> None:
        self.names, records = read(str(path))
        self.records: list[Record] = list(records)

    def name(self, thread: int | None) -> str | None:
        return None if thread is None else self.names.threads[thread].name

    def line(self, place: int | None) -> int | None:
        if place is None:
            return None
        file, _, rest = self.names.places[place].rpartition(":")
        return int(rest.split()[0]) if file.endswith("app.py") else None

    def waits(self, reason: str) -> list[tuple[object, ...]]:
        return [
            (
                self.name(each.thread),
                self.names.objects.get(each.object or 0),
                self.line(each.place),
                self.name(each.by),
                self.line(each.by_place),
                each.cause,
            )
            for each in self.records
            if isinstance(each, Wait) and each.reason == reason
        ]

    def holders(self, of: str) -> list[str | None]:
        return [
            self.name(each.holder)
            for each in self.records
            if isinstance(each, Wait) and self.names.objects.get(each.object or 0) == of
        ]


def run(command: list[str], folder: Path, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=SECONDS)


def record(folder: Path, text: str, *options: str, status: int = 0) -> Recording:
    """Run a program on processes, recorded."""
    (folder / "app.py").write_text(textwrap.dedent(text))
    spool = folder / "spool"
    command = [sys.executable, "-m", "weft", "run", "--model", "process", *options, "app.py"]
    done = run(command, folder, with_trace_file(str(spool)))
    assert done.returncode == status, done.stderr
    return Recording(spool)


LOCKED = """\
    import threading, time
    box = threading.Lock()
    inside, go = threading.Event(), threading.Event()

    def hold():
        with box:
            inside.set()
            go.wait()
        time.sleep(0.2)  # main is to find it alive

    def want():
        box.acquire(timeout=0.05)
        with box:
            pass

    if __name__ == "__main__":
        one = threading.Thread(target=hold, name="one")
        two = threading.Thread(target=want, name="two")
        one.start()
        inside.wait()
        two.start()
        while not any(entry[1] > 1 for entry in box._cell.look(lambda state: state[1])):
            time.sleep(0.01)  # until two waits for the second time
        go.set()
        one.join()
        two.join()
    """


@pytest.mark.parametrize("method", METHODS)
def test_a_lock_says_who_held_it_and_who_let_it_go(tmp_path: Path, method: str) -> None:
    found = record(tmp_path, LOCKED, "--start-method", method)
    on_box = [each for each in found.waits("LOCK") if each[1] == "Lock box"]
    assert on_box == [
        ("two", "Lock box", 12, None, None, "timer"),
        ("two", "Lock box", 13, "one", 6, "thread"),
    ]
    assert found.holders("Lock box") == ["one", "one"]
    assert ("one", "Event go", 8, "MainThread", 24, "thread") in found.waits("EVENT")
    assert ("MainThread", "thread 'one'", 25, "one", None, "thread") in found.waits("JOIN")
    assert {each.name for each in found.names.threads.values()} == {"MainThread", "one", "two"}
    starts = [each for each in found.records if isinstance(each, Start) and each.by is not None]
    assert [(found.name(each.thread), found.name(each.by), found.line(each.place)) for each in starts] == [
        ("one", "MainThread", 19),
        ("two", "MainThread", 21),
    ]
    assert found.names.about["cut"] is False


def test_each_thread_runs_on_a_process_of_its_own(tmp_path: Path) -> None:
    found = record(tmp_path, LOCKED)
    stints = [each for each in found.records if isinstance(each, Stint)]
    assert {each.thread for each in stints} == {each.carrier for each in stints}
    assert len({each.carrier for each in stints}) == 3
    assert all(each.begin <= each.end for each in stints)
    ends = [each for each in found.records if isinstance(each, End)]
    assert sorted(str(found.name(each.thread)) for each in ends) == ["MainThread", "one", "two"]
    assert {each.error for each in ends} == {None}


def test_sleeps_queues_conditions_and_futures(tmp_path: Path) -> None:
    found = record(
        tmp_path,
        """\
        import queue, threading, time
        from concurrent.futures import ThreadPoolExecutor
        items, turn = queue.Queue(1), threading.Condition()

        def take():
            while items.get() is not None:
                time.sleep(0.02)
            with turn:
                turn.notify()

        def nap(n):
            time.sleep(0.05)

        if __name__ == "__main__":
            with turn:
                threading.Thread(target=take, name="taker").start()
                time.sleep(0.05)
                for n in (1, 2, 3, None):
                    items.put(n)
                turn.wait()
            with ThreadPoolExecutor(1, thread_name_prefix="pool") as pool:
                pool.submit(nap, 1).result()
        """,
    )
    assert ("taker", None, 7, None, None, "timer") in found.waits("SLEEP")
    assert ("pool_0", None, 12, None, None, "timer") in found.waits("SLEEP")
    assert ("taker", "Queue items", 6, "MainThread", 19, "thread") in found.waits("QUEUE_GET")
    assert ("MainThread", "Queue items", 19, "taker", 6, "thread") in found.waits("QUEUE_PUT")
    assert found.waits("CONDITION") == [("MainThread", "Condition turn", 20, "taker", 9, "thread")]
    assert found.waits("FUTURE") == [("MainThread", None, 22, None, None, "machine")]


def test_errors_and_kills_end_a_lane(tmp_path: Path) -> None:
    found = record(
        tmp_path,
        """\
        import os, signal, threading

        def fail():
            raise ValueError("boom")

        def die():
            os.kill(os.getpid(), signal.SIGKILL)

        threads = [threading.Thread(target=each, name=each.__name__) for each in (fail, die)]
        for each in threads: each.start()
        for each in threads: each.join()
        """,
    )
    ends = {found.name(each.thread): each.error for each in found.records if isinstance(each, End)}
    assert ends == {"fail": "ValueError: boom", "die": "ended by SIGKILL", "MainThread": None}


def test_what_was_noted_before_a_kill_is_there(tmp_path: Path) -> None:
    found = record(
        tmp_path,
        """\
        import os, signal, threading, time
        started = threading.Event()

        def wait():
            started.set()
            time.sleep(60)

        threading.Thread(target=wait, name="waiter", daemon=True).start()
        started.wait()
        time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        status=-signal.SIGKILL,
    )
    assert found.names.about["cut"] is True
    assert ("waiter", None, 6, None, None, "open") in found.waits("SLEEP")


def test_a_block_is_recorded_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        textwrap.dedent(
            """\
            import weft
            weft.install("process")
            import threading, time

            def work():
                time.sleep(0.01)

            def run(name):
                thread = threading.Thread(target=work, name=name)
                thread.start()
                thread.join()

            real = time.sleep
            run("before")
            with weft.trace("found.json"):
                run("inside")
                try:
                    with weft.trace("second.json"):
                        pass
                except weft.WeftError as error:
                    print(error)
            run("after")
            assert time.sleep is real
            """
        )
    )
    command = [sys.executable, "app.py"]
    done = run(command, tmp_path, environment(None))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "a recording is on already, and on the process model there is one at a time\n"
    text = (tmp_path / "found.json").read_text()
    assert '"inside"' in text
    assert '"before"' not in text
    assert '"after"' not in text
    assert sorted(os.listdir(tmp_path)) == ["app.py", "found.json"]


def test_a_recording_that_cannot_be_written_ends_and_says_so_once(tmp_path: Path) -> None:
    code = """
        from weft.processes.recording import Notes

        class Full:
            def facts(self, content):
                raise OSError(28, "No space left on device")

        notes = Notes(Full(), lambda thing: None, lambda: "worker")
        notes.begins("worker", False)
        notes.goes_on()
        notes.close()
        print("went on")
    """
    done = run([sys.executable, "-c", textwrap.dedent(code)], tmp_path, environment(None))
    assert (done.returncode, done.stdout) == (0, "went on\n"), done
    assert done.stderr == (
        "weft: the recording of worker has ended: it cannot be written: No space left on device\n"
    )
