"""The data of a page, and the page as a text."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.html import Reader
from tests.watch.made import Made, simulated
from tests.watch.page.made import page, picture
from tests.watch.test_timeline import two_threads
from weft.watch.page.facts import BLEND, TICKS, facts
from weft.watch.record import End, Start, Stint, Wait

pytest.importorskip("jinja2", reason="the extra html is not installed")


def slices(data: dict[str, Any], lane: int) -> list[tuple[float, float, Any]]:
    """The slices of a thread, unpacked as the page does it."""
    numbers, blends = list(data["lanes"][lane]["s"]), list(data["lanes"][lane]["b"])
    now, found = 0, []
    while numbers:
        gap, length, what = numbers[:3]
        del numbers[:3]
        begin, now = now + gap, now + gap + length
        if what == BLEND:
            kind: Any = ("blend", *blends[:3])
            del blends[:3]
        else:
            kind = data["details"][what]
        found.append((begin / TICKS, now / TICKS, kind))
    return found


def test_slices_can_be_unpacked() -> None:
    data = facts(picture(two_threads()))
    assert data["threads"] == ["MainThread", "Ada"]
    assert [(begin, end, kind[0]) for begin, end, kind in slices(data, 0)] == [
        (0.0, 1.0, "r"),
        (1.5, 2.0, "r"),
        (2.0, 3.0, "w"),
        (3.25, 3.5, "r"),
        (3.75, 4.0, "r"),
    ]
    wait = slices(data, 0)[2][2]
    assert [data["reasons"][wait[1]][0], data["objects"][wait[2]], data["places"][wait[3]]] == [
        "LOCK",
        "Lock box",
        "/app.py:3 in main",
    ]
    assert [data["threads"][wait[4]], data["threads"][wait[5]], data["places"][wait[6]], wait[7]] == [
        "Ada",
        "Ada",
        "/app.py:9 in hold",
        "thread",
    ]
    (carrier,) = data["carriers"]
    assert [data["details"][what][0] for what in carrier["s"][2::3]] == ["t"] * 6
    assert data["preempted"] == [[0, 3.5 * TICKS]]
    assert [row[1:3] for row in data["path"]["segments"]] == [
        [0, TICKS // 2],
        [TICKS // 2, 3 * TICKS],
        [3 * TICKS, 4 * TICKS],
    ]


def test_of_too_many_slices_the_short_ones_are_blends_and_that_is_said(tmp_path: Path) -> None:
    from weft.watch.page.render import render

    made = simulated(5, 2, 300)
    drawn = picture(made, most=200)
    data = facts(drawn)
    found = [each for lane in range(len(data["lanes"])) for each in slices(data, lane)]
    assert len(found) <= 200
    blends = [kind for _, _, kind in found if kind[0] == "blend"]
    assert data["blended"] >= sum(kind[3] for kind in blends) > 1_000
    assert sum(row[5] for row in data["lives"]) == pytest.approx(
        sum(r.end - r.begin for r in made.records if isinstance(r, Stint)) * TICKS, rel=1e-3
    ), "the figures count all"
    assert "are drawn together" in render(drawn)


def test_of_too_many_threads_those_that_matter_have_lanes() -> None:
    made = Made()
    main = made.thread("MainThread")
    lock = made.object("Lock box")
    holder = 0
    for n in range(50):
        thread = made.thread(f"T{n}")
        begin = 1.0 + n
        made.add(Start(begin, thread, main, None), Stint(begin, begin + 0.5, thread, 0))
        if n == 40:
            holder = thread
        if n == 45:
            made.add(Wait(begin + 0.5, 99.0, thread, "LOCK", lock, None, holder, holder, None, "thread"))
        made.add(End(99.5, thread, None))
    made.add(Stint(0, 1, main, 0))
    drawn = picture(made, most_lanes=10)
    assert len(drawn.shown) == 10
    assert {main, holder, 46} <= set(drawn.shown)
    data = facts(drawn)
    assert data["total"] == 51
    assert sum(row[1] for row in data["groups"]) == 51, "groups are about all"


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    text = page(simulated(3, 1, 20), tmp_path / "t.html").read_text()
    read = Reader(text)
    assert read.refers == []
    assert "://" not in text
    assert len(read.ids) == len(set(read.ids))
    assert re.search(r"script-src 'sha256-[\w+/=]+'", text)


def test_what_a_program_says_cannot_leave_its_place(tmp_path: Path) -> None:
    odd = "</script><script>document.title='owned'</script>\u202e<!--"
    made = Made(program=[odd])
    thread = made.thread(odd)
    place = made.place(f"{odd}:1 in f")
    made.add(
        Stint(0, 1, thread, 0),
        Wait(1, 2, thread, "LOCK", made.object(odd), place, thread, thread, place, "thread"),
        End(2, thread, odd),
    )
    text = page(made, tmp_path / "t.html").read_text()
    assert "<script>document" not in text
    assert "\u202e" not in text
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["threads"] == [odd.replace("\u202e", "\\u202e")]
    Reader(text)


def test_without_scripts_the_figures_are_there(tmp_path: Path) -> None:
    text = page(two_threads(), tmp_path / "t.html").read_text()
    words = text.partition("<noscript>")[2].partition("</noscript>")[0]
    assert "Lock box" in words
    assert "1.00 s" in words
