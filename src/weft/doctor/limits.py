"""What the machine allows: descriptors, kernel threads, memory, processors, and weft's own settings."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from weft.config import Config, cache_folder, settings_given, wants_ps, wants_pure
from weft.core import life
from weft.doctor.facts import NOTE, OK, PROBLEM, Fact
from weft.errors import WeftError
from weft.host.files import folder_takes_files
from weft.host.platform import FREE_THREADED
from weft.stdlib import user_pool
from weft.watch import notes

__all__ = ["limits", "settings"]

FEW_DESCRIPTORS = 4096  # below that, a server meets the limit before it meets weft's
TOO_FEW_DESCRIPTORS = 64  # what an interpreter, its pipes and a poller need
FEW_THREADS = 2000  # kernel threads: what the kernel model is for has fewer


def limits() -> Iterator[Fact]:
    """What programs with many threads or connections run into."""
    yield _descriptors(*resource.getrlimit(resource.RLIMIT_NOFILE))
    yield _threads(resource.getrlimit(resource.RLIMIT_NPROC)[0])
    stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
    told = "no limit" if stack == resource.RLIM_INFINITY else f"{stack / 2**20:g} MiB"
    yield Fact("limits", "stack", OK, f"{told} of addresses for each kernel thread", "", _limit(stack))
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    yield Fact("limits", "processors", OK, _processors(usable), "", usable)
    memory = _memory()
    if memory is not None:
        yield Fact("limits", "memory", OK, f"{memory / 2**30:.1f} GiB for this process", "", memory)


def _compiled(name: str, what: str, there: bool, pure: bool) -> Fact:
    """Whether something is done in C: what is compiled may not be there."""
    if pure:
        return Fact("settings", name, NOTE, f"{what} in Python, as WEFT_PURE says", "", False)
    if not there and FREE_THREADED:
        return Fact("settings", name, NOTE, f"{what} in Python, as on all free-threaded builds", "", False)
    if not there:
        advice = (
            "weft was built without a C compiler and Python's headers, or has changed since: install it anew"
        )
        return Fact("settings", name, NOTE, f"{what} in Python, which costs more", advice, False)
    return Fact("settings", name, OK, f"{what} in C", "", True)


def _limit(value: int) -> int | None:
    """For programs: None is no limit."""
    return None if value < 0 else value


def _descriptors(soft: int, hard: int) -> Fact:
    value = {"soft": _limit(soft), "hard": _limit(hard)}
    allowed = "any number" if hard < 0 else f"{hard:,}"
    text = f"{'any number' if soft < 0 else f'{soft:,}'} at once (at most {allowed})"
    if 0 <= soft < TOO_FEW_DESCRIPTORS:
        return Fact("limits", "descriptors", PROBLEM, text, "ulimit -n 1024, before weft starts", value)
    if 0 <= soft < FEW_DESCRIPTORS:
        more = f"ulimit -n {hard if hard >= 0 else 65536}"
        if 0 <= hard <= soft:
            more = "have it raised in /etc/security/limits.conf, or LimitNOFILE of the service"
        return Fact(
            "limits", "descriptors", NOTE, text, f"for servers, each connection is one: {more}", value
        )
    return Fact("limits", "descriptors", OK, text, "", value)


def _threads(processes: int) -> Fact:
    """The least of what the user, the system and the control group allow."""
    bounds = {
        "this user (ulimit -u)": _limit(processes),
        "the system (kernel.threads-max)": _number("/proc/sys/kernel/threads-max"),
        "the system (kernel.pid_max)": _number("/proc/sys/kernel/pid_max"),
        "the control group (pids.max)": _in_group("pids.max"),
    }
    known = {who: bound for who, bound in bounds.items() if bound is not None}
    if not known:
        return Fact("limits", "kernel threads", OK, "no limit is known")
    who = min(known, key=lambda name: known[name])
    text = f"{known[who]:,}, processes included, by {who}"
    if known[who] < FEW_THREADS:
        advice = "user threads (--model user) are not counted"
        return Fact("limits", "kernel threads", NOTE, text, advice, known[who])
    return Fact("limits", "kernel threads", OK, text, "", known[who])


def _processors(usable: int) -> str:
    there = os.cpu_count() or usable
    text = f"{usable}" if there == usable else f"{usable} of {there}, by affinity"
    quota = _read("/sys/fs/cgroup/cpu.max").split()
    if len(quota) == 2 and quota[0].isdigit() and quota[1].isdigit():
        text += f"; the control group gives the time of {int(quota[0]) / int(quota[1]):.2g}"
    return text


def _memory() -> int | None:
    group = _in_group("memory.max")
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return group
    return whole if group is None else min(whole, group)


def _in_group(name: str) -> int | None:
    """A bound of the control group that this process is in (version 2), or of one above it."""
    own = next((line[3:] for line in _read("/proc/self/cgroup").splitlines() if line.startswith("0::")), "/")
    folder = Path("/sys/fs/cgroup") / own.strip().lstrip("/")
    bounds = []
    while folder.is_relative_to("/sys/fs/cgroup"):
        bound = _number(str(folder / name))
        if bound is not None:
            bounds.append(bound)
        folder = folder.parent
    return min(bounds, default=None)


def _number(path: str) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isdigit() else None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def settings() -> Iterator[Fact]:
    """The variables WEFT_*, and where weft keeps what it can make again."""
    try:
        chosen = Config.from_environment()
        wants_ps(None)
        pure = wants_pure()
    except WeftError as error:
        yield Fact("settings", "variables", PROBLEM, str(error), "mend or unset it", settings_given())
    else:
        given = settings_given()
        told = ", ".join(f"{name}={value}" for name, value in given.items()) or "none is set"
        yield Fact("settings", "variables", OK, f"{told}; the model is {chosen.model}", "", given)
        yield _compiled("threads", "threads are made and run", life.COMPILED, pure)
        yield _compiled("recording", "notes are taken", notes.COMPILED, pure)
        yield _compiled("pools", "calls are submitted", user_pool.COMPILED, pure)
    folder = cache_folder()
    if folder is None:
        yield Fact("settings", "cache", OK, "off: rewritten code is not kept, so checks start slower")
    elif folder_takes_files(folder):
        yield Fact("settings", "cache", OK, folder, "", folder)
    else:
        advice = "checks start slower: set WEFT_CACHE to a folder that can be written"
        yield Fact("settings", "cache", NOTE, f"{folder} cannot be written", advice, folder)
