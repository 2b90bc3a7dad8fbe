"""Servers under the same load, in turn: the server's CPU time for each request, and latencies. Loopback only.

    python benchmarks/net.py [--connections 100,1000,10000] [--rounds 3] [--seconds 1.5]
    python benchmarks/net.py --http            the same page from http.server; needs `wrk`
    python benchmarks/net.py --active 100 --connections 100,1000,9000     what idle connections cost

The client (load.c) is compiled with the machine's C compiler. For 10,000 connections both processes need
as many descriptors: `ulimit -n 20000`. A variant is a function of net_servers.py.
"""

import argparse
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from keep import add_option, keep  # noqa: E402 - found beside this file

ECHO = "epoll,stacks,wrapped,uvloop-protocol,weft,gevent,gevent-patched,kernel,asyncio-protocol"
HTTP = "http-weft,http-stacks,http-gevent-patched,http-gevent-pywsgi,http-kernel"
SHOWN = (
    ("server_us_per_req", "CPU µs a request", 1.0, "{:.1f}"),
    ("rps", "requests/s", 1.0, "{:,.0f}"),
    ("p50_us", "p50 ms", 1e-3, "{:.2f}"),
    ("p99_us", "p99 ms", 1e-3, "{:.2f}"),
    ("rss_kb", "RSS MB", 1 / 1024, "{:.0f}"),
)


def compile_load() -> str:
    """The client, compiled once into the temporary folder."""
    compiler = next((c for c in ("cc", "gcc", "clang") if shutil.which(c)), None)
    if compiler is None:
        raise SystemExit("net.py: no C compiler (cc, gcc or clang) was found, and the client is in C")
    made = os.path.join(tempfile.gettempdir(), f"weft-load-{os.getuid()}")
    subprocess.run([compiler, "-O2", "-o", made, str(HERE / "load.c")], check=True)
    return made


def start(variant: str, python: str) -> tuple[Any, int]:
    command = [python, str(HERE / "net_servers.py"), variant]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise RuntimeError(f"{variant} did not start")
    time.sleep(0.25)
    return process, int(line)


def cpu_of(pid: int) -> float:
    """Seconds on a processor, with those of threads that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrk(port: int, connections: int, seconds: float, pid: int) -> dict[str, float]:
    """The page under `wrk`, one thread."""
    units = {"us": 1.0, "ms": 1e3, "s": 1e6}
    before = cpu_of(pid)
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{max(1, round(seconds))}s",
        "--latency",
        "--timeout",
        "10",
    ]
    text = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True
    ).stdout
    used = cpu_of(pid) - before

    def latency(percent: str) -> float:
        found = re.search(percent + r"%\s+([\d.]+)(us|ms|s)", text)
        return float(found[1]) * units[found[2]] if found else 0.0

    requests = int(re.search(r"(\d+) requests in", text)[1])  # type: ignore[index]
    rss = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return {
        "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),  # type: ignore[index]
        "p50_us": latency("50"),
        "p99_us": latency("99"),
        "server_us_per_req": used / max(requests, 1) * 1e6,
        "rss_kb": float(rss[1]) if rss else 0.0,
        "errors": float("Socket errors" in text),
    }


def measure(variant: str, connections: int, load: str, options: Any) -> dict[str, Any]:
    process, port = start(variant, options.python)
    try:
        if options.http:
            return wrk(port, connections, options.seconds, process.pid)
        command = [load, str(port), str(connections), str(options.seconds), "64", str(process.pid)]
        if options.active:
            command.append(str(min(options.active, connections)))
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip()[-200:])
        return json.loads(done.stdout)  # type: ignore[no-any-return]
    finally:
        process.kill()
        process.wait()


def table(variants: list[str], found: dict[str, list[dict[str, Any]]]) -> str:
    """Medians of the rounds, one line a variant, and the ratio of CPU time to the first."""
    lines = ["| server | " + " | ".join(label for _, label, _, _ in SHOWN) + " | CPU, ratio |"]
    lines.append("| --- " * (len(SHOWN) + 2) + "|")
    base = None
    for variant in variants:
        rounds = [one for one in found.get(variant, []) if "error" not in one]
        if not rounds:
            lines.append(f"| {variant} | not done |")
            continue
        middle = {key: statistics.median(r[key] for r in rounds) for key, _, _, _ in SHOWN}
        base = base or middle["server_us_per_req"]
        cells = [shape.format(middle[key] * scale) for key, _, scale, shape in SHOWN]
        lines.append(f"| {variant} | {' | '.join(cells)} | {middle['server_us_per_req'] / base:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--variants", help="servers, with commas; ratios are to the first")
    parser.add_argument("--connections", default="100,1000,10000")
    parser.add_argument("--active", type=int, default=0, help="only so many of the connections talk")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--http", action="store_true")
    parser.add_argument("--python", default=sys.executable)
    add_option(parser)
    options = parser.parse_args()
    if options.http and not shutil.which("wrk"):
        raise SystemExit("net.py: --http needs `wrk` (Debian: apt-get install wrk)")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    variants = (options.variants or (HTTP if options.http else ECHO)).split(",")
    load = "" if options.http else compile_load()
    everything: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for connections in map(int, options.connections.split(",")):
        found: dict[str, list[dict[str, Any]]] = {}
        for turn in range(options.rounds):
            first = turn % len(variants)
            for variant in variants[first:] + variants[:first]:
                try:
                    found.setdefault(variant, []).append(measure(variant, connections, load, options))
                except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                    found.setdefault(variant, []).append({"error": str(error)})
                    print(f"{variant}, {connections}: {error}", file=sys.stderr)
        print(f"\n{connections:,} connections\n\n{table(variants, found)}", flush=True)
        everything[str(connections)] = found
    keep(options.json, everything)


if __name__ == "__main__":
    main()
