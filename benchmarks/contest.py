"""Four contests of threads: start and join, locked sections, unlocked ones, and one after another.

    python benchmarks/contest.py [--peer weft] [--scale 0.02] [--processes fork,forkserver,spawn]

Times are of the least disturbed round. At scale 1 a section sleeps 0.5 s, and the threads of the last
contest 3.5 s each.
"""

import argparse
import os
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keep import add_option, keep

import peers
from peers import noop


def threads100(peer: Any) -> float:
    then = perf_counter()
    handles = [peer.spawn(noop) for _ in range(100)]
    for handle in handles:
        peer.join(handle)
    return perf_counter() - then


def processes100(context: Any) -> float:
    then = perf_counter()
    handles = [context.Process(target=noop) for _ in range(100)]
    for handle in handles:
        handle.start()
    for handle in handles:
        handle.join()
    return perf_counter() - then


def sections(peer: Any, seconds: float, *, locked: bool = False, serial: bool = False) -> float:
    """100 threads, one section each."""
    lock = peer.Lock()

    def in_lock() -> None:
        with lock:
            peer.sleep(seconds)

    def free() -> None:
        peer.sleep(seconds)

    body = in_lock if locked else free
    then = perf_counter()
    if serial:
        for _ in range(100):
            peer.join(peer.spawn(body))
    else:
        handles = [peer.spawn(body) for _ in range(100)]
        for handle in handles:
            peer.join(handle)
    return perf_counter() - then


def several(rounds: int, measure: Callable[[], float]) -> list[float]:
    return [measure() for _ in range(rounds)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", default="threading")
    parser.add_argument("--scale", type=float, default=0.02)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--processes", default="")
    add_option(parser)
    asked = parser.parse_args()
    peer = peers.load(asked.peer)
    peer.setup()
    found: dict[str, Any] = {"threads": several(asked.rounds, lambda: threads100(peer)), "processes": {}}
    print(f"{peer.name:<14s} 100 threads, start and join: {min(found['threads']) * 1e3:.2f} ms")
    for kind in filter(None, asked.processes.split(",")):
        import multiprocessing  # noqa: PLC0415 - it leads to threading

        context = multiprocessing.get_context(kind)
        rounds = 3 if kind == "fork" else 1
        taken = several(rounds, lambda context=context: processes100(context))  # type: ignore[misc]
        found["processes"][kind] = taken
        print(f"  100 processes ({kind}): {min(taken) * 1e3:.0f} ms")
    one = 0.5 * asked.scale
    found["section"] = one
    found["locked"] = several(3, lambda: sections(peer, one, locked=True))
    found["free"] = several(3, lambda: sections(peer, one))
    found["row"] = [sections(peer, 3.5 * asked.scale, serial=True)]
    locked, free, row = (min(found[name]) for name in ("locked", "free", "row"))
    keep(asked.json, found)
    print(f"  locked sections of {one * 1e3:.0f} ms: {locked:.3f} s, {locked / (100 * one):.4f} of the ideal")
    print(f"  unlocked: {free:.4f} s, ideal {one:.3f}")
    print(
        f"  one after another, {3.5 * asked.scale * 1e3:.0f} ms: {row:.3f} s, ideal {350 * asked.scale:.3f}"
    )


if __name__ == "__main__":
    main()
