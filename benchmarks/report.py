"""Runs all the benches once, holds them against the goals, and writes the figures into README.md.

    python benchmarks/report.py [--python PYTHON] [--rounds 11]     measure, then write
    python benchmarks/report.py --write                             write again from results/ alone

Figures go to results/<version>.json; the part of README.md between its two marks is made from all files
there. What stands outside the marks is written by hand.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import goals  # noqa: E402 - found beside this file
import micro  # noqa: E402
import on_threads  # noqa: E402
import scale  # noqa: E402
import start  # noqa: E402

RESULTS = HERE / "results"
README = HERE / "README.md"
MARKS = "<!-- figures: written by report.py -->", "<!-- end of figures -->"
PEERS = ("raw", "gevent", "gevent-patched", "asyncio", "threading", "weft")
HEADS = {"raw": "raw greenlet", "threading": "kernel threads"}
MEMORY = {  # how many blocked threads each peer is asked for
    "raw": (100_000, 1_000_000),
    "gevent": (100_000,),
    "gevent-patched": (100_000,),
    "asyncio": (100_000, 1_000_000),
    "threading": (1_000,),
    "weft": (10_000, 100_000, 1_000_000),
}
Json = dict[str, Any]


# -- measuring -----------------------------------------------------------------------------------------


def measure(python: str, rounds: int, benches: list[str]) -> Json:
    figures: Json = {"machine": machine(), "versions": versions(python), "rounds": rounds}
    print(f"{figures['versions']['python']}, load {os.getloadavg()[0]:.1f}", flush=True)
    figures["load"] = [os.getloadavg()[0]]
    figures["micro"] = micro.measure(
        list(PEERS), benches, rounds, 0.08, python, lambda bench, row: micro.show(bench, row, "gevent")
    )
    figures["start"] = start.starts(python, 2 * rounds)
    said = subprocess.run([python, str(HERE / "preempted.py")], capture_output=True, text=True)
    figures["preempted"] = json.loads(said.stdout) if said.returncode == 0 else {"error": said.stderr[-300:]}
    print(f"start {figures['start']}\npreempted {figures['preempted']}", flush=True)
    figures["memory"] = {}
    for peer, sizes in MEMORY.items():
        for n in sizes:
            figures["memory"][f"{peer} {n}"] = made = scale.blocked(python, peer, n)
            print(f"{n} blocked, {peer}: {made}", flush=True)
    figures["serial"] = scale.one_after_another(python, "weft", 1_000_000)
    print(f"one after another: {figures['serial']}", flush=True)
    figures["load"].append(os.getloadavg()[0])
    return figures


def machine() -> str:
    cpu = platform.processor() or "unknown"
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            found = re.search(r"model name\s*:\s*(.+)", file.read())
        with open("/proc/meminfo", encoding="utf-8") as file:
            memory = int(file.read().split()[1]) / 1e6
    except OSError:
        return f"{platform.system()} {platform.release()}, {cpu}"
    cpu = found[1] if found else cpu
    return f"{os.cpu_count()} cores ({cpu}), {memory:.0f} GB, {platform.system()} {platform.release()}"


def versions(python: str) -> dict[str, str]:
    code = (
        "import json, platform, importlib.metadata as m\n"
        "found = {'python': platform.python_version()}\n"
        "for name in ('greenlet', 'gevent'):\n"
        "    found[name] = m.version(name)\n"
        "print(json.dumps(found))"
    )
    found: dict[str, str] = json.loads(subprocess.check_output([python, "-c", code], text=True))
    return found


# -- what was measured, against the goals --------------------------------------------------------------


def cost(figures: Json, bench: str, peer: str) -> float | None:
    return micro.median_of(figures["micro"].get(bench, {}).get(peer, []))


def ratio(figures: Json, bench: str, against: str) -> float | None:
    ours, theirs = cost(figures, bench, "weft"), cost(figures, bench, against)
    return ours / theirs if ours and theirs else None


def lateness(figures: Json, peer: str, key: str) -> float | None:
    extras = [answer["extra"][key] for answer in figures["micro"]["sleepers"][peer] if answer.get("extra")]
    return statistics.median(extras) if extras else None


def figure(figures: Json, key: str) -> float | None:
    """The figure of weft's that a goal names, in the goal's base unit; None if there is none."""
    memory = figures["memory"]
    starts = figures["start"]
    found: dict[str, Any] = {
        "late_p50": lateness(figures, "weft", "p50_ms"),
        "late_p99": lateness(figures, "weft", "p99_ms"),
        "rss_100000": memory["weft 100000"].get("rss"),
        "total_100000": memory["weft 100000"].get("total_rss"),
        "total_1000000": memory["weft 1000000"].get("total_rss"),
        "serial_grown": figures["serial"].get("rss_grown"),
        "start_added": starts["weft user"] - starts["python"],
        "preempted": figures["preempted"].get("ratio"),
    }
    value: float | None = found[key]
    return value


# -- writing -------------------------------------------------------------------------------------------


def tables(figures: Json) -> Iterator[str]:
    found = figures["versions"]
    load = " to ".join(f"{value:.1f}" for value in figures["load"])
    yield f"### Python {found['python']}\n"
    yield (
        f"greenlet {found['greenlet']}, gevent {found['gevent']}; {figures['machine']}; median of"
        f" {figures['rounds']} rounds; load {load}. CPU µs for each operation.\n"
    )
    yield from micro_table(figures)
    yield ""
    yield from figure_table(figures)
    yield ""
    yield from memory_table(figures)
    yield ""


def micro_table(figures: Json) -> Iterator[str]:
    heads = ["bench", *[HEADS.get(peer, peer) for peer in PEERS], "ratio", "goal", ""]
    yield line(heads)
    yield line(["---"] * len(heads))
    for bench, what in goals.WHAT.items():
        cells = [what]
        for peer in PEERS:
            value = cost(figures, bench, peer)
            cells.append("-" if value is None else micro.microseconds(value))
        wanted = [goal for goal in goals.RATIOS if goal.bench == bench]
        found = [(goal, ratio(figures, bench, goal.against)) for goal in wanted]
        cells.append("; ".join(f"{value:.2f} x {g.against}" if value else "n/a" for g, value in found))
        cells.append("; ".join(f"{goal.limit:g}" for goal in wanted))
        cells.append("; ".join(goals.judge(value, goal.limit) for goal, value in found))
        yield line(cells)


def figure_table(figures: Json) -> Iterator[str]:
    yield line(["", "weft", "goal", ""])
    yield line(["---"] * 4)
    for goal in goals.FIGURES:
        value = figure(figures, goal.key)
        shown = "n/a" if value is None else f"{value / goal.scale:.2f} {goal.unit}"
        said = goals.judge(None if value is None else value / goal.scale, goal.limit)
        yield line([goal.what, shown, f"{goal.limit:g} {goal.unit}", said])


def memory_table(figures: Json) -> Iterator[str]:
    yield line(["blocked threads", "RSS, bytes for each", "mapped", "make, µs", "end, µs", "RSS in all, MB"])
    yield line(["---"] * 6)
    for key, made in figures["memory"].items():
        peer, n = key.split()
        name = f"{HEADS.get(peer, peer)}, {int(n):,}"
        if "error" in made:
            yield line([name, made["error"], "", "", "", ""])
            continue
        sizes = [f"{made[field]:,.0f}" for field in ("rss", "vm")]
        times = [f"{made[field]:.1f}" for field in ("make_us", "end_us")]
        yield line([name, *sizes, *times, f"{made['total_rss'] / 1e6:,.0f}"])


def line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write() -> None:
    """Put the tables of all results into the README, newest Python first."""
    files = sorted(
        RESULTS.glob("*.json"), key=lambda path: [int(n) for n in path.stem.split(".")], reverse=True
    )
    parts = [part for path in files for part in tables(json.loads(path.read_text(encoding="utf-8")))]
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    body = "\n".join([MARKS[0], "", *parts, MARKS[1]])
    README.write_text(before + body + after, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--benches", default=",".join(on_threads.BENCHES))
    parser.add_argument("--write", action="store_true", help="measure nothing")
    asked = parser.parse_args()
    if not asked.write:
        figures = measure(asked.python, asked.rounds, asked.benches.split(","))
        RESULTS.mkdir(exist_ok=True)
        name = ".".join(figures["versions"]["python"].split(".")[:2])
        (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    write()


if __name__ == "__main__":
    main()
