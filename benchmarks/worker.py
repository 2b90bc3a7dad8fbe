"""One peer in a process of its own: reads names of benches on stdin, answers each with a line of JSON.

It imports little before the peer's set-up, and reads and writes plain descriptors, so that weft or gevent
can be the first to see `threading`.
"""

import gc
import os
import sys
from time import perf_counter, process_time
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import on_threads

import peers

MAX_GROWTH = 200  # times its first size that a bench may grow to fill its time


def once(peer: Any, benches: dict[str, Any], name: str, n: int) -> tuple[int, float, float, Any]:
    """Operations, wall time, CPU time of the process, and what else the bench says."""
    gc.collect()
    if peer.style == "async":

        async def go() -> Any:
            cpu, wall = process_time(), perf_counter()
            done = await benches[name](n)
            return done, perf_counter() - wall, process_time() - cpu

        done, wall, cpu = peer.runner.run(go())
    else:
        cpu_then, wall_then = process_time(), perf_counter()
        done = benches[name](peer, n)
        wall, cpu = perf_counter() - wall_then, process_time() - cpu_then
    count, extra = done if isinstance(done, tuple) else (done, None)
    return count, wall, cpu, extra


def benches_of(peer: Any) -> dict[str, Any]:
    if peer.style == "async":
        import on_asyncio  # noqa: PLC0415 - after the peer's set-up

        return on_asyncio.BENCHES
    if peer.style == "raw":
        import on_greenlets  # noqa: PLC0415

        return on_greenlets.BENCHES
    return {
        name: function
        for name, (function, _, _) in on_threads.BENCHES.items()
        if getattr(peer, on_threads.NEEDS[name], None) is not None
    }


def lines() -> Any:
    """Lines of stdin by plain blocking reads, which no peer replaces or minds."""
    held = b""
    while True:
        piece = os.read(0, 1)
        if not piece:
            return
        if piece == b"\n":
            yield held.decode()
            held = b""
        else:
            held += piece


def refuse(why: str) -> None:
    """Answer everything with why the peer cannot be asked."""
    import json  # noqa: PLC0415 - as in main

    for _ in lines():
        os.write(1, (json.dumps({"error": why}) + "\n").encode())


def main(spec: str, target: float) -> None:
    peer = peers.load(spec)
    try:
        peer.setup()
    except ImportError as error:
        refuse(f"{type(error).__name__}: {error}")
        return
    benches = benches_of(peer)
    import json  # noqa: PLC0415

    sizes: dict[str, int] = {}
    for name in lines():
        answer: dict[str, Any]
        try:
            if name not in benches:
                answer = {"na": True}
            else:
                _, first, fixed = on_threads.BENCHES[name]
                if name not in sizes:
                    sizes[name] = first
                    if not fixed:
                        once(peer, benches, name, first // 2)  # warm
                        _, wall, _, _ = once(peer, benches, name, first)
                        fitting = first * target / max(wall, 1e-6)
                        sizes[name] = int(max(first // 4, min(first * MAX_GROWTH, fitting)))
                count, wall, cpu, extra = once(peer, benches, name, sizes[name])
                answer = {"wall": wall / count, "cpu": cpu / count, "ops": count, "extra": extra}
        except Exception as error:
            answer = {"error": repr(error)}
        os.write(1, (json.dumps(answer) + "\n").encode())


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
