"""How many schedules each strategy needs to find the bug of each program: `run.py [options] [program ...]`.

--seeds N       trials (20); the searches without chance run once
--limit N       schedules after which a trial is given up (10000)
--seconds T     and seconds (60)
--strategies S  with commas between them
--json FILE     where the figures go
--table FILE    no runs: the table of such a file, as Markdown
"""

import argparse
import inspect
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from published import PUBLISHED

HERE = Path(__file__).resolve().parent
STRATEGIES = ("surw", "pct", "pos", "uniform", "walk", "dfs", "delay", "dpor", "portfolio")


def programs() -> dict[str, str]:
    """Each program's name and module, in order."""
    sys.path.insert(0, str(HERE))
    found = {}
    for module in ("cs", "others"):
        for name, thing in vars(__import__(module)).items():
            if inspect.isfunction(thing) and thing.__module__ == module and not name.startswith("_"):
                found[name] = module
    return found


def table(data: dict[str, dict[str, list[int | None]]]) -> str:
    """The figures as Markdown, beside those that are published."""
    shown = [s for s in STRATEGIES if any(s in row for row in data.values())]
    lines = [f"| program | {' | '.join(shown)} |", "| --- " * (len(shown) + 1) + "|"]
    for name, row in data.items():
        cells = []
        for strategy in shown:
            published = PUBLISHED.get(name, {})
            text = _cell(row.get(strategy))
            if strategy in published:
                figure = published[strategy]
                text += " / " + ("-" if figure is None else _few(figure[0], figure[1], 20))
            cells.append(text)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(found: list[int | None] | None) -> str:
    if found is None:
        return ""
    hits = [count for count in found if count is not None]
    return _few(round(statistics.mean(hits)), len(hits), len(found)) if hits else "-"


def _few(mean: int, hits: int, trials: int) -> str:
    return f"{mean:,}" if hits == trials else f"{mean:,} ({hits})"


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("programs", nargs="*")
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--limit", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--strategies", default=",".join(STRATEGIES))
    options.add_argument("--json", default="sct.json")
    options.add_argument("--table")
    given = options.parse_args()
    sys.path.insert(0, str(HERE))
    if given.table:
        print(table(json.loads(Path(given.table).read_text())))
        return
    path = Path(given.json)
    data: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    known = programs()
    for name in given.programs or known:
        command = [sys.executable, str(HERE / "trial.py"), known[name], name, given.strategies]
        command += [str(given.seeds), str(given.limit), str(given.seconds)]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        for line in done.stdout.splitlines():
            _, strategy, found = json.loads(line)
            data.setdefault(name, {})[strategy] = found
            print(f"{name:36} {strategy:10} {_cell(found)}", flush=True)
        path.write_text(json.dumps(data, indent=1))


if __name__ == "__main__":
    main()
