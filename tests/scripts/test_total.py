"""One closing line for parts of the tests."""

import importlib.util
from types import ModuleType

import pytest

from tests.support.source import ROOT


@pytest.fixture(scope="module")
def total() -> ModuleType:
    spec = importlib.util.spec_from_file_location("weft_total", ROOT / "scripts" / "total.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_counts_are_added(total: ModuleType) -> None:
    first = (
        "....F\nFAILED a.py::b - assert 3 failed in 9s\n"
        "1 failed, 30 passed, 2 skipped, 1 error in 61.20s (0:01:01)\n"
    )
    second = "...\n==== 12 passed, 1 xfailed, 2 errors in 7.00s ====\n"
    wanted = "1 failed, 42 passed, 2 skipped, 3 errors, 1 xfailed in 65.00s"
    assert total.total(65, [first, second]) == (wanted, True)


@pytest.mark.parametrize("log", ["", "....\n", "3 passed in 2.00s\nTerminated\n", "12 things in a line\n"])
def test_a_part_that_was_broken_off_is_told(total: ModuleType, log: str) -> None:
    line, ended = total.total(1, [log, "2 passed in 1.00s\n"])
    assert (line, ended) == ("1 of 2 parts broken off, 2 passed in 1.00s", False)


def test_nothing_at_all_is_no_success(total: ModuleType) -> None:
    assert total.total(0, [""]) == ("1 of 1 parts broken off in 0.00s", False)
