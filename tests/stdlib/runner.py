"""Runs the cases of one module of bodies on whatever runs this, and prints what became of each.

`python -m tests.stdlib.runner NAME [CASE ...]`: a line `begin CASE` before each case, and one of JSON after
it. A case is a function of no arguments whose name begins with `case_`; a case that leaves a thread behind
fails.
"""

import importlib
import json
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import ModuleType

from tests.stdlib.seen import ON_USER, ON_WEFT, others

TO_END = 5.0  # seconds for the threads of a case to end


def cases_of(module: ModuleType) -> dict[str, Callable[[], None]]:
    """The cases of a module in the order in which they stand there."""
    return {name: value for name, value in vars(module).items() if name.startswith("case_")}


def is_for_weft(case: Callable[[], None]) -> bool:
    """Whether the case holds what weft promises beyond CPython."""
    return getattr(case, "for_weft", False)


def is_for_user(case: Callable[[], None]) -> bool:
    """Whether the case holds what the user model alone promises."""
    return getattr(case, "for_user", False)


def run_case(case: Callable[[], None]) -> str:
    """Nothing if the case holds, else why it does not."""
    try:
        case()
    except BaseException:
        return traceback.format_exc()
    deadline, pause = time.monotonic() + TO_END, 0.001
    while left := [*others(), *threading.enumerate()[1:]]:
        if time.monotonic() > deadline:
            return f"left behind: {left}"
        time.sleep(pause)
        pause = min(1.5 * pause, 0.1)
    return ""


def main(name: str, *chosen: str) -> None:
    module = importlib.import_module(f"tests.stdlib.bodies.{name}")
    for case_name, case in cases_of(module).items():
        if (is_for_weft(case) and not ON_WEFT) or (is_for_user(case) and not ON_USER):
            continue
        if chosen and case_name not in chosen:
            continue
        print("begin", case_name, flush=True)
        begun = time.perf_counter()
        why = run_case(case)
        seconds = time.perf_counter() - begun
        print(json.dumps({"case": case_name, "why": why, "seconds": round(seconds, 3)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
