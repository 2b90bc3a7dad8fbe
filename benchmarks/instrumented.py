#!/usr/bin/env python3
"""What rewriting costs library code on one thread: with nobody listening, and with one who does nothing.

    python -P benchmarks/instrumented.py [--rounds 9] [name ...]     about half a minute

A library is loaded twice, as it is and rewritten, and the two take turns in one process: each ratio is of
neighbours, and the median of all rounds is shown.
"""

import argparse
import configparser
import importlib.util
import statistics
import string
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent))
from keep import add_option, keep

from weft.instrument import points
from weft.instrument.rewriting import compile_module


def load(name: str, rewritten: bool) -> types.ModuleType:
    """A copy of a module of its own."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    module = importlib.util.module_from_spec(spec)
    source = Path(spec.origin).read_bytes()
    code = compile_module(source, spec.origin) if rewritten else compile(source, spec.origin, "exec")
    kept = sys.modules.get(name)
    sys.modules[name] = module
    try:
        exec(code, vars(module))
    finally:
        if kept is not None:
            sys.modules[name] = kept
    return module


TEXT = Path(string.__file__).read_text() + Path(configparser.__file__).read_text()[:20_000]
LINES = TEXT.splitlines()
DATA = {f"key{i}": [i, str(i), {"x": i / 3, "y": None, "z": [True, False]}] for i in range(150)}


def difflib(module: types.ModuleType) -> None:
    module.SequenceMatcher(None, LINES[:150], LINES[75:225], autojunk=False).ratio()
    list(module.unified_diff(LINES[:200], LINES[50:250]))


def textwrap(module: types.ModuleType) -> None:
    module.fill(TEXT[:20_000], 60)


def json_encoder(module: types.ModuleType) -> None:
    module.c_make_encoder = None
    module.JSONEncoder(indent=1, sort_keys=True).encode(DATA)


def configparser_(module: types.ModuleType) -> None:
    text = "".join(
        f"[s{i}]\n" + "".join(f"k{j} = %(k0)s v{j}\n" if j else "k0 = v\n" for j in range(8))
        for i in range(20)
    )
    parser = module.ConfigParser()
    parser.read_string(text)
    for section in parser.sections():
        dict(parser.items(section))


def shlex(module: types.ModuleType) -> None:
    list(module.shlex(TEXT[:4_000].replace("'", "").replace('"', ""), posix=True))


def decimal(module: types.ModuleType) -> None:
    total = module.Decimal(1)
    for i in range(1, 120):
        total = total * i / (i + 1) + module.Decimal(i).sqrt()


def heapq(module: types.ModuleType) -> None:
    heap: list[int] = []
    for i in range(1500):
        module.heappush(heap, i * 7919 % 1009)
    while heap:
        module.heappop(heap)


def fractions(module: types.ModuleType) -> None:
    total = module.Fraction(0)
    for i in range(1, 120):
        total += module.Fraction(1, i)


def ordered_dict(module: types.ModuleType) -> None:
    made = module.OrderedDict()
    for i in range(2000):
        made[i] = i
    for i in range(0, 2000, 2):
        del made[i]
    list(made.items())


def tokenize(module: types.ModuleType) -> None:
    lines = iter([*LINES[:60], ""])
    module.untokenize(list(module.generate_tokens(lambda: next(lines) + "\n")))


WORK: dict[str, tuple[str, Callable[[types.ModuleType], None], tuple[str, ...]]] = {
    "difflib": ("difflib", difflib, ()),
    "textwrap": ("textwrap", textwrap, ()),
    "json.encoder": ("json.encoder", json_encoder, ()),
    "configparser": ("configparser", configparser_, ()),
    "shlex": ("shlex", shlex, ()),
    "_pydecimal": ("_pydecimal", decimal, ()),
    "heapq (in Python)": ("heapq", heapq, ("_heapq",)),
    "fractions": ("fractions", fractions, ()),
}


def timed(work: Callable[[types.ModuleType], None], module: types.ModuleType) -> float:
    begun = time.process_time()
    work(module)
    return time.process_time() - begun


def measure(name: str, rounds: int) -> dict[str, Any]:
    """Milliseconds plain and the two ratios, all rounds, and the accesses that were told."""
    module, work, blocked = WORK[name]
    kept = {name: sys.modules.get(name) for name in blocked}
    for other in blocked:
        sys.modules[other] = None  # type: ignore[assignment] # as import has it
    plain, rewritten = load(module, False), load(module, True)
    sys.modules.update({name: found for name, found in kept.items() if found is not None})
    count = 0

    def counting(access: int, obj: object, key: object, site: int) -> None:
        nonlocal count
        count += 1

    points.set_listener(counting)
    work(rewritten)
    points.set_listener(None)
    times: list[float] = []
    silent: list[float] = []
    told: list[float] = []
    for _ in range(rounds):
        first = timed(work, plain)
        times.append(first)
        silent.append(timed(work, rewritten) / first)
        first = timed(work, plain)
        points.set_listener(lambda access, obj, key, site: None)
        told.append(timed(work, rewritten) / first)
        points.set_listener(None)
    plain_ms = [taken * 1e3 for taken in times]
    return {"plain_ms": plain_ms, "silent": silent, "told": told, "accesses": count}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(WORK))
    parser.add_argument("--rounds", type=int, default=9)
    add_option(parser)
    given = parser.parse_args()
    found: dict[str, Any] = {}
    print(f"{'':20} {'plain':>9} {'nobody':>8} {'nothing done':>13} {'accesses told':>14}")
    ratios = []
    for name in given.names:
        found[name] = one = measure(name, given.rounds)
        plain, count = min(one["plain_ms"]), one["accesses"]
        silent, told = statistics.median(one["silent"]), statistics.median(one["told"])
        ratios.append((silent, told))
        print(f"{name:20} {plain:6.1f} ms {silent:7.2f}x {told:12.2f}x {count:14,}", flush=True)
    keep(given.json, found)
    print(f"{'geometric mean':20} {'':9} {statistics.geometric_mean(r[0] for r in ratios):7.2f}x", end="")
    print(f" {statistics.geometric_mean(r[1] for r in ratios):12.2f}x")


if __name__ == "__main__":
    main()
