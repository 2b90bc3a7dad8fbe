"""A recording tells where each thread ran and what it waited for, on every model, however the run ends."""

import os
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support import run_code, run_weft
from weft.errors import WeftError
from weft.watch.reading import read
from weft.watch.record import End, Names, Preemption, Record, Start, Stint, Wait
from weft.watch.spool import MAGIC, Spool, chunks, old_name

ROUNDING = 1e-6  # seconds: what two neighbours may seem to overlap


class Recorded:
    """A recording that was read, asked by the names of its threads."""

    def __init__(self, path: Path) -> None:
        names, records = read(str(path))
        self.records: list[Record] = list(records)
        self.names: Names = names
        self.numbers = {thread.name: thread.number for thread in names.threads.values()}

    def of(self, kind: Any, name: str) -> list[Any]:
        number = self.numbers[name]
        return [each for each in self.records if type(each) is kind and each.thread == number]

    def place(self, number: int | None) -> str:
        return "nowhere" if number is None else self.names.places[number].rpartition("/")[2]

    def check(self) -> "Recorded":
        """Nobody is in two places at once, and no carrier runs two threads."""
        threads, carriers = defaultdict(list), defaultdict(list)
        for each in self.records:
            if isinstance(each, Stint | Wait):
                assert each.begin <= each.end
                threads[each.thread].append((each.begin, each.end, each))
            if isinstance(each, Stint):
                carriers[each.carrier].append((each.begin, each.end, each))
        for spans in [*threads.values(), *carriers.values()]:
            spans.sort(key=lambda span: span[:2])
            for (_, end, before), (begin, _, after) in pairwise(spans):
                assert end <= begin + ROUNDING, (before, after)
        return self


def record(
    code: str, model: str, tmp_path: Path, status: int = 0, ring: int = 0, notes: str = "any"
) -> Recorded:
    path = tmp_path / "run.spool"
    env = {"WEFT_TRACE": str(path), "WEFT_TRACE_RING": str(ring), "WEFT_PURE": str(int(notes == "python"))}
    done = run_code(code, model=model, env=env)
    assert done.returncode == status, done
    return Recorded(path).check()


#: Taken by the part in C, if it is there, and in Python.
both_notes = pytest.mark.parametrize("notes", ["any", "python"])

MEETING = """
import queue, threading, time
lock, held, items = threading.Lock(), threading.Event(), queue.Queue()
def hold():
    with lock:
        held.set()
        time.sleep(0.02)
    items.put("let go")
def want():
    with lock:  # wanted here
        pass
def take(): items.get()
def fail():
    time.sleep(0.001)
    raise ValueError("as", 3, "planned")
threads = [threading.Thread(target=f, name=f.__name__) for f in (hold, want, take, fail)]
for thread in threads:
    thread.start()
    held.wait()
for thread in threads:
    thread.join()
"""


@both_notes
def test_waits_are_told_with_reason_object_place_holder_and_waker(
    model: str, notes: str, tmp_path: Path
) -> None:
    found = record(MEETING, model, tmp_path, notes=notes)
    (waited,) = found.of(Wait, "want")
    assert waited.reason == "LOCK"
    assert found.names.objects[waited.object] == "Lock lock"
    assert found.place(waited.place) == "program.py:10 in want"
    assert waited.holder == waited.by == found.numbers["hold"]
    assert found.place(waited.by_place) == "program.py:5 in hold"
    assert waited.cause == "thread"
    (got,) = found.of(Wait, "take")
    assert got.reason == "QUEUE_GET"
    assert got.by == found.numbers["hold"]
    assert found.place(got.by_place) == "program.py:8 in hold"
    (slept,) = found.of(Wait, "hold")
    assert slept.reason == "SLEEP"
    assert slept.cause == "timer"
    assert slept.by is None
    assert found.place(slept.place) == "program.py:7 in hold"
    assert slept.end - slept.begin >= 0.02 * 0.99
    joined = [wait for wait in found.of(Wait, "MainThread") if wait.reason == "JOIN"]
    assert joined
    assert {wait.by for wait in joined} <= {found.numbers[name] for name in ("hold", "want", "take", "fail")}


def test_starts_and_ends_are_told(model: str, tmp_path: Path) -> None:
    found = record(MEETING, model, tmp_path)
    for name in ("hold", "want", "take", "fail"):
        (started,) = found.of(Start, name)
        assert started.by == found.numbers["MainThread"]
        assert found.place(started.place) == "program.py:18 in <module>"
        (ended,) = found.of(End, name)
        assert ended.error == ("ValueError: as, 3, planned" if name == "fail" else None)
        stints = found.of(Stint, name)
        assert started.time <= stints[0].begin + 0.01  # a kernel thread may run before `start` has returned
        assert stints[-1].end <= ended.time + ROUNDING
    about = found.names.about
    assert about["cut"] is False
    assert about["model"] == model
    assert about["lost"] == 0


@both_notes
def test_many_short_threads_keep_their_names_and_stints(model: str, notes: str, tmp_path: Path) -> None:
    code = """
        import threading
        for turn in range(20):
            some = [threading.Thread(target=lambda: None, name=f"{turn}-{n}") for n in range(50)]
            for thread in some: thread.start()
            for thread in some: thread.join()
    """
    found = record(code, model, tmp_path, notes=notes)
    assert len(found.numbers) == 1001
    ended = {each.thread for each in found.records if isinstance(each, End)}
    ran = {each.thread for each in found.records if isinstance(each, Stint)}
    assert len(ended) == 1000
    assert ended <= ran


@pytest.mark.parametrize("model", ["user", "hybrid"])
@both_notes
def test_preemptions_are_told(model: str, notes: str, tmp_path: Path) -> None:
    code = """
        import threading
        from time import monotonic
        def spin():
            end = monotonic() + 0.15
            while monotonic() < end: pass
        some = [threading.Thread(target=spin, name=f"spin{n}") for n in range(4)]
        for thread in some: thread.start()
        for thread in some: thread.join()
    """
    found = record(code, model, tmp_path, notes=notes)
    spinning = {number for name, number in found.numbers.items() if name.startswith("spin")}
    preempted = [each for each in found.records if isinstance(each, Preemption) and each.thread in spinning]
    places = {found.place(each.place) for each in preempted}
    assert "program.py:6 in spin" in places
    # A slice may end as a thread begins: at its first line, or before that in weft's code in Python.
    begins = {"program.py:4 in spin", *(["nowhere"] if notes == "python" else [])}
    assert places - begins <= {"program.py:5 in spin", "program.py:6 in spin"}


def test_a_notify_parts_the_wait_for_it_from_the_wait_for_the_lock(model: str, tmp_path: Path) -> None:
    code = """
        import threading, time
        changed = threading.Condition()
        ready = False
        def wait():
            with changed:
                while not ready: changed.wait()
        waiter = threading.Thread(target=wait, name="waiter")
        waiter.start()
        time.sleep(0.02)
        with changed:
            ready = True
            changed.notify()
            time.sleep(0.02)
        waiter.join()
    """
    found = record(code, model, tmp_path)
    notified, locked = found.of(Wait, "waiter")[-2:]
    assert (notified.reason, locked.reason) == ("CONDITION", "LOCK")
    assert found.names.objects[notified.object] == "Condition changed"
    assert found.place(notified.place) == found.place(locked.place) == "program.py:7 in wait"
    assert found.place(notified.by_place) == "program.py:13 in <module>"
    assert notified.by == locked.by == locked.holder == found.numbers["MainThread"]
    assert notified.end == locked.begin
    assert locked.end - locked.begin >= 0.02 * 0.9


def test_a_deadlock_is_told_with_who_holds_what(model: str, tmp_path: Path) -> None:
    code = """
        import threading
        a, b = threading.Lock(), threading.Lock()
        both = threading.Barrier(2)
        def cross(first, second):
            with first:
                both.wait()
                with second: pass
        one = threading.Thread(target=cross, args=(a, b), name="one", daemon=True)
        two = threading.Thread(target=cross, args=(b, a), name="two", daemon=True)
        one.start(), two.start()
        one.join()
    """
    found = record(code, model, tmp_path, status=1)
    (one,) = [wait for wait in found.of(Wait, "one") if wait.cause == "open"]
    (two,) = [wait for wait in found.of(Wait, "two") if wait.cause == "open"]
    assert (one.reason, two.reason) == ("LOCK", "LOCK")
    assert one.holder == found.numbers["two"]
    assert two.holder == found.numbers["one"]
    assert [found.names.objects[wait.object] for wait in (one, two)] == ["Lock b", "Lock a"]


def test_what_was_recorded_before_a_kill_can_be_read(model: str, tmp_path: Path) -> None:
    code = """
        import os, signal, threading, time
        lock = threading.Lock()
        lock.acquire()
        threading.Thread(target=lock.acquire, name="waits", daemon=True).start()
        time.sleep(1.5)  # the recorder writes down waits that last a second
        os.kill(os.getpid(), signal.SIGKILL)
    """
    found = record(code, model, tmp_path, status=-9)
    assert found.names.about["cut"] is True
    (waited,) = found.of(Wait, "waits")
    assert waited.holder == found.numbers["MainThread"]
    assert waited.cause == "open"


def test_a_forked_child_leaves_the_recording_to_its_parent(model: str, tmp_path: Path) -> None:
    code = """
        import os, threading, time
        def work(): time.sleep(0.001)
        child = os.fork()
        if child == 0:
            for _ in range(5):
                thread = threading.Thread(target=work, name="in the child")
                thread.start(), thread.join()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        thread = threading.Thread(target=work, name="in the parent")
        thread.start(), thread.join()
    """
    found = record(code, model, tmp_path)
    assert set(found.numbers) == {"MainThread", "in the parent"}
    assert found.names.about["cut"] is False


def test_a_ring_keeps_the_newest_and_stays_small(tmp_path: Path) -> None:
    code = """
        import threading, time
        def give_way():
            for _ in range(20_000): time.sleep(0)
        for turn in range(4):
            some = [threading.Thread(target=give_way, name=f"{turn}-{n}") for n in range(2)]
            for thread in some: thread.start()
            for thread in some: thread.join()
    """
    found = record(code, "user", tmp_path, ring=400_000)
    path = str(tmp_path / "run.spool")
    assert os.path.exists(old_name(path))
    assert found.names.about["lost"] > 0
    assert found.of(Stint, "3-1")
    assert "0-0" not in found.numbers
    assert os.path.getsize(path) + os.path.getsize(old_name(path)) < 500_000
    assert found.names.about["lost"] + len(found.records) > 150_000


def test_a_recording_is_not_taken_for_the_end_of_an_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "run.spool"
    small(path)
    path.rename(old_name(str(path)))
    small(path)
    assert not os.path.exists(old_name(str(path)))


@both_notes
def test_places_of_waits_for_one_descriptor_are_told(model: str, notes: str, tmp_path: Path) -> None:
    code = """
        import socket, threading, time, weft
        here, there = socket.socketpair()
        def serve():
            while data := there.recv(10):
                there.sendall(data)
        server = threading.Thread(target=serve, name="server")
        server.start()
        (block,) = [each for each in weft.threads() if each.name == "server"]
        for _ in range(50):
            while block.on is None and block.carrier.poller is not None: time.sleep(0.0005)
            here.sendall(b"x")
            here.recv(10)
        here.close()
        server.join()
    """
    found = record(code, model, tmp_path, notes=notes)
    waits = found.of(Wait, "server")
    if model == "kernel":  # it waits in a system call, of which weft knows nothing
        assert not waits
        return
    assert len(waits) >= 50
    assert {found.place(wait.place) for wait in waits} == {"program.py:5 in serve"}
    assert {(wait.reason, wait.cause) for wait in waits} == {("DESCRIPTOR", "machine")}


def test_a_recording_ends_with_the_disk_and_the_program_goes_on(tmp_path: Path) -> None:
    code = """
        import resource, signal, threading, time
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        def work():
            for _ in range(2000): time.sleep(0)
        some = [threading.Thread(target=work) for _ in range(2)]
        for thread in some: thread.start()
        for thread in some: thread.join()
        print("done")
    """
    path = tmp_path / "run.spool"
    done = run_code(code, model="user", env={"WEFT_TRACE": str(path)})
    assert done.stdout == "done\n"
    assert done.returncode == 0, done.stderr
    assert "recording has ended" in done.stderr
    assert path.stat().st_size <= 2000
    Recorded(path).check()


def test_a_file_that_cannot_be_written_is_refused_before_the_program_runs(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "run.spool"
    done = run_weft("-c", "print('ran')", env={"WEFT_TRACE": str(path)})
    assert done.returncode == 2
    assert done.stdout == ""
    assert str(path) in done.stderr
    assert "Traceback" not in done.stderr


# -- the file ------------------------------------------------------------------------------------------


def small(path: Path) -> bytes:
    spool = Spool(str(path), {"model": "user"})
    spool.facts({"t": [[1, "MainThread", False, True]], "f": [["s", 5, 1, None, None]], "w": 9})
    spool.close(1.0)
    return path.read_bytes()


def test_a_recording_that_is_cut_anywhere_is_read_up_to_there(tmp_path: Path) -> None:
    path = tmp_path / "cut.spool"
    whole = small(path)
    first = len(MAGIC) + 5 + len(b'{"model": "user", "lost": 0}')
    for length in range(first, len(whole)):
        path.write_bytes(whole[:length])
        names, records = read(str(path))
        list(records)
        assert names.about["cut"] is True


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no recording"),
        (b"something else\n", "no recording"),
        (MAGIC, "no beginning"),
        (MAGIC + b"H\x03\0\0\0{x}", "damaged"),
    ],
)
def test_a_file_that_is_none_is_refused(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.spool"
    path.write_bytes(content)
    with pytest.raises(WeftError, match=words) as caught:
        list(read(str(path))[1])
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeftError, match="cannot be read"):
        list(chunks(str(tmp_path / "none")))


# -- weft.trace ----------------------------------------------------------------------------------------

IN_CODE = """
    import json, os, threading, time
    import weft
    lock = threading.Lock()
    def work(name):
        with lock: time.sleep(0.005)
    def both(kind):
        some = [threading.Thread(target=work, args=(n,), name=f"{kind}{n}") for n in range(3)]
        for thread in some: thread.start()
        for thread in some: thread.join()
    both("before")
    with weft.trace("part.json"):
        both("during")
    both("after")
    told = json.load(open("part.json"))
    events = told["traceEvents"] if isinstance(told, dict) else told
    names = {event["args"]["name"] for event in events if event.get("name") == "thread_name"}
    print(sorted(name for name in names if name[:6] in ("before", "during", "after0")))
    print(sorted(os.listdir(".")))
"""


def test_a_part_of_a_program_is_traced_from_code(model: str) -> None:
    names, files = run_code(IN_CODE, model=model).check().stdout.splitlines()
    assert names == "['during0', 'during1', 'during2']"
    assert files == "['part.json', 'program.py']"


def test_a_trace_that_cannot_be_written_says_so_before_the_block_runs() -> None:
    code = """
        import weft
        try:
            with weft.trace("nowhere/part.json"):
                print("ran")
        except weft.WeftError as error:
            print(error)
    """
    done = run_code(code).check()
    assert "nowhere/part" in done.stdout
    assert "ran" not in done.stdout
