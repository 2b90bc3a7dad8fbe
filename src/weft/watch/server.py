"""Answers who asks a running program what its threads do: the other side of `weft ps`.

A question is a line of words, an answer a line of JSON; docs/reference.md ("Asking a program") has both. It
runs on a kernel thread of weft's own, so that a program answers that is stuck, or that never waits.

Whoever comes may be broken or mean ill. So what he says is bounded in length and time, what he is told waits
for him only so long, there are only so many at once, and nothing that he says is more than a few words.
Nothing is imported here once the program runs: it may be stuck in an import, with the lock held.
"""

from _json import encode_basestring_ascii, make_encoder
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from weft.core.thread import ControlBlock
from weft.watch.listing import ALIKE, Lister

__all__ = ["FORMAT", "Server", "as_json"]

FORMAT = 1  # of questions and answers
LONGEST = 200  # bytes of a question
TO_ASK = 5.0  # seconds until a question must be there, also the next one of who has had an answer
TO_TAKE = 10.0  # seconds in which who is sent an answer must have taken some of it
GUESTS = 16  # at once; who has kept us waiting longest makes room
STRETCH = 0.02  # seconds between two breaths: the interpreter itself makes us give way after 5 ms of them
REST = 0.0002  # seconds of a breath: long enough for others to get the interpreter's lock
MOST_WAITING = 64 << 20  # bytes of answers that nobody takes
RETRY = 0.05  # seconds until the next try where no descriptor is left


class _Guest(Protocol):
    fd: int
    owner: int | None

    def read(self) -> bytes | None: ...
    def write(self, data: memoryview) -> int: ...
    def close(self) -> None: ...


class _Door(Protocol):
    @property
    def open(self) -> bool: ...
    def make(self) -> None: ...
    def knock(self) -> None: ...
    def wait(self, guests: Any, seconds: float | None) -> set[int] | None: ...
    def accept(self) -> Any: ...
    def leave(self) -> None: ...


class _Over(Exception):
    """The server is called off in the middle of an answer."""


class _Talk:
    """What is said with one guest."""

    __slots__ = ("answer", "asked", "counts", "deadline", "guest", "last")

    def __init__(self, guest: _Guest, deadline: float) -> None:
        self.guest = guest
        self.asked = b""
        self.answer: memoryview | None = None
        self.deadline = deadline
        self.counts = False  # whether processor time is counted for this guest
        self.last = False  # whether the answer is the last


class Server:
    """Serves at a door until it is called off.

    Args:
        door: where it listens (weft.host.local).
        owners: the numbers of the users who are answered.
        facts: what is known of the program, for each answer.
        blocks: its threads.
        clock: monotonic seconds.
        rest: sleeps.
        count: called with whether the processor time of threads is to be counted.
        lister: what a `Lister` is to be made with besides.
    """

    def __init__(
        self,
        door: _Door,
        owners: frozenset[int],
        facts: Callable[[], Mapping[str, Any]],
        blocks: Callable[[], list[ControlBlock]],
        clock: Callable[[], float],
        rest: Callable[[float], object],
        count: Callable[[bool], object],
        lister: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._door = door
        self._owners = owners
        self._facts = facts
        self._blocks = blocks
        self._clock = clock
        self._rest = rest
        self._count = count
        self._lister = lister
        self._talks: dict[int, _Talk] = {}
        self._over = False
        self._breathed = 0.0
        self._asking: _Talk | None = None

    def call_off(self) -> None:
        """Have `serve` return soon."""
        self._over = True
        self._door.knock()

    def serve(self) -> None:
        """Let guests in and answer them."""
        try:
            while not self._over:
                if not self._door.open:
                    self._door.make()
                    continue
                self._turn()
        except Exception:  # noqa: BLE001, S110 - the folder is not ours any more, or is full: nobody can ask
            pass
        finally:
            for talk in list(self._talks.values()):
                self._end(talk)
            self._door.leave()
            self._over = False  # what calls it off may come before it begins

    def _turn(self) -> None:
        """Wait for something to do, and do it."""
        talks = self._talks
        seconds = None
        if talks:
            seconds = min(talk.deadline for talk in talks.values()) - self._clock()
        found = self._door.wait([(talk.guest, talk.answer is not None) for talk in talks.values()], seconds)
        if found is None:  # the program has closed our descriptor
            self._door.leave()
            return
        if self._over:
            return
        for fd in found & talks.keys():
            self._go_on(talks[fd])
        if -1 in found:
            self._let_in()
        now = self._clock()
        for talk in [talk for talk in talks.values() if talk.deadline <= now]:
            self._end(talk)

    def _let_in(self) -> None:
        try:
            guest = self._door.accept()
        except OSError:  # no descriptor is left
            self._rest(RETRY)
            return
        if guest is None:
            return
        talks = self._talks
        if len(talks) >= GUESTS:
            self._end(min(talks.values(), key=lambda talk: talk.deadline))
        talk = talks[guest.fd] = _Talk(guest, self._clock() + TO_ASK)
        if guest.owner is not None and guest.owner not in self._owners:
            self._send(talk, _line({"error": "this program belongs to another user"}), last=True)

    def _end(self, talk: _Talk) -> None:
        self._talks.pop(talk.guest.fd, None)
        talk.guest.close()
        if talk.counts and not any(other.counts for other in self._talks.values()):
            self._count(False)

    def _go_on(self, talk: _Talk) -> None:
        """Take what a guest says, or give him more of his answer."""
        try:
            if talk.answer is not None:
                self._give(talk)
                return
            data = talk.guest.read()
        except OSError:
            self._end(talk)
            return
        if data is None:
            return
        talk.asked += data[: LONGEST + 1]
        question, end, rest = talk.asked.partition(b"\n")
        if end and len(question) <= LONGEST:
            talk.asked = rest
            self._answer(talk, question)
        elif not data:
            self._end(talk)
        elif len(talk.asked) > LONGEST:
            self._send(talk, _line({"error": "that is no question"}), last=True)

    def _give(self, talk: _Talk) -> None:
        assert talk.answer is not None
        sent = talk.guest.write(talk.answer)
        now = self._clock()
        if sent:
            talk.answer = talk.answer[sent:]
            talk.deadline = now + TO_TAKE
        if talk.answer:
            return
        talk.answer = None
        talk.deadline = now + TO_ASK
        if talk.last:
            talk.guest.read()  # what is left unread when one hangs up can take the answer away with it
            self._end(talk)

    def _send(self, talk: _Talk, data: bytes, last: bool = False) -> None:
        talk.last = last
        talk.answer = memoryview(data)
        talk.deadline = self._clock() + TO_TAKE
        try:
            self._give(talk)
        except OSError:
            self._end(talk)

    # -- answers -----------------------------------------------------------------------------------------

    def _answer(self, talk: _Talk, question: bytes) -> None:
        words = question.split()
        options = dict(word.partition(b"=")[::2] for word in words[2:])
        if words[:2] == [b"weft-ps", b"about"]:
            self._send(talk, _line({**self._facts(), "threads": len(self._blocks())}))
        elif words[:2] == [b"weft-ps", b"list"]:
            if options.get(b"time") == b"1" and not talk.counts:
                talk.counts = True
                self._count(True)
            self._list(talk, options)
        else:
            self._send(talk, _line({"error": "that is no question"}), last=True)

    def _list(self, talk: _Talk, options: Mapping[bytes, bytes]) -> None:
        waiting = sorted((other for other in self._talks.values() if other.answer), key=lambda o: o.deadline)
        while sum(len(other.answer or b"") for other in waiting) > MOST_WAITING:
            self._end(waiting.pop(0))
        self._asking = talk
        try:
            self._tell_alive(talk)
            data = b"".join(self._listed(options))
        except (_Over, OSError):
            self._end(talk)
        except Exception as error:  # noqa: BLE001 - a thing that a thread waits on fails as it is looked at
            self._send(talk, _line({"error": f"the threads cannot be listed: {error!r}"}))
        else:
            self._send(talk, data)

    def _listed(self, options: Mapping[bytes, bytes]) -> Iterator[bytes]:
        """The pieces of a listing as JSON."""
        begun = self._clock()
        each = None if options.get(b"each") == b"all" else ALIKE
        stacks = options.get(b"stacks") == b"1"
        lister = Lister(begun, stacks, each, breathe=self._breathe, write=as_json, **self._lister())
        listing = lister.take(self._blocks())
        groups = listing.pop("groups")
        yield as_json({**self._facts(), **listing})[:-1].encode() + b', "groups": ['
        between = b""
        for group in groups:
            members = group.pop("members")
            yield between + as_json(group)[:-1].encode() + b', "members": ['
            between = b", "
            for start in range(0, len(members), PIECE):
                yield (b", " if start else b"") + ", ".join(members[start : start + PIECE]).encode()
                self._breathe()
            yield b"]}"
        yield f'], "took": {self._clock() - begun:.6f}}}\n'.encode()

    def _breathe(self) -> None:
        """Let others have the interpreter's lock."""
        if self._over:
            raise _Over
        now = self._clock()
        if now - self._breathed > STRETCH:
            self._tell_alive(self._asking)
            self._rest(REST)
            self._breathed = self._clock()

    @staticmethod
    def _tell_alive(talk: _Talk | None) -> None:
        """Send a blank, with which JSON may begin: who waits knows that his question has been heard."""
        if talk is not None:
            talk.guest.write(memoryview(b" "))


PIECE = 250  # threads that are written at once


def _not_plain(thing: object) -> str:
    return f"{type(thing).__name__}"


_encoder: Any = make_encoder(None, _not_plain, encode_basestring_ascii, None, ": ", ", ", False, False, True)


def as_json(value: object) -> str:
    """A value as JSON. What the package `json` has in C: the rest of it would be in the program's modules."""
    return "".join(_encoder(value, 0))


def _line(value: object) -> bytes:
    return as_json(value).encode() + b"\n"
