"""Two CPU-bound threads preempted again and again, against the same two run in a row.

    python benchmarks/preempted.py [--peer weft] [--rounds 9]

Prints JSON: CPU seconds of both ways at the median, their ratio (the median of the rounds' ratios), and how
often threads were preempted.
"""

import argparse
import json
import os
import statistics
import sys
from time import process_time
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keep import add_option, keep

import peers

LOOPS = 2_000_000  # of a few bytecodes each: about 0.1 s, ten slices


def work(loops: int) -> int:
    total = 0
    for i in range(loops):
        total += i & 7
    return total


def in_a_row(peer: Any, loops: int) -> float:
    then = process_time()
    for _ in range(2):
        peer.join(peer.spawn(work, loops))
    return process_time() - then


def at_once(peer: Any, loops: int) -> float:
    then = process_time()
    handles = [peer.spawn(work, loops) for _ in range(2)]
    for handle in handles:
        peer.join(handle)
    return process_time() - then


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", default="weft")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--loops", type=int, default=LOOPS)
    add_option(parser)
    asked = parser.parse_args()
    peer = peers.load(asked.peer)
    peer.setup()
    in_a_row(peer, asked.loops // 10)  # warm
    rounds = []
    for number in range(asked.rounds):
        if number % 2:
            together, row = at_once(peer, asked.loops), in_a_row(peer, asked.loops)
        else:
            row, together = in_a_row(peer, asked.loops), at_once(peer, asked.loops)
        rounds.append((row, together))
    runtime = sys.modules.get("weft.runtime")
    preemption = getattr(runtime.runtime().model, "preemption", None) if runtime else None
    keep(asked.json, {"row": [row for row, _ in rounds], "together": [both for _, both in rounds]})
    print(
        json.dumps(
            {
                "row": statistics.median(row for row, _ in rounds),
                "together": statistics.median(together for _, together in rounds),
                "ratio": statistics.median(together / row for row, together in rounds),
                "preemptions": getattr(preemption, "switches", None),
            }
        )
    )


if __name__ == "__main__":
    main()
