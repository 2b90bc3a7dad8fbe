"""All benchmarks in one run on this machine, and docs/benchmarks.md made from what it leaves.

    ./dev bench                     all of it, half an hour: benchmarks/results.json, then the page
    ./dev bench --quick             few rounds and small sizes, less than five minutes
    ./dev bench --only net,http     some parts
    ./dev bench --from FILE         only the page, from the file of a run

The goals are for 3.13: ./dev --python python3.13 bench. What fails, or has no peer here, is told on the
page, and the rest goes on. A run that is quick or of some parts alone writes to build/benchmarks/, unless
told otherwise, so that the page of the project stays that of a full run. Of a run that is stopped, what was
measured stays in FILE.unfinished, which --from takes, too.
"""

import argparse
import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import frontrun
import kept
import sections
from machine import machine, versions
from parts import NAMES, Command, parts, python_command

BENCHMARKS = Path(__file__).resolve().parent.parent
ROOT = BENCHMARKS.parent
RESULTS = BENCHMARKS / "results.json"
PAGE = ROOT / "docs" / "benchmarks.md"
TRIED = ROOT / "build" / "benchmarks"
TAIL = 400  # characters of what a program said before it failed
Json = dict[str, Any]


def main(argv: list[str]) -> int:
    asked = arguments(argv)
    try:
        if asked.source:
            results = kept.read(asked.source)
        else:
            unfinished = asked.json.with_name(f"{asked.json.name}.unfinished")
            results = measured(asked, unfinished)
            kept.write(asked.json, results)
            unfinished.unlink(missing_ok=True)
            print(f"bench: figures in {shown(asked.json)}")
            results = kept.read(asked.json)
        text, plots = sections.page(results, str(asked.source or asked.json))
    except kept.BadResultsError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    drawn = write(asked.page, text, plots)
    print(f"bench: the page in {shown(asked.page)}" + (f", with {drawn} pictures" if drawn else ""))
    return 0


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="few rounds and small sizes")
    parser.add_argument("--only", metavar="PARTS", help=f"some of {', '.join(NAMES)}; with commas")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="rounds of each part, in place of its own number"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go")
    parser.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="measure nothing: the page alone"
    )
    parser.add_argument(
        "--page", type=Path, metavar="FILE", help="where the page goes; its pictures beside it"
    )
    asked = parser.parse_args(argv)
    asked.only = asked.only.split(",") if asked.only else list(NAMES)
    unknown = [name for name in asked.only if name not in NAMES]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if asked.rounds is not None and asked.rounds < 1:
        parser.error("--rounds: at least one")
    if asked.source and (asked.quick or asked.json or asked.rounds or len(asked.only) < len(NAMES)):
        parser.error("--from measures nothing: it goes with --page alone")
    whole = not asked.quick and len(asked.only) == len(NAMES)
    asked.json = asked.json or (RESULTS if whole else TRIED / "results.json")
    asked.page = asked.page or (PAGE if whole or asked.source else TRIED / "benchmarks.md")
    return asked


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


# -- measuring -----------------------------------------------------------------------------------------


def measured(asked: argparse.Namespace, unfinished: Path) -> Json:
    """Run the parts that are asked for, one after another; what there is so far is kept as each ends."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each program would compile all of weft again
    begun = time.monotonic()
    made: Json = {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "form": "quick" if asked.quick else "full",
        "rounds": asked.rounds,
    }
    results: Json = {
        "format": kept.FORMAT,
        "made": made,
        "machine": machine(),
        "versions": versions(),
        "parts": {},
    }
    options, trouble = frontrun.options() if "rates" in asked.only else ((), None)
    results["versions"]["frontrun"] = frontrun.VERSION if options else None
    for name, commands in parts(asked.quick, asked.rounds, options).items():
        if name in asked.only:
            results["parts"][name] = part(name, commands)
            if name == "rates" and trouble:
                results["parts"][name]["errors"]["frontrun"] = trouble
            made["seconds"] = time.monotonic() - begun
            kept.write(unfinished, results)
    return results


def part(name: str, commands: tuple[Command, ...]) -> Json:
    """The figures of a part's commands, or why there are none."""
    found: Json = {"load": [load()], "figures": {}, "errors": {}}
    begun = time.monotonic()
    for command in commands:
        print(f"\n== {name}: {' '.join(command.arguments)}", flush=True)
        figures, error = figures_of(command)
        if error is None:
            found["figures"][command.key] = figures
        else:
            print(f"bench: {name} failed: {error}", file=sys.stderr, flush=True)
            found["errors"][command.key] = error
    found["load"].append(load())
    found["seconds"] = time.monotonic() - begun
    return found


def load() -> float:
    return os.getloadavg()[0]


def figures_of(command: Command) -> tuple[Any, str | None]:
    """What a program left, or what went wrong; it and all it started are ended when its time is up."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as said:
        file = Path(folder) / "figures.json"
        process = subprocess.Popen(
            python_command(command, str(file)), cwd=BENCHMARKS, stderr=said, start_new_session=True
        )
        try:
            status = process.wait(command.seconds)
        except subprocess.TimeoutExpired:
            return None, f"not done in {command.seconds:g} s"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        text = said.read().strip()
        if status:
            return None, (text[-TAIL:].splitlines() or [f"status {status}"])[-1]
        if text:
            print(text, file=sys.stderr, flush=True)
        try:
            return json.loads(file.read_text(encoding="utf-8")), None
        except (OSError, ValueError) as error:
            return None, f"it left no figures: {error}"


# -- the page ------------------------------------------------------------------------------------------


def write(page: Path, text: str, plots: list[Any]) -> int:
    """Put the page there and its pictures beside it; how many there are."""
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text, encoding="utf-8")
    try:
        from plots import draw  # noqa: PLC0415 - needs matplotlib, which only this wants
    except ImportError as error:
        print(f"bench: no pictures: {error}; matplotlib is in the extra bench", file=sys.stderr)
        return 0
    folder = page.parent / sections.PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for plot in plots:
        (folder / f"{plot.name}.svg").write_text(draw(plot), encoding="utf-8")
    return len(plots)


if __name__ == "__main__":
    # Unwinding ends the program that measures; dying on the spot would leave it at work.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
