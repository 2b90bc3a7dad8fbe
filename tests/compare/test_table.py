"""The table: what it says, how wide it is, and what is told below it."""

import re

import pytest

from tests.compare.made import comparison, outcome, run
from weft.compare.outcome import Counts, Difference
from weft.compare.table import render
from weft.compare.words import count, listed, memory, seconds

FIVE = ("plain", "kernel", "user", "hybrid", "process")


def cells(text: str, label: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(label))
    return re.split(r"  +", line[len(label) :].strip())


def test_a_row_for_each_figure() -> None:
    plain = outcome("plain", (1.0, 2.0, 4.0), voluntary=1234, involuntary=5)
    user = outcome("user", (0.1, 0.2, 0.4), counts=Counts(1000, 2_000_000, 3.5), startup=0.05)
    text = render(comparison(plain, user), "A sentence.", 100, colours=False)
    assert cells(text, "wall time") == ["2.00 s", "200 ms"]
    assert cells(text, "  least") == ["1.00 s", "100 ms"]
    assert cells(text, "  most") == ["4.00 s", "400 ms"]
    assert cells(text, "CPU time") == ["1.00 s", "100 ms"]
    assert cells(text, "peak memory") == ["10.0 MB", "10.0 MB"]
    assert cells(text, "an empty program") == ["10 ms", "50 ms"]
    assert cells(text, "threads started") == ["-", "1,000"]
    assert cells(text, "time parked, all threads") == ["-", "3.50 s"]
    assert cells(text, "switches by weft") == ["-", "2,000,000"]
    assert cells(text, "  kernel's, voluntary") == ["1,234", "10"]
    assert cells(text, "  kernel's, involuntary") == ["5", "1"]
    assert cells(text, "ended with") == ["status 0", "status 0"]
    assert cells(text, "output") == ["(the first)", "same"]
    assert text.endswith("\nA sentence.")
    assert "\033" not in text


@pytest.mark.parametrize("width", [80, 94, 100])
def test_no_line_is_wider_than_asked(width: int) -> None:
    found = [outcome(name, counts=Counts(100_000, 10**9, 1e6)) for name in FIVE]
    found[1].difference = Difference(7, "a", "b")
    found[1].differing = 3
    text = render(comparison(*found, title="x" * 300), "words " * 100, width, colours=False)
    assert max(map(len, text.splitlines())) <= width
    assert all(re.search(rf" {name}\b", text) for name in FIVE)


def test_five_models_stand_side_by_side_in_a_hundred_columns() -> None:
    text = render(comparison(*map(outcome, FIVE)), "", 100, colours=False)
    assert next(line.split() for line in text.splitlines() if "kernel" in line) == list(FIVE)


def test_colours_change_nothing_but_the_colours() -> None:
    bad = outcome("kernel", status=1)
    found = comparison(outcome("plain"), bad, outcome("user", (0.1,) * 5))
    plain, painted = (render(found, "Words.", 90, colours) for colours in (False, True))
    assert re.sub("\033\\[[0-9]*m", "", painted) == plain
    assert "\033[32m        100 ms\033[0m" in painted  # the best
    assert "\033[31m      status 1\033[0m" in painted


def test_one_that_fails_shows_its_error_and_the_others_their_figures() -> None:
    bad = outcome("kernel", (1.0,), status=1, error="Traceback\nValueError: no")
    bad.timed.append(run(1.0))
    hung = outcome("user", (), hung=True, status=-9, error="1 thread")
    text = render(comparison(outcome("plain"), bad, hung), "", 100, colours=False)
    assert cells(text, "ended with") == ["status 0", "status 1", "hung"]
    assert cells(text, "wall time")[0] == "1.02 s"
    assert cells(text, "wall time")[2] == "-"
    assert (
        "kernel: it ended with status 1 in 2 of 3 runs; on standard error:\n  Traceback\n  ValueError: no"
        in text
    )
    killed = (
        "user: it was still running after 300 s and was killed, with all it had started; on standard error:"
    )
    assert killed in " ".join(text.split())
    assert "\n  1 thread\n" in text
    missing = outcome("user", (), not_started=True, error="cannot start it: No such file or directory")
    text = render(comparison(outcome("plain"), missing), "", 100, colours=False)
    assert "user: it could not be started:\n  cannot start it: No such file or directory" in text


def test_what_went_wrong_everywhere_is_told_once() -> None:
    found = [outcome(model, (), status=1, error="SyntaxError: no") for model in ("plain", "kernel", "user")]
    text = render(comparison(*found), "", 100, colours=False)
    assert text.count("SyntaxError") == 1
    assert "plain, kernel, user: each ended with status 1; on standard error:" in text


def test_where_outputs_differ_is_shown() -> None:
    other = outcome("user", differing=2)
    other.difference = Difference(12, "1 2 3", "3 2 1")
    text = render(comparison(outcome("plain"), other), "", 100, colours=False)
    assert cells(text, "output") == ["(the first)", "differs"]
    assert (
        "user: 2 of 6 outputs differ from plain's first, to begin with in line 12:\n"
        "  plain: 1 2 3\n  user: 3 2 1\n" in text
    )
    first = outcome("plain", differing=1)
    first.difference = Difference(1, "a", "b")
    text = render(comparison(first, other), "", 100, colours=False)
    assert cells(text, "output") == ["varies", "differs"]
    assert "user: 2 of 6 outputs differ from plain's first, as plain's own do, to begin with" in text


def test_figures_read_well() -> None:
    shown = [seconds(value) for value in (0.0, 12e-6, 0.0123, 0.0999, 0.9996, 12.345, 1234.5, None)]
    assert shown == ["0 us", "12 us", "12.3 ms", "100 ms", "1.00 s", "12.35 s", "1,234 s", "-"]
    assert [memory(value) for value in (9_500_000, 99_990_000, 1_234_000_000, None)] == [
        "9.5 MB",
        "100.0 MB",
        "1,234 MB",
        "-",
    ]
    assert [count(value) for value in (0, 1234.5, None)] == ["0", "1,234", "-"]
    assert [listed(["a", "b", "c"][:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
