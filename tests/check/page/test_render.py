"""The text of a page: whole in itself, and what a program says is text."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from tests.check.page.made import SOURCE, deadlock, facts, lost_update
from tests.support.html import Reader
from weft.check.page.build import build

pytest.importorskip("jinja2", reason="the extra html is not installed")

from weft.check.page.render import render


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "program.py"
    made.write_text(SOURCE)
    return made


def test_a_page_needs_nothing_else(path: Path) -> None:
    for made in (lost_update(path), deadlock(path), facts()):
        text = render(build(made))
        read = Reader(text)
        assert [value for _, value in read.refers if not value.startswith("#")] == []
        assert not set(read.names) & {"link", "iframe", "img", "object", "embed"}
        assert "@import" not in text
        assert re.findall(r"url\((?!#)", text) == []
        assert re.findall(r"https?://", text) == []
        assert len(read.ids) == len(set(read.ids))


def test_only_its_own_script_may_run(path: Path) -> None:
    text = render(build(lost_update(path)))
    script = text[text.index("<script>") + 8 : text.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in text


def test_what_programs_say_is_text(path: Path) -> None:
    odd = "</script><script>alert(1)</script><b>&amp;\"'"
    path.write_text(f"# {odd}\n" * 20)
    made = lost_update(path)
    found = made["findings"][0]
    found["title"] = found["lines"][0] = odd
    small = made["runs"]["minimal"]
    small["details"] = [[thing, f"writes {odd}"] for thing, _ in small["details"]]
    small["threads"] = [[number, f"{odd} {number}"] for number, _ in small["threads"]]
    small["steps"][0][1] = odd
    made |= {"command": odd, "unseen": [odd], "notes": [odd], "schedule": odd}
    text = render(build(made))
    read = Reader(text)
    assert read.names.count("script") == 1
    words = "".join(read.words)
    assert words.count(odd) > 30
    assert "<b>&amp;" not in text


def test_every_row_of_the_figure_is_there(path: Path) -> None:
    page = build(lost_update(path))
    read = Reader(render(page))
    words = " ".join(" ".join(read.words).split())
    assert "Smallest schedule" not in words
    for what in ("What matters", "Whole schedule", "overwrites it", "old = n", "2.5 s", "1,234 executions"):
        assert what in words
