"""The benchmark of very many connections, with few: it checks every answer and every wake itself."""

import re
import sys

from tests.support.programs import run_child
from tests.support.source import ROOT

SCALE = str(ROOT / "benchmarks" / "scale_net.py")


def said(*arguments: str) -> str:
    return run_child([sys.executable, SCALE, *arguments], timeout=60).check().stdout


def test_connections_are_held_and_answered() -> None:
    out = said("held", "--count", "300")
    assert out.startswith("held     300 connections opened and answered")
    each = re.search(r"([\d.]+) KB each", out)
    assert each
    assert float(each[1]) < 100


def test_threads_parked_on_pipes_and_timers_are_all_woken() -> None:
    out = said("parked", "--count", "2000")
    assert out.startswith("parked   2000 threads, 1000 on pipes and 1000 on timers")
    assert "pipes answered" in out
