"""The micro yardstick: what one operation of each kind costs, peer beside peer.

Each peer lives in a process of its own (`worker.py`) that waits on its stdin; this driver asks the peers
for one bench in turn, several rounds, with the order turned each round. What counts is the CPU time
of the process for each operation, at the median of the rounds: on a machine with other work it is the
steady figure. In brackets the least wall time.

    python benchmarks/micro.py --peers raw,gevent,asyncio,threading,weft --rounds 5 [--json out]
    python benchmarks/micro.py --peers gevent,PATH.py:Class --benches yield2,queue1_pp
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from time import monotonic
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import on_threads  # noqa: E402 - found beside this file
from keep import add_option, keep  # noqa: E402

__all__ = ["ALL_PEERS", "measure", "median_of"]

ALL_PEERS = ("raw", "gevent", "gevent-patched", "asyncio", "threading", "weft", "weft-kernel")
TARGET = 0.12  # seconds that one measurement takes, where the size is free
SLEEPER_ROUNDS = 3  # a round of sleepers takes 1.5 s however fast a peer is


def measure(
    specs: list[str],
    benches: list[str],
    rounds: int,
    target: float = TARGET,
    python: str = sys.executable,
    after_each: Any = None,
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Ask every peer for every bench `rounds` times; bench -> peer -> the answers.

    `after_each(bench, answers)` is called as each bench is done.
    """
    workers = {}
    for spec in specs:
        workers[spec] = subprocess.Popen(
            [python, os.path.join(HERE, "worker.py"), spec, str(target)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    data: dict[str, dict[str, list[dict[str, Any]]]] = {}
    try:
        for bench in benches:
            row: dict[str, list[dict[str, Any]]] = {label(spec): [] for spec in specs}
            data[bench] = row
            for number in range(rounds if bench != "sleepers" else min(rounds, SLEEPER_ROUNDS)):
                turn = number % len(specs)
                for spec in specs[turn:] + specs[:turn]:
                    row[label(spec)].append(ask(workers[spec], bench))
            if after_each is not None:
                after_each(bench, row)
    finally:
        for worker in workers.values():
            assert worker.stdin is not None
            try:
                worker.stdin.close()
            except BrokenPipeError:
                pass  # it died; what it was asked for says so
            try:
                worker.wait(20)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
    return data


def ask(worker: "subprocess.Popen[str]", bench: str) -> dict[str, Any]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(bench + "\n")
        worker.stdin.flush()
    except BrokenPipeError:
        return {"error": "the worker died"}
    line = worker.stdout.readline()
    answer: dict[str, Any] = json.loads(line) if line else {"error": "the worker died"}
    return answer


def label(spec: str) -> str:
    return spec.rpartition(":")[2] if ":" in spec else spec


def median_of(answers: list[dict[str, Any]], key: str = "cpu") -> float | None:
    values = [answer[key] for answer in answers if key in answer]
    return statistics.median(values) if values else None


def microseconds(seconds: float) -> str:
    us = seconds * 1e6
    return f"{us:.3f}" if us < 1 else f"{us:.2f}" if us < 10 else f"{us:.1f}" if us < 1000 else f"{us:.0f}"


def show(bench: str, row: dict[str, list[dict[str, Any]]], base: str) -> None:
    """Median CPU time for each operation and its ratio to the base peer's; [least wall time]."""
    cells = []
    against = median_of(row.get(base, []))
    for name, answers in row.items():
        cost = median_of(answers)
        if cost is None:
            cells.append(f"{name} {answers[0].get('error', 'n/a')}")
            continue
        cell = f"{name} {microseconds(cost)}"
        if against:
            cell += f" x{cost / against:.2f}"
        cell += f" [{microseconds(min(a['wall'] for a in answers if 'wall' in a))}]"
        extras = [a["extra"] for a in answers if a.get("extra")]
        if extras:
            best = min(extras, key=lambda extra: extra["p99_ms"])
            cell += " " + " ".join(f"{key}={best[key]:.2f}" for key in best)
        cells.append(cell)
    print(f"{bench:<16s} us/op: " + " | ".join(cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", default=",".join(ALL_PEERS))
    parser.add_argument("--benches", default=",".join(on_threads.BENCHES))
    parser.add_argument("--skip", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--target", type=float, default=TARGET, help="seconds for each measurement")
    parser.add_argument("--base", default="gevent", help="the peer that the ratios are against")
    parser.add_argument("--python", default=sys.executable)
    add_option(parser)
    asked = parser.parse_args()
    began = monotonic()
    benches = [bench for bench in asked.benches.split(",") if bench not in asked.skip.split(",")]
    data = measure(
        asked.peers.split(","),
        benches,
        asked.rounds,
        asked.target,
        asked.python,
        lambda bench, row: show(bench, row, asked.base),
    )
    print(f"total {monotonic() - began:.0f} s")
    keep(asked.json, data)


if __name__ == "__main__":
    main()
