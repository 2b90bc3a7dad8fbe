"""`weft ps`: what the threads of a running program do."""

import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from weft.cli.output import no_option, refuse, say
from weft.config import parse_timeout, runtime_folders
from weft.errors import WeftError
from weft.host import local, procfs
from weft.host.clock import since_1970, sleep
from weft.processes.outside import listed_in
from weft.watch.dump import cycle_marks, render_listing

__all__ = ["ask", "ps_command"]

HELP = """\
usage: weft ps [options] [PID]

Shows every thread of a program that `weft run` has started: what it does or waits for, who holds that, where,
and for how long. Those that do the same are put together. Without a PID: the only program there is, or a list
of all.

  --stacks     also each thread's calls
  --all        each thread by itself, however many do the same
  --time       also the processor time of user threads, counted for a second (with --watch: from then on);
               each switch takes longer meanwhile. Kernel threads' the system counts
  --json       the same for programs: every thread; without a PID the list of programs
  --watch      again and again, each second, until Ctrl-C; needs rich (extra `weft[terminal]`)
  --timeout T  how long to wait for an answer, as 500ms or 10s (5s)

A program is asked on a socket that its own user alone can open, and answers from a kernel thread of weft's
own: also when it is stuck, or busy with Python code. `weft run --no-ps` does without.

Exit status: 0; 1 if the program cannot be asked, 2 for a bad call.
"""
BETWEEN = 10.0  # seconds that the pieces of an answer may be apart
TRIES = 4  # to reach a program, which closes its door for a moment when it forks
TRY_AGAIN = 0.1  # seconds
EACH = 1.0  # seconds from one look to the next
QUICK = 1.0  # seconds that one of a list of programs has to tell of itself
STOPPED = ("T", "t")
SHOWN = 60  # characters of a command line


class _Options:
    """What the command line says."""

    def __init__(self) -> None:
        self.pid: int | None = None
        self.stacks = self.all = self.time = self.json = self.watch = False
        self.timeout = 5.0

    @property
    def question(self) -> str:
        every = self.all or self.json
        words = [("stacks", self.stacks), ("time", self.time)]
        asked = ["weft-ps list", *(f"{name}=1" for name, on in words if on), *(["each=all"] if every else [])]
        return " ".join(asked)


def ps_command(args: list[str]) -> None:
    """Do what the command line asks; exits with 1 if the program cannot be asked, 2 for a bad call."""
    options = _parsed(args)
    if options is None:
        say(HELP)
        return
    try:
        _show(options)
    except WeftError as error:
        print(f"weft ps: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _parsed(args: list[str]) -> _Options | None:
    """The options; None if help is asked for."""
    options = _Options()
    rest = list(args)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word in ("-h", "--help"):
            return None
        if word in ("--stacks", "--all", "--time", "--json", "--watch"):
            setattr(options, word[2:], True)
        elif name == "--timeout":
            if not equals and not rest:
                _refuse("--timeout needs a value")
            try:
                options.timeout = min(parse_timeout(value if equals else rest.pop(0)), 86_400.0)
            except WeftError as error:
                _refuse(str(error))
        elif word.startswith("-"):
            _refuse(no_option("ps", word))
        elif not word.isdecimal():
            _refuse(f"{word!r} is no process number")
        elif options.pid is not None:
            _refuse("only one program can be asked at a time")
        else:
            options.pid = int(word)
    if options.json and options.watch:
        _refuse("--watch is for people and --json for programs: choose one")
    return options


def _refuse(why: str) -> NoReturn:
    refuse("ps", why)


def _show(options: _Options) -> None:
    if options.pid is None:
        found = programs()
        if options.json:
            print(json.dumps({"programs": found}, indent=2))
            return
        if not found:
            raise WeftError("no program that can be asked runs; start one with `weft run program.py`")
        if len(found) > 1:
            if options.watch:
                _refuse("there are several programs: say which, by its PID (`weft ps` lists them)")
            _say(_table(found))
            return
        options.pid = int(found[0]["pid"])
    if options.watch:
        live = importlib.import_module("weft.cli.ps_live")  # it stands on an extra
        live.watch(options.pid, options.question, options.timeout, EACH)
        return
    listing = ask(options.pid, options.question, options.timeout, EACH if options.time else 0.0)
    if options.json:
        print(json.dumps(_for_programs(listing, options.stacks)))
    else:
        _say(head_of(listing) + "\n" + render_listing(listing, options.stacks))


def _say(text: str) -> None:
    """Print what may have come from anywhere: nothing in it gives orders to the terminal."""
    plain = "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
    encoding = sys.stdout.encoding or "ascii"
    print(plain.encode(encoding, "backslashreplace").decode(encoding), flush=True)


# -- asking --------------------------------------------------------------------------------------------


class Connection:
    """A program that can be asked, once or again and again.

    Raises:
        WeftError: it cannot be asked, or gave no answer; the text says why and what to do.
    """

    def __init__(self, pid: int, timeout: float) -> None:
        self.pid = pid
        self._timeout = timeout
        self._caller: Any = None

    def ask(self, question: str) -> dict[str, Any]:
        """An answer, as the program gave it."""
        if self._caller is not None:
            try:
                return self._once(question)
            except ConnectionError:  # it has forked, and opened anew
                self.close()
        for left in reversed(range(TRIES)):
            try:
                self._caller = self._caller or _call(self.pid, self._timeout)
                return self._once(question)
            except (FileNotFoundError, ConnectionError):
                self.close()
                if not left or not _is_alive(self.pid):
                    raise WeftError(_why_not(self.pid)) from None
                sleep(TRY_AGAIN)
        raise AssertionError("unreachable")

    def _once(self, question: str) -> dict[str, Any]:
        try:
            answer = self._caller.ask(question, self._timeout, BETWEEN)
        except TimeoutError:
            raise WeftError(_silent(self.pid, self._timeout)) from None
        told: dict[str, Any] = json.loads(answer)
        if "error" in told:
            raise WeftError(f"process {self.pid} says: {told['error']}")
        _add_times(told)
        return told

    def close(self) -> None:
        """Hang up."""
        if self._caller is not None:
            self._caller.close()
            self._caller = None


def ask(pid: int, question: str, timeout: float, count_for: float = 0.0) -> dict[str, Any]:
    """A listing of a program (weft.watch.listing), with what is known of it.

    Args:
        pid: its process.
        question: as weft.watch.server takes it.
        timeout: seconds until the answer must begin.
        count_for: seconds for which the program counts the processor time of its threads.

    Raises:
        WeftError: it cannot be asked.
    """
    noted = _note_of(pid)
    if noted is not None:
        return _processes(noted)
    connection = Connection(pid, timeout)
    try:
        answer = connection.ask(question)
        if count_for and answer["model"] != "kernel":
            sleep(count_for)
            answer = connection.ask(question)
        return answer
    finally:
        connection.close()


def _call(pid: int, timeout: float) -> local.Caller:
    """A connection to a program.

    Raises:
        FileNotFoundError, ConnectionError: it has no door.
        WeftError: it has, and does not open it to us.
    """
    owner = _owner_of(pid)
    from_elsewhere = owner != os.geteuid() and os.geteuid() != 0
    for folder in runtime_folders(owner):
        try:
            return local.Caller(folder, owner, f"{pid}{local.SUFFIX}", timeout)
        except (TimeoutError, BlockingIOError):
            raise WeftError(_silent(pid, timeout)) from None
        except PermissionError:
            break
        except FileNotFoundError:
            continue
        except WeftError:
            if from_elsewhere:
                break
            raise
    if from_elsewhere:
        raise WeftError(f"process {pid} belongs to another user, whom alone it answers")
    raise FileNotFoundError


def _opened_folders(owner: int) -> Iterator[int]:
    """A descriptor of each folder in which a user's programs may listen, open until the next one is."""
    for folder in runtime_folders(owner):
        try:
            fd = local.checked_folder(folder, owner)
        except (OSError, WeftError):
            continue
        try:
            yield fd
        finally:
            os.close(fd)


def _owner_of(pid: int) -> int:
    owner = procfs.owner_of(pid)
    return os.geteuid() if owner is None else owner


def _why_not(pid: int) -> str:
    if not _is_alive(pid):
        return f"there is no process {pid}"
    command = procfs.command_of(pid)[:SHOWN]
    named = f" ({command})" if command else ""
    return (
        f"process {pid}{named} cannot be asked: it was not started by `weft run`, or with --no-ps or"
        f" WEFT_PS=0. `weft ps` lists what can be; `py-spy dump --pid {pid}` shows the stacks of any Python"
        " program"
    )


def _silent(pid: int, timeout: float) -> str:
    if procfs.state_of(pid) in STOPPED:
        return f"process {pid} is stopped by a signal or a debugger, and answers when it goes on"
    return (
        f"process {pid} has not answered for {timeout:g} s: most likely a call in C does not let go of the"
        f" interpreter's lock. `py-spy dump --native --pid {pid}` shows where, from outside"
    )


def _is_alive(pid: int) -> bool:
    """Whether there is such a process, and not only its exit status."""
    return local.is_alive(pid) and procfs.state_of(pid) != "Z"


def _add_times(told: dict[str, Any]) -> None:
    """Add what the system counts: the time of kernel threads that carry one thread each, and of carriers."""
    pid = told["pid"]
    told["carriers"] = [
        {"native_id": number, "processor_time": procfs.processor_time(pid, number)}
        for number in told["carriers"]
    ]
    if told["model"] != "kernel":
        return
    for group in told.get("groups", ()):
        for member in group["members"]:
            spent = procfs.processor_time(pid, member["carrier"])
            if spent is not None:
                member["processor_time"] = spent


# -- the process model ---------------------------------------------------------------------------------


def _note_of(pid: int) -> dict[str, Any] | None:
    """What a program has left that nobody serves, since its threads are processes."""
    for fd in _opened_folders(_owner_of(pid)):
        try:
            note = os.open(f"{pid}{local.NOTE}", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=fd)
            with open(note, encoding="ascii") as file:
                return dict(json.load(file))
        except (OSError, ValueError):
            continue
    return None


def _processes(noted: dict[str, Any]) -> dict[str, Any]:
    """A listing of a program whose threads are processes: what the system knows of each."""
    pid = int(noted["pid"])
    if not _is_alive(pid):
        raise WeftError(_why_not(pid))
    try:
        threads = listed_in(noted["folder"])
    except (OSError, ValueError) as error:
        raise WeftError(f"the processes of {pid} are not known: {error}") from None
    groups = [_process("MainThread", pid, False)]
    groups += [_process(name, number, daemon) for number, name, daemon in threads.values() if number]
    alive = [group for group in groups if _is_alive(group["members"][0]["ident"])]
    told = {name: value for name, value in noted.items() if name != "folder"}
    return {**told, "carriers": [], "threads": len(alive), "groups": alive, "cycles": [], "more_cycles": 0}


def _process(name: str, pid: int, daemon: bool) -> dict[str, Any]:
    sleeps = procfs.state_of(pid) in ("S", "D", "")
    member: dict[str, Any] = {"name": name, "ident": pid, "carrier": pid, "in_system": sleeps}
    spent = procfs.processor_time(pid)
    if spent is not None:
        member["processor_time"] = spent
    return {
        "state": "running",
        "daemon": daemon,
        "kind": None,
        "reason": None,
        "place": f"process {pid}; `py-spy dump --pid {pid}` shows its stack",
        "calls": [],
        "count": 1,
        "members": [member],
    }


# -- showing -------------------------------------------------------------------------------------------


def programs() -> list[dict[str, Any]]:
    """The programs of the caller that can be asked, each with what it says of itself."""
    found: dict[int, dict[str, Any]] = {}
    local.load()
    for fd in _opened_folders(os.geteuid()):
        local.clear(fd)
        for name in os.listdir(fd):
            number, dot, ending = name.rpartition(".")
            if number.isdecimal() and dot + ending in (local.SUFFIX, local.NOTE) and int(number) not in found:
                told = _about(int(number), dot + ending == local.NOTE)
                if told is not None:
                    found[int(number)] = told
    return [found[pid] for pid in sorted(found)]


def _about(pid: int, noted: bool) -> dict[str, Any] | None:
    if not _is_alive(pid):
        return None
    try:
        if noted:
            told = ask(pid, "", QUICK)
            told.pop("groups")
        else:
            connection = Connection(pid, QUICK)
            try:
                told = connection.ask("weft-ps about")
            finally:
                connection.close()
    except WeftError:
        command = procfs.command_of(pid)[:SHOWN]
        return {"pid": pid, "program": [command], "answers": False}
    kept = ("pid", "program", "model", "python", "weft", "began", "threads")
    return {**{name: told[name] for name in kept}, "answers": True}


def _table(found: list[dict[str, Any]]) -> str:
    rows = [("PID", "MODEL", "THREADS", "FOR", "PROGRAM")]
    for told in found:
        program = " ".join(told["program"])
        if told["answers"]:
            age = duration(since_1970() - told["began"])
            rows.append((str(told["pid"]), told["model"], f"{told['threads']:,}", age, program))
        else:
            rows.append((str(told["pid"]), "?", "?", "?", f"{program} (does not answer)"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(row[column].ljust(widths[column]) for column in range(4)), row[4]]) for row in rows
    )


def head_of(listing: Mapping[str, Any]) -> str:
    """What program it is."""
    age = duration(since_1970() - listing["began"])
    head = (
        f"{' '.join(listing['program'])} (process {listing['pid']}, {listing['model']} model,"
        f" Python {listing['python']}, for {age})"
    )
    times = [
        f"{carrier['native_id']}: {carrier['processor_time']:.2f} s"
        for carrier in listing["carriers"]
        if carrier["processor_time"] is not None
    ]
    if times:
        head += f"\nprocessor time of its carrier{'s' if len(times) > 1 else ''}: {', '.join(times)}"
    return head


def duration(seconds: float) -> str:
    """A time for people."""
    if seconds < 120:
        return f"{max(0.0, seconds):.1f} s"
    minutes = int(seconds // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def _for_programs(listing: Mapping[str, Any], stacks: bool) -> dict[str, Any]:
    """A listing with each thread by itself."""
    threads, marks = [], cycle_marks(listing)
    for group in listing["groups"]:
        shared = {name: group[name] for name in ("state", "daemon", "kind", "reason", "place")}
        if stacks:
            shared["calls"] = group["calls"]
        for member in group["members"]:
            mark = {"cycle": marks[member["ident"]]} if member["ident"] in marks else {}
            threads.append({**shared, **member, **mark})
    rest = {name: value for name, value in listing.items() if name not in ("groups", "threads")}
    return {**rest, "count": listing["threads"], "threads": threads}
