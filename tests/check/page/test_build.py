"""The page's model: what stands in which row, what lasts, where the arrows go, who waits for whom."""

import threading
from pathlib import Path

import pytest

from tests.check.page.made import SOURCE, deadlock, facts, finding, lost_update, place, run
from weft.check.page.build import build
from weft.check.page.figure import MOST_CHOSEN, MOST_ROWS
from weft.check.page.model import Figure


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "program.py"
    made.write_text(SOURCE)
    return made


def said(figure: Figure) -> list[tuple[str, str]]:
    return [(figure.lanes[row.lane].name if row.lane >= 0 else "", row.said) for row in figure.rows]


def test_a_lost_update_is_three_steps_and_two_arrows(path: Path) -> None:
    page = build(lost_update(path))
    key, whole = page.figures
    assert (page.verdict, page.headline, page.title) == ("failure", "race", "a race")
    assert (key.name, whole.name) == ("key", "all")
    assert said(key)[:3] == [("Ada", "reads 0"), ("Ada", "writes 1"), ("Ada", "reads 1")]
    assert [row.kind for row in key.rows] == ["step"] * 6 + ["fold"]
    assert [(row.part, row.said) for row in key.rows if row.part] == [
        (1, "reads 1"),
        (2, "writes 2"),
        (3, "writes 2"),
    ]
    assert [(arrow.kind, arrow.source, arrow.target, arrow.points) for arrow in key.arrows] == [
        ("flow", 2, 5, "left"),
        ("conflict", 4, 5, "left"),
    ]
    assert page.findings[0].parts
    assert page.graph is None
    assert [row.code for row in key.rows[:2]] == ["old = n", "n = old + 1"]
    assert [row.place for row in key.rows[:2]] == ["9", "10"]
    assert [row.step for row in key.rows] == [1, 2, 3, 4, 5, 6, 0]
    assert [row.time for row in key.rows] == ["", "", "", "", "2.5 s", "", ""]
    assert said(whole)[-1] == ("MainThread", "Ada has ended")
    assert "6 of 7 steps" in key.about
    assert "all 7 steps" in whole.about


def test_the_listing_is_around_the_lines_that_are_passed(path: Path) -> None:
    path.write_text("".join(f"line {n}\n" for n in range(1, 101)))
    steps = [(0, "reads n", place(path, 50), 1, ""), (0, "reads n", place(path, 99), 1, "")]
    listing = build(facts(finding("exit"), minimal=run(steps))).listings[0]
    assert [(piece[0][0], piece[-1][0]) for piece in listing.pieces] == [(46, 54), (95, 100)]
    assert listing.pieces[0][0] == (46, "line 46")


def test_a_deadlock_holds_waits_and_goes_round(path: Path) -> None:
    page = build(deadlock(path))
    figure = page.figures[-1]
    assert [row.kind for row in figure.rows] == ["step", "step", "step", "waits", "waits", "waits"]
    held = {bar.text: (bar.lane, bar.top, bar.bottom) for bar in figure.bars if bar.kind == "held"}
    assert held == {"holds lock": (1, 1, 5), "holds other": (2, 2, 5)}
    waits = {bar.text: (bar.lane, bar.top, bar.bottom) for bar in figure.bars if bar.kind == "waits"}
    assert waits == {"waits for the end of Ada": (0, 1, 2)}
    assert {(arrow.source, arrow.target) for arrow in figure.arrows} == {(4, 2), (5, 1)}
    assert said(figure)[0] == ("MainThread", "starts Ben")  # both were started there in this made-up run
    graph = page.graph
    assert graph is not None
    assert {(node.kind, node.name) for node in graph.nodes} == {
        ("thread", "MainThread"),
        ("thread", "Ada"),
        ("thread", "Ben"),
        ("thing", "lock"),
        ("thing", "other"),
    }
    assert sorted((line.kind, line.text) for line in graph.lines) == [
        ("ring", "held by"),
        ("ring", "held by"),
        ("ring", "waits for"),
        ("ring", "waits for"),
        ("side", "waits for its end"),
    ]
    assert graph.words[1] == "Ada waits for other, held by Ben"


def test_nodes_of_a_graph_do_not_lie_on_one_another(path: Path) -> None:
    for count in (1, 2, 3, 7, 20):
        names = {0: "MainThread"} | {n: f"philosopher number {n}" for n in range(1, count + 1)}
        ends = [(0, place(path, 4), "waits for the end of philosopher number 1", 0)]
        ends += [(n, place(path, 9), f"waits for fork{n}, held by x", n) for n in range(1, count + 1)]
        made = run(
            [(n, "acquire Lock", place(path, 9), n % count + 1, "takes a") for n in range(1, count + 1)],
            names=names,
            ends=ends,
            holds=[[n % count + 1, n, n - 1, -1] for n in range(1, count + 1)],
            waits=[[0, 0, -1, "join", 0, 1, None]]
            + [[n, count, -1, "acquire", n, (n - 2) % count + 1, None] for n in range(1, count + 1)],
        )
        graph = build(facts(finding("deadlock"), minimal=made)).graph
        assert graph is not None
        assert len(graph.nodes) == 2 * count + 1
        for node in graph.nodes:
            assert node.width / 2 <= node.x <= graph.width - node.width / 2
            assert 17 <= node.y <= graph.height - 17
        for index, one in enumerate(graph.nodes):
            for other in graph.nodes[:index]:
                apart = abs(one.x - other.x) >= (one.width + other.width) / 2 or abs(one.y - other.y) >= 36
                assert apart, (count, one, other)


def test_a_notify_that_nobody_heard_has_a_row_and_an_arrow(path: Path) -> None:
    steps = [
        (0, "acquire RLock", place(path, 3), 1, "takes ready"),
        (1, "acquire RLock", place(path, 7), 1, "takes ready"),
    ]
    made = run(
        steps,
        names={0: "MainThread", 1: "Ada"},
        ends=[(1, place(path, 8), "waits for a notify on ready", 1)],
        holds=[[1, 0, 0, 0], [1, 1, 1, 1]],
        waits=[[1, 2, -1, "wait", 1, -1, None]],
        notes=[[1, 0, place(path, 4), "notifies nobody: nobody waits", 1]],
    )
    found = finding("lost-wakeup", threads=["Ada"], places=[place(path, 8)], lines=["Ada waits"])
    page = build(facts(found, minimal=made))
    figure = page.figures[-1]
    assert [row.kind for row in figure.rows] == ["step", "note", "step", "waits"]
    assert [(arrow.source, arrow.target) for arrow in figure.arrows] == [(1, 3)]
    bars = [(bar.lane, bar.top, bar.bottom) for bar in figure.bars if bar.kind == "held"]
    assert bars == [(0, 0, 1), (1, 2, 2)]  # the notify comes while the lock is still held
    assert page.graph is not None
    assert [line.text for line in page.graph.lines] == ["notify"]


def test_a_failure_has_a_last_row_and_the_write_that_led_to_it(path: Path) -> None:
    steps = [
        (1, "writes n", place(path, 10), 1, "writes 1"),
        (0, "reads n", place(path, 9), 1, "reads 1"),
        (0, "reads m", place(path, 9), 2, "reads 1"),
    ]
    found = finding(
        "assertion", title="AssertionError, in MainThread", threads=["MainThread"], places=[place(path, 9)]
    )
    figure = build(facts(found, minimal=run(steps))).figures[-1]
    assert (figure.rows[-1].kind, figure.rows[-1].said) == ("fails", "AssertionError, in MainThread")
    assert [(arrow.source, arrow.target, arrow.text) for arrow in figure.arrows] == [
        (0, 1, "reads what Ada wrote")
    ]


def test_a_livelock_says_who_goes_round(path: Path) -> None:
    steps = [(n % 2 + 1, "loop while", place(path, 9), 0, "") for n in range(6)]
    made = run(steps, waits=[[0, 0, -1, "join", 0, 1, None], [1, 6, -1, "loop", 0, -1, None]])
    found = finding("livelock", threads=["MainThread", "Ada", "Ben"], places=[place(path, 9)])
    figure = build(facts(found, minimal=made)).figures[-1]
    assert said(figure)[0] == ("Ada", "goes round again")
    assert said(figure)[-2:] == [
        ("Ada", "goes round, and nothing changes"),
        ("Ben", "goes round, and nothing changes"),
    ]


def test_locks_in_two_orders(path: Path) -> None:
    first, second = place(path, 7), place(path, 8)
    steps = [
        (1, "acquire Lock", first, 1, "takes lock"),
        (1, "acquire Lock", second, 2, "takes other"),
        (2, "acquire Lock", second, 2, "takes other"),
        (2, "acquire Lock", first, 1, "takes lock"),
    ]
    found = finding(
        "lock-order",
        "warning",
        threads=["Ada", "Ben"],
        places=[first, second, second, first],
        lines=["Ada takes", "Ben takes"],
    )
    page = build(facts(found, minimal=run(steps)))
    assert page.verdict == "warning"
    assert [row.part for row in page.figures[-1].rows] == [1, 1, 2, 2]
    assert [(arrow.source, arrow.target) for arrow in page.figures[-1].arrows] == [(0, 1), (2, 3)]
    assert page.graph is not None
    assert page.graph.words == [
        "Ada takes other while it holds lock",
        "Ben takes lock while it holds other",
    ]
    assert [line.kind for line in page.graph.lines] == ["ring"] * 4


def test_accesses_that_nothing_orders(path: Path) -> None:
    steps = [
        (1, "writes n", place(path, 10), 1, "writes 1"),
        (2, "reads n", place(path, 9), 1, "reads 1"),
        (1, "writes n", place(path, 10), 2, "writes 1"),
    ]
    found = finding(
        "data-race",
        "note",
        threads=["Ben", "Ada"],
        places=[place(path, 9), place(path, 10)],
        lines=["Ben reads n", "Ada writes n"],
    )
    figure = build(facts(found, minimal=run(steps))).figures[-1]
    assert [(arrow.source, arrow.target, arrow.text) for arrow in figure.arrows] == [
        (0, 1, "nothing orders them")
    ]
    assert [row.part for row in figure.rows] == [2, 1, 0]


def test_long_schedules_are_folded_and_say_what_is_left_out(path: Path) -> None:
    count = 20_000
    steps = [(n % 2 + 1, "reads n", place(path, 9), 1, f"reads {n}") for n in range(count)]
    steps[10_000] = (1, "writes n", place(path, 10), 1, "writes 5")
    steps[10_001] = (2, "reads n", place(path, 4), 1, "reads 5")
    found = finding(
        "data-race",
        "note",
        threads=["Ada", "Ben"],
        places=[place(path, 10), place(path, 4)],
        lines=["Ada writes n", "Ben reads n"],
    )
    holds = [[1, n % 2 + 1, n, n] for n in range(count)]
    key, whole = build(facts(found, minimal=run(steps, holds=holds))).figures
    for figure, most in ((key, MOST_CHOSEN), (whole, MOST_ROWS)):
        shown = sum(row.kind == "step" for row in figure.rows)
        assert most - 5 <= shown <= most
        told = [int(row.said.split()[0].replace(",", "")) for row in figure.rows if row.kind == "fold"]
        assert sum(told) == count - shown
        assert f"{shown:,} of {count:,} steps" in figure.about
        assert [row.part for row in figure.rows if row.part] == [1, 2]
        assert [(a.text, figure.rows[a.source].part) for a in figure.arrows] == [("nothing orders them", 1)]
    assert (whole.rows[0].step, whole.rows[-1].step) == (1, count)


def test_the_schedule_as_it_was_found_stands_beside_the_smallest(path: Path) -> None:
    made = lost_update(path)
    small = made["runs"]["minimal"]
    same = build({**made, "runs": {"minimal": small, "full": {**small}}})
    assert [figure.name for figure in same.figures] == ["key", "all"]
    longer = {
        **small,
        "steps": [
            [
                0,
                "start",
                place(path, 3),
            ],
            *small["steps"],
        ],
    }
    longer["details"] = [[0, ""], *small["details"]]
    page = build({**made, "runs": {"minimal": small, "full": longer}})
    assert [(figure.name, len(figure.rows)) for figure in page.figures] == [
        ("key", 7),
        ("all", 7),
        ("found", 8),
    ]
    assert [row.part for row in page.figures[2].rows if row.part] == [1, 2, 3]


def test_nothing_found_says_what_was_looked_at() -> None:
    page = build(facts())
    assert (page.verdict, page.title, page.figures) == ("clean", "no failure found", [])
    rows = dict(page.facts)
    assert rows["searched"] == "1,234 executions in 1.50 s"
    assert rows["complete"].startswith("no: ")
    assert dict(build(facts(complete=True)).facts)["complete"].startswith("yes: ")
    seen = build(facts(exhausted=True, unseen=["what happens in re"], notes=["2 executions were broken off"]))
    assert dict(seen.facts)["complete"] == "for what was seen"
    assert (seen.unseen, seen.notes) == (["what happens in re"], ["2 executions were broken off"])
    bounded = dict(build(facts(bound=2, within=1500)).facts)
    assert bounded["bound"] == "all 1,500 schedules with at most 2 preemptions were run"
    assert build(facts(replayed=True)).title == "nothing failed in this run"


def test_all_findings_are_listed(path: Path) -> None:
    made = lost_update(path)
    other = finding("stale-read", "warning", lines=["Ada decides by n at /a/b.py:1 in f"])
    page = build({**made, "findings": [*made["findings"], other]})
    assert [(each.level, each.kind, each.parts) for each in page.findings] == [
        ("failure", "race", True),
        ("warning", "stale-read", False),
    ]


def test_what_hides_in_text_is_shown(path: Path) -> None:
    path.write_text("x = 1  # \u202e\x07\n")
    steps = [(1, "writes n", place(path, 1), 1, "writes '\u202e'")]
    page = build(facts(finding("exit", title="exits with '\x1b[31m'"), minimal=run(steps)))
    assert page.title == "exits with '\\x1b[31m'"
    row = page.figures[-1].rows[0]
    assert (row.said, row.code) == ("writes '\\u202e'", "x = 1  # \\u202e\\x07")
    assert page.listings[0].pieces[0][0] == (1, "x = 1  # \\u202e\\x07")


def test_a_run_without_lanes_or_source_is_shown_all_the_same(tmp_path: Path) -> None:
    made = lost_update(tmp_path / "gone.py")
    del made["runs"]["minimal"]["lanes"]
    page = build(made)
    assert said(page.figures[-1])[0] == ("Ada", "reads 0")
    assert page.figures[-1].rows[0].code == ""
    assert page.figures[-1].bars == []


def test_places_in_the_library_begin_there(path: Path) -> None:
    line = f"at {threading.__file__}:982 in run"
    page = build(facts(finding("exception", lines=[line, f"at {path}:3 in <module>"])))
    assert page.findings[0].lines[0] == "at threading.py:982 in run"
    assert page.findings[0].lines[1].endswith("program.py:3 in <module>")
