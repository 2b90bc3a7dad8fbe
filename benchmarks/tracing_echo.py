"""What recording costs an echo server: on and off by turns in one process, under one load.

    python benchmarks/tracing_echo.py [--connections 100,1000] [--pairs 110] [--seconds 0.3]

CPU µs a request of the whole process, the recorder's own kernel thread included, in each of two spells of so
many seconds that follow one another; the median of the ratios counts. Servers of two processes, as in
`net.py --variants weft,weft-traced`, differ by more than what is asked for here. The first 0.2 s after each
turn are left out: there recording meets threads that it has not seen.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keep import add_option, keep
from net import compile_load

SETTLE = 0.2  # seconds after a turn


def measure(connections: int, pairs: int, seconds: float) -> list[tuple[float, float]]:
    servers = os.path.join(os.path.dirname(os.path.abspath(__file__)), "net_servers.py")
    command = [sys.executable, servers, "weft-by-turns", str(pairs), str(seconds), str(SETTLE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        whole = 2 * pairs * (seconds + SETTLE) + 10
        load = subprocess.Popen(
            [compile_load(), port, str(connections), str(whole), "64", str(server.pid)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            time.sleep(0.5)
            server.stdin.write("go\n")
            server.stdin.flush()
            found: list[tuple[float, float]] = json.loads(server.stdout.readline())
        finally:
            server.kill()
            load.kill()
            load.wait()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--connections", default="100,1000")
    parser.add_argument("--pairs", type=int, default=110)
    parser.add_argument("--seconds", type=float, default=0.3)
    add_option(parser)
    asked = parser.parse_args()
    print("| connections | off, µs | recorded, µs | ratio, median of pairs | quartiles |")
    print("| --- | --- | --- | --- | --- |")
    figures = {}
    for connections in map(int, asked.connections.split(",")):
        found = measure(connections, asked.pairs, asked.seconds)
        off, on = (statistics.median(pair[side] for pair in found) for side in (0, 1))
        figures[f"an echo, {connections:,} connections"] = {
            "off_us": [pair[0] for pair in found],
            "on_us": [pair[1] for pair in found],
        }
        low, middle, high = statistics.quantiles([b / a for a, b in found], n=4)
        print(
            f"| {connections:,} | {off:.2f} | {on:.2f} | {middle:.2f} | {low:.2f}, {high:.2f} |", flush=True
        )
    keep(asked.json, figures)


if __name__ == "__main__":
    main()
