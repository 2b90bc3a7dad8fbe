"""What was wrong in one execution: made from how it ended, of plain types, to be sent and written."""

from types import TracebackType
from typing import Any

from weft.check.lock_order import Edge
from weft.check.locks import Condition, Lock, RLock
from weft.check.points import LostUpdate
from weft.check.races import Access
from weft.check.values import full_name_of
from weft.check.world import FAULTS
from weft.core.places import AT_END, HOME, place_of
from weft.instrument import points
from weft.models.controlled import Over, Task

__all__ = [
    "Finding",
    "deadlock",
    "exception",
    "holder_of",
    "in_between",
    "left_behind",
    "left_over",
    "lock_order",
    "lost_update",
    "place_of_site",
    "signature",
    "stale_read",
    "unordered",
    "waits_for",
]

Finding = dict[str, Any]
"""`kind`, `level`, `title`, `threads` (names), `places` ("file:line in function"), `names` (what is accessed,
as the source has it), `lines` (of text)."""


def _made(
    kind: str,
    title: str,
    threads: list[str],
    places: list[str],
    lines: list[str],
    level: str = "failure",
    names: tuple[str, ...] = (),
) -> Finding:
    return {
        "names": list(names),
        "kind": kind,
        "level": level,
        "title": title,
        "threads": threads,
        "places": places,
        "lines": lines,
    }


def signature(finding: Finding) -> str:
    """What makes two findings the same: their kind, their places, and what is accessed there."""
    return f"{finding['kind']}: {'; '.join(sorted([*finding['places'], *finding.get('names', ())]))}"


def _traceback_places(traceback: TracebackType | None) -> list[str]:
    found = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith(HOME):
            found.append(f"{code.co_filename}:{traceback.tb_lineno} in {code.co_name}")
        traceback = traceback.tb_next
    return found


def exception(task: Task, error: BaseException) -> Finding | None:
    """An exception that nobody took; None where it is an ordinary exit."""
    places = _traceback_places(error.__traceback__)
    if isinstance(error, SystemExit):
        if error.code is None or error.code == 0:
            return None
        code = int(error.code) if isinstance(error.code, int) else error.code  # pytest's is an enumeration
        return _made("exit", f"the program exits with {code!r}", [task.name], places[-1:], [])
    kind = "assertion" if isinstance(error, AssertionError) else "exception"
    text = _text(error)
    title = f"{type(error).__name__}{': ' + text if text else ''}"
    return _made(
        kind, f"{title}, in {task.name}", [task.name], places[-1:], [f"at {place}" for place in places]
    )


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the program's own __str__
        return "(its text cannot be made)"


def place_of_site(number: int) -> str:
    """Where an access of instrumented code stands."""
    site = points.sites[number]
    return f"{site.file}:{site.line} in {site.function}"


def lost_update(lost: LostUpdate) -> Finding:
    """A write that was made of a value which another thread had replaced."""
    sites = points.sites
    what = sites[lost.read].text or str(lost.key)
    lines = [
        f"{task.name} {what} {sites[number].text} at {place_of_site(number)}"
        for task, what, number in (
            (lost.task, "reads", lost.read),
            (lost.writer, "writes", lost.written),
            (lost.task, "writes what it made of the old value of", lost.write),
        )
    ]
    places = [place_of_site(number) for number in (lost.read, lost.written, lost.write)]
    threads = [lost.task.name, lost.writer.name]
    names = tuple({sites[number].text: 0 for number in (lost.read, lost.written, lost.write)})
    return _made("race", f"lost update of {what}", threads, places, lines, names=names)


def _accesses(*told: tuple[str, str, int]) -> tuple[list[str], list[str], list[str]]:
    """Threads, places and lines of some accesses: who, what, where."""
    threads = list(dict.fromkeys(thread for thread, _, _ in told))
    places = [place_of_site(site) for _, _, site in told]
    lines = [
        f"{thread} {what} {points.sites[site].text} at {place_of_site(site)}" for thread, what, site in told
    ]
    return threads, places, lines


def stale_read(mine: Access, other: Access, again: Access) -> Finding:
    """A write that was decided on by a value which another thread had replaced."""
    told = _accesses(
        (mine.thread, "decides by", mine.site),
        (other.thread, "writes", other.site),
        (again.thread, "writes all the same", again.site),
    )
    text = points.sites[mine.site].text
    return _made("stale-read", f"stale read of {text}", *told, "warning", (text,))


def in_between(mine: Access, other: Access, again: Access) -> Finding:
    """Two accesses of one thread, and another's between them that no order of the two alone would have."""
    told = _accesses(
        *((each.thread, "writes" if each.writes else "reads", each.site) for each in (mine, other, again))
    )
    text = points.sites[mine.site].text
    return _made(
        "access-between", f"between two accesses to {text} comes another thread's", *told, "note", (text,)
    )


def unordered(one: Access, other: Access) -> Finding:
    """Two accesses, one of them a write, that no lock, queue, event, start or join orders."""
    told = _accesses(
        *((each.thread, "writes" if each.writes else "reads", each.site) for each in (one, other))
    )
    text = points.sites[one.site].text
    return _made("data-race", f"nothing orders the accesses to {text}", *told, "note", (text,))


def lock_order(ring: list[Edge]) -> Finding:
    """Locks that threads take in such orders that each may come to wait for the next."""
    lines = [
        f"{edge.thread} takes a {type(edge.wanted).__name__} at {edge.wanted_at}"
        f" while it holds the one that it took at {edge.had_at}"
        for edge in ring
    ]
    threads = [edge.thread for edge in ring]
    places = [place for edge in ring for place in (edge.had_at, edge.wanted_at)]
    title = f"{', '.join(threads)} take locks in orders that can end in a deadlock"
    return _made("lock-order", title, threads, places, lines, "warning")


def holder_of(task: Task) -> Task | None:
    """The thread that this one waits for, if it is one."""
    target = task.target
    if task.kind == "join" and isinstance(target, Task):
        return target
    if isinstance(target, (Lock, RLock)):
        return target._owner
    return None


_WAITS = {
    "acquire": "waits for",
    "wait": "waits for a notify on",
    "join": "waits for the end of",
    "drain": "waits for the tasks to be done of",
    "get": "waits for an item of",
    "put": "waits for room in",
    "barrier": "waits at",
    "recv": "waits for data on",
    "send": "waits for room on",
    "accept": "waits for a connection at",
    "connect": "waits to be connected at",
    "select": "waits for something to happen on",
}


def _describe(task: Task) -> str:
    place = place_of(task.frame())
    if place == "?" and task.number == 0:
        place = AT_END
    return f"{task.name} {waits_for(task)}, at {place}"


def waits_for(task: Task) -> str:
    """What a thread that cannot go on waits for, and who has it."""
    target = getattr(task.key, "condition", task.target) if task.kind == "wait" else task.target
    if isinstance(target, Task):
        what = target.name
    else:
        what = f"a {type(target).__name__}" if target is not None else "nothing"
        what = (full_name_of(target, task.frame(), task.key) if target is not None else "") or what
    phrase = "waits for" if isinstance(target, (Lock, RLock)) else _WAITS.get(task.kind, f"{task.kind}:")
    holder = holder_of(task)
    if holder is None or isinstance(target, Task):
        held = ""
    elif holder is task:
        held = ", which it holds itself"
    else:
        held = f", held by {holder.name}" + (", which has ended" if holder.done else "")
    return f"{phrase} {what}{held}"


def _cycle(tasks: list[Task]) -> list[Task]:
    for start in tasks:
        path: list[Task] = []
        node: Task | None = start
        while node is not None and node not in path and not node.done:
            path.append(node)
            node = holder_of(node)
        if node is not None and not node.done:
            return path[path.index(node) :]
    return []


def left_behind(tasks: list[Task]) -> Finding | None:
    """The program has ended, and daemons stand that could never have gone on; None: there are none."""
    daemons = [task for task in tasks if task.daemon and task.guard is not None and task.deadline is None]
    cycle = _cycle(daemons)
    if not cycle or not all(task in daemons for task in cycle):
        return None
    found = deadlock(cycle)
    found["title"] += ", which the program leaves behind"
    return found


def deadlock(tasks: list[Task], ended: bool = False) -> Finding:
    """Nobody can go on: named by its cycle, its lost notify, or its dead owner.

    Args:
        ended: whether the main thread has done all that the program says.
    """
    tasks = [task for task in tasks if task.kind not in FAULTS]
    lines = [_describe(task) for task in tasks]
    cycle = _cycle(tasks)
    involved = cycle or [task for task in tasks if task.kind != "join"] or tasks
    places = [place_of(task.frame()) for task in involved]
    names = [task.name for task in involved]
    if len(cycle) == 1:
        return _made(
            "self-deadlock", f"{names[0]} waits for a lock that it holds itself", names, places, lines
        )
    if cycle:
        return _made("deadlock", f"deadlock of {', '.join(names)}", names, places, lines)
    for task in tasks:
        condition = getattr(task.key, "condition", None)
        if task.kind == "wait" and isinstance(condition, Condition) and condition.missed:
            title = f"lost wakeup: {task.name} waits for a notify that came while nobody waited"
            return _made("lost-wakeup", title, names, places, lines)
    for task in tasks:
        holder = holder_of(task)
        if holder is not None and holder.done and task.kind != "join":
            title = f"{task.name} waits for a lock whose holder {holder.name} has ended"
            return _made("deadlock", title, names, places, lines)
    if ended:
        them = "it" if len(names) == 1 else "them"
        title = f"{', '.join(names)} left behind: the program is at its end, and nothing can wake {them}"
        return _made("thread-left-behind", title, names, places, lines)
    wait = "waits, and nothing can wake it" if len(names) == 1 else "wait, and nothing can wake them"
    return _made("deadlock", f"{', '.join(names)} {wait}", names, places, lines)


def left_over(over: Over, tasks: list[Task]) -> Finding:
    """An execution that does not come to its end."""
    places = sorted({place_of(task.frame()) for task in tasks})
    names = [task.name for task in tasks]
    if over.kind == "livelock":
        go = "goes" if len(names) == 1 else "go"
        title = f"{', '.join(names)} {go} round and round and nothing changes"
        return _made("livelock", title, names, places, [])
    found = _made("bound", "the execution is longer than the bound on its steps", names, places, [])
    found["level"] = "note"
    return found
