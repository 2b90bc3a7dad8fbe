"""The server of `weft ps`, and guests that are broken or mean ill: it goes on, and answers the next one."""

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.carrier import FakeCarrier, Lot, begun
from tests.support.waiting import until
from weft.core.thread import ControlBlock
from weft.host import local
from weft.watch import server
from weft.watch.server import Server


class Running:
    """A server on a thread of this process, with made-up threads to tell of."""

    def __init__(self, folder: Path, owners: frozenset[int]) -> None:
        self.folder = str(folder)
        self.blocks: list[ControlBlock] = [begun(FakeCarrier(), "only")]
        self.counting: list[bool] = []
        door = local.Door(self.folder)
        door.make()
        self.server = Server(
            door,
            owners,
            lambda: {"pid": os.getpid(), "model": "made up"},
            lambda: self.blocks,
            time.monotonic,
            lambda seconds: None,
            self.counting.append,
            dict,
        )
        self.thread = threading.Thread(target=self.server.serve)
        self.thread.start()

    @property
    def path(self) -> str:
        return os.path.join(self.folder, f"{os.getpid()}.sock")

    def connect(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(20)
        while True:
            try:
                made.connect(self.path)
                return made
            except BlockingIOError:  # there is a queue before the door
                time.sleep(0.001)
            except OSError:
                made.close()
                raise

    def answers(self) -> bool:
        """Whether it tells the next one who asks how many threads there are."""
        with self.connect() as guest:
            return asked(guest, "weft-ps about")["threads"] == len(self.blocks)  # type: ignore[no-any-return]


def asked(guest: socket.socket, question: str) -> Any:
    guest.sendall(question.encode() + b"\n")
    return answer(guest)


def answer(guest: socket.socket) -> Any:
    with guest.makefile("rb") as file:
        return json.loads(file.readline())


def ended(guest: socket.socket) -> bool:
    """Whether the other side has closed, whatever it said before."""
    try:
        while guest.recv(65_536):
            pass
    except ConnectionError:
        pass
    return True


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def begin(owners: frozenset[int] = frozenset({os.geteuid()})) -> Running:
        made.append(Running(tmp_path / "weft", owners))
        return made[-1]

    yield begin
    for running in made:
        running.server.call_off()
        running.thread.join(20)
        assert not running.thread.is_alive()


@pytest.fixture
def running(start: Callable[[], Running]) -> Running:
    return start()


def test_who_asks_is_told(running: Running) -> None:
    one, two = begun(FakeCarrier(), "one"), begun(FakeCarrier(), 'tw"o\udc80')
    Lot(two).register(one)
    Lot(one).register(two)
    running.blocks += [one, two]
    with running.connect() as guest:
        assert asked(guest, "weft-ps about") == {"pid": os.getpid(), "model": "made up", "threads": 3}
        told = asked(guest, "weft-ps list each=all stacks=1 what=ever")
    assert told["threads"] == 3
    names = [member["name"] for group in told["groups"] for member in group["members"]]
    assert sorted(names) == ["one", "only", 'tw"o\udc80']
    assert [[link["name"] for link in ring] for ring in told["cycles"]] == [["one", 'tw"o\udc80']]


def test_very_many_are_told_one_by_one_if_asked_for(running: Running) -> None:
    carrier = FakeCarrier()
    running.blocks = [begun(carrier, f"worker {number}") for number in range(2000)]
    with running.connect() as guest:
        every = asked(guest, "weft-ps list each=all")
        some = asked(guest, "weft-ps list")
    assert [m["name"] for m in every["groups"][0]["members"]] == [f"worker {n}" for n in range(2000)]
    assert (some["groups"][0]["count"], len(some["groups"][0]["members"])) == (2000, 3)


def test_the_socket_and_its_folder_are_its_owners_alone(running: Running) -> None:
    assert os.stat(running.folder).st_mode & 0o777 == 0o700
    assert os.stat(running.path).st_mode & 0o777 == 0o600


def test_nothing_is_left_behind(running: Running) -> None:
    running.server.call_off()
    running.thread.join(20)
    assert os.listdir(running.folder) == []


def test_it_can_be_called_off_before_it_begins_and_begun_again(running: Running) -> None:
    running.server.call_off()
    running.thread.join(20)
    running.server.call_off()
    running.server.serve()  # returns at once
    running.thread = threading.Thread(target=running.server.serve)
    running.thread.start()
    while not os.path.exists(running.path):
        assert running.thread.is_alive()
    assert running.answers()


@pytest.mark.parametrize(
    "said", [b"GET / HTTP/1.1\r\n\r\n", b"\n", b"\0" * 150 + b"\n", "weft-ps läst\n".encode(), b"weft-ps\n"]
)
def test_garbage_is_refused(running: Running, said: bytes) -> None:
    with running.connect() as guest:
        guest.sendall(said)
        assert answer(guest) == {"error": "that is no question"}
        assert ended(guest)
    assert running.answers()


def test_a_million_bytes_without_end_are_not_kept(running: Running) -> None:
    with running.connect() as guest:
        try:
            for _ in range(16):
                guest.sendall(b"x" * 65_536)
        except ConnectionError:
            pass
        assert ended(guest)
    assert running.answers()


def test_a_line_too_long_is_no_question(running: Running) -> None:
    with running.connect() as guest:
        guest.sendall(b"weft-ps about " + b"x" * 300 + b"\n")
        assert answer(guest) == {"error": "that is no question"}
    assert running.answers()


def test_who_says_nothing_is_let_go(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TO_ASK", 0.05)
    with running.connect() as silent, running.connect() as slow:
        slow.sendall(b"weft-ps ab")
        assert running.answers()  # meanwhile
        assert ended(silent)
        assert ended(slow)
    assert running.answers()


def test_who_does_not_take_his_answer_is_let_go(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TO_TAKE", 0.05)
    carrier = FakeCarrier()
    running.blocks = [begun(carrier, f"worker {number} " + "x" * 2000) for number in range(500)]
    with running.connect() as deaf:
        deaf.sendall(b"weft-ps list each=all\n")
        assert running.answers()
        until(lambda: not running.server._talks)
        assert ended(deaf)


def test_who_leaves_in_the_middle_is_forgotten(running: Running) -> None:
    carrier = FakeCarrier()
    running.blocks = [begun(carrier, f"worker {number} " + "x" * 2000) for number in range(500)]
    for said in (b"weft-ps list each=all\n", b"weft-ps li", b""):
        with running.connect() as guest:
            guest.sendall(said)
    assert running.answers()


def test_there_are_only_so_many_at_once(running: Running) -> None:
    crowd = [running.connect() for _ in range(server.GUESTS + 5)]
    assert running.answers()
    assert len(running.server._talks) <= server.GUESTS
    assert ended(crowd[0])  # who has kept it waiting longest makes room
    for guest in crowd:
        guest.close()


def test_answers_that_nobody_takes_do_not_pile_up(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_WAITING", 1 << 20)
    carrier = FakeCarrier()
    running.blocks = [begun(carrier, f"worker {number} " + "x" * 2000) for number in range(500)]
    crowd = [running.connect() for _ in range(5)]
    for guest in crowd:
        guest.sendall(b"weft-ps list each=all\n")
    assert running.answers()
    assert sum(len(talk.answer or b"") for talk in running.server._talks.values()) < 3 << 20
    for guest in crowd:
        guest.close()


def test_another_user_is_refused(start: Callable[..., Running]) -> None:
    running = start(frozenset({os.geteuid() + 1}))
    with running.connect() as guest:
        assert answer(guest) == {"error": "this program belongs to another user"}
        assert ended(guest)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_user_is_refused_by_the_system_and_by_us(running: Running) -> None:
    code = (
        "import os, socket, sys\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "made = socket.socket(socket.AF_UNIX)\n"
        "try:\n    made.connect(sys.argv[1])\nexcept PermissionError:\n    print('no way')\n"
        "else:\n    print(made.makefile().readline())"
    )

    def as_nobody(path: str) -> str:
        return subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True).stdout

    assert as_nobody(running.path) == "no way\n"
    os.chmod(running.path, 0o666)
    os.chmod(running.folder, 0o777)
    for above in Path(running.folder).parents:
        if not above.stat().st_mode & 0o1:
            os.chmod(above, above.stat().st_mode | 0o1)
    assert "another user" in as_nobody(running.path)
    assert running.answers()


def test_processor_time_is_counted_while_somebody_asks_for_it(running: Running) -> None:
    with running.connect() as first, running.connect() as second:
        for guest in (first, second, first):
            asked(guest, "weft-ps list time=1")
        assert running.counting == [True, True]
        first.close()
        assert running.answers()
        assert running.counting == [True, True]
    while running.counting[-1]:
        assert running.answers()
    assert running.counting == [True, True, False]


def test_a_program_that_closes_our_descriptor_is_served_anew(
    running: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    door: Any = running.server._door
    before = door._machine.fileno()
    alone = threading.Event()  # it waits, and has no guests

    class Poll:
        def __init__(self) -> None:
            self._real = select.poll()
            self._fds: list[int] = []

        def register(self, fd: int, events: int) -> None:
            self._fds.append(fd)
            self._real.register(fd, events)

        def poll(self, timeout: float) -> Any:
            if self._fds == [before]:
                alone.set()
            return self._real.poll(timeout)

    monkeypatch.setattr(local, "LOOK", 1000.0)
    monkeypatch.setattr(local, "_poll", Poll)
    assert running.answers()  # from here on it does not look by itself
    assert alone.wait(20)
    with open(tmp_path / "theirs", "w") as theirs:
        os.dup2(theirs.fileno(), before)
        try:
            running.answers()  # wakes it, and is let in by nobody, unless it has seen for itself
        except (ConnectionError, json.JSONDecodeError):
            until(lambda: door._machine is not None and door._machine.fileno() != before)
        assert door._machine.fileno() != before
        assert running.answers()  # so at most one is lost
        assert os.path.samestat(os.fstat(before), os.fstat(theirs.fileno()))  # it is still the program's
        os.close(before)


def test_a_thing_that_fails_as_it_is_looked_at_is_told(running: Running) -> None:
    class Bad(Lot):
        def _explain(self, block: ControlBlock) -> Any:
            raise ValueError("bad")

    Bad().register(running.blocks[0])
    with running.connect() as guest:
        assert "ValueError('bad')" in asked(guest, "weft-ps list")["error"]
    assert running.answers()
