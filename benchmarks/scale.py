"""Memory and time of many blocked threads, and of many that come and go.

*Blocked*: n threads, each in one Python function on one thing that has not happened; then all are let
go. *One after another*: n threads, each started and joined before the next; what that leaves behind.
Each (peer, n) has a process of its own.

    python benchmarks/scale.py --peers raw,gevent,asyncio,threading,weft --ns 1000,10000,100000
    python benchmarks/scale.py --peers weft --serial 1000000
"""

import argparse
import gc
import itertools
import json
import os
import re
import sys
from time import perf_counter, process_time
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from keep import add_option, keep  # noqa: E402

import peers  # noqa: E402 - found beside this file

__all__ = ["blocked", "one_after_another"]

PEERS = "raw,gevent,gevent-patched,asyncio,threading,weft"
GB = 1 << 30


def memory() -> dict[str, int]:
    """Bytes resident and mapped, and the number of kernel threads."""
    with open("/proc/self/status", encoding="ascii") as file:
        said = dict(re.findall(r"(VmRSS|VmSize|Threads):\s+(\d+)", file.read()))
    return {
        "rss": int(said["VmRSS"]) * 1024,
        "vm": int(said["VmSize"]) * 1024,
        "threads": int(said["Threads"]),
    }


class Meter:
    """Memory and time before, with all threads blocked, and after."""

    def __init__(self) -> None:
        gc.collect()
        self.before = memory()
        self.cpu, self.wall = process_time(), perf_counter()

    def blocked(self) -> None:
        self.make_cpu, self.make_wall = process_time() - self.cpu, perf_counter() - self.wall
        self.full = memory()
        self.cpu = process_time()

    def figures(self, n: int) -> dict[str, float]:
        return {
            "n": n,
            "rss": (self.full["rss"] - self.before["rss"]) / n,
            "vm": (self.full["vm"] - self.before["vm"]) / n,
            "total_rss": self.full["rss"],
            "make_us": self.make_cpu / n * 1e6,
            "make_wall_us": self.make_wall / n * 1e6,
            "end_us": (process_time() - self.cpu) / n * 1e6,
            "kernel_threads": self.full["threads"],
        }


# -- in the process of one peer ------------------------------------------------------------------------


def block_tasks(peer: Any, n: int) -> Meter:
    import asyncio  # noqa: PLC0415 - for this peer alone

    async def go() -> Meter:
        event = asyncio.Event()

        async def wait() -> None:
            await event.wait()

        meter = Meter()
        tasks = [asyncio.create_task(wait()) for _ in range(n)]
        await asyncio.sleep(0)
        meter.blocked()
        event.set()
        for task in tasks:
            await task
        return meter

    meter: Meter = peer.runner.run(go())
    return meter


def block_greenlets(peer: Any, n: int) -> Meter:
    main = peer.getcurrent().switch

    def wait() -> None:
        main()

    meter = Meter()
    made = []
    for _ in range(n):
        one = peer.greenlet(wait)
        made.append(one)
        one.switch()
    meter.blocked()
    for one in made:
        one.switch()
    return meter


def block_threads(peer: Any, n: int) -> Meter:
    event = peer.Event()
    let_go = event.set

    def wait() -> None:
        event.wait()

    if peer.name == "threading":
        import _thread  # noqa: PLC0415 - for this peer alone

        lock = _thread.allocate_lock()  # an Event would wake them through one more lock
        lock.acquire()
        let_go = lock.release

        def wait() -> None:
            lock.acquire()
            lock.release()

    meter = Meter()
    handles = [peer.spawn(wait) for _ in range(n)]
    peer.sleep(0.3 if getattr(peer, "kernel", False) else 0)
    peer.sleep(0)
    meter.blocked()
    let_go()
    for handle in handles:
        peer.join(handle)
    return meter


def serial(peer: Any, n: int) -> dict[str, float]:
    """Threads started and joined one after another: memory at a tenth of the way and at the end."""
    spawn, join, noop = peer.spawn, peer.join, peers.noop
    for _ in range(n // 10):
        join(spawn(noop))
    gc.collect()
    then = memory()
    cpu = process_time()
    for _ in range(n - n // 10):
        join(spawn(noop))
    cpu = process_time() - cpu
    gc.collect()
    return {
        "n": n,
        "rss_then": then["rss"],
        "rss_grown": memory()["rss"] - then["rss"],
        "each_us": cpu / (n - n // 10) * 1e6,
    }


def worker(spec: str, n: int, one_by_one: bool) -> None:
    peer = peers.load(spec)
    peer.setup()
    if one_by_one:
        figures = serial(peer, n)
    else:
        block = {"async": block_tasks, "raw": block_greenlets}.get(peer.style, block_threads)
        figures = block(peer, n).figures(n)
    print(json.dumps(figures))


# -- the driver ----------------------------------------------------------------------------------------


def ask(python: str, spec: str, n: int, timeout: float, *more: str) -> dict[str, Any]:
    import subprocess  # noqa: PLC0415 - it leads to threading: not in the process of a peer

    command = [python, os.path.join(HERE, "scale.py"), "--worker", spec, "--n", str(n), *more]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"error": f"not done in {timeout:g} s"}
    try:
        figures: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {"error": (done.stderr.strip().splitlines() or ["it died, and said nothing"])[-1]}
    return figures


def blocked(python: str, spec: str, n: int, timeout: float = 240) -> dict[str, Any]:
    """What n blocked threads of a peer cost."""
    return ask(python, spec, n, timeout)


def one_after_another(python: str, spec: str, n: int, timeout: float = 240) -> dict[str, Any]:
    """What n threads, one after another, cost and leave behind."""
    return ask(python, spec, n, timeout, "--one-by-one")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", default=PEERS)
    parser.add_argument("--ns", default="1000,10000,100000")
    parser.add_argument("--serial", type=int, help="so many threads one after another instead")
    parser.add_argument("--limit-gb", type=float, default=8.5)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--timeout", type=float, default=240)
    parser.add_argument("--rounds", type=int, default=1)
    add_option(parser)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--n", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--one-by-one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        worker(asked.worker, asked.n, asked.one_by_one)
        return
    each: dict[str, float] = {}
    data: dict[str, dict[str, list[dict[str, Any]]]] = {}
    sizes = [asked.serial] if asked.serial else [int(n) for n in asked.ns.split(",")]
    for _, n, spec in itertools.product(range(asked.rounds), sizes, asked.peers.split(",")):
        rounds = data.setdefault(str(n), {}).setdefault(spec, [])
        if each.get(spec, 0) * n > asked.limit_gb * GB:
            figures = {"error": f"left out: it would take {each[spec] * n / GB:.1f} GB"}
        elif asked.serial:
            figures = one_after_another(asked.python, spec, n, asked.timeout)
        else:
            figures = blocked(asked.python, spec, n, asked.timeout)
            each[spec] = figures.get("rss", 0)
        rounds.append(figures)
        said = figures.get("error") or "  ".join(f"{k} {v:,.1f}" for k, v in figures.items() if k != "n")
        print(f"{n:>9,} {spec:<15s} {said}", flush=True)
    keep(asked.json, data)


if __name__ == "__main__":
    main()
