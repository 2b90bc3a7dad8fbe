"""The page with plots: whole in itself, and written or refused in time."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.compare.made import comparison, outcome
from tests.support.html import Reader
from weft.compare.outcome import Comparison, Counts, Difference
from weft.compare.page import load_plots, write_page
from weft.errors import WeftError


def page(found: Comparison, folder: Path, sentence: str = "A sentence.") -> str:
    pytest.importorskip("matplotlib", reason="the extra html is not installed")
    path = folder / "page.html"
    write_page(str(path), load_plots(), found, sentence)
    assert [entry.name for entry in folder.iterdir()] == ["page.html"]
    return path.read_text(encoding="utf-8")


def three() -> Comparison:
    return comparison(
        outcome("plain"),
        outcome("kernel", (2.0, 2.1, 2.2), counts=Counts(10, 0, 1.5)),
        outcome("user", (0.5, 0.6, 0.7), counts=Counts(10, 5000, 1.2)),
    )


def test_a_page_needs_nothing_else(tmp_path: Path) -> None:
    text = page(three(), tmp_path)
    read = Reader(text)
    assert [value for _, value in read.refers if not value.startswith("#")] == []
    assert not set(read.names) & {"script", "link", "iframe", "img", "object", "embed"}
    assert "@import" not in text
    assert re.findall(r"url\((?!#)", text) == []
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # names, not addresses
    targets = {value[1:] for _, value in read.refers} | set(re.findall(r"url\(#([^)]+)\)", text))
    assert targets <= set(read.ids)


def test_a_page_has_the_plots_the_table_and_the_sentence(tmp_path: Path) -> None:
    read = Reader(page(three(), tmp_path))
    assert read.names.count("svg") == 1
    words = " ".join(" ".join(read.words).split())
    for what in ("A sentence.", "wall time", "peak memory", "switches by weft", "5,000", "2.10 s", "600 ms"):
        assert what in words
    assert words.count("wall time") == 2  # over the plot, and in the table


def test_what_programs_say_is_text(tmp_path: Path) -> None:
    odd = outcome("user", status=1, error="<script>alert(1)</script> & <b>")
    odd.difference = Difference(1, "<i>", "</table>")
    odd.differing = 1
    found = comparison(outcome("plain"), odd, title="-c 'print(\"<h1>\")'")
    read = Reader(page(found, tmp_path, "1 < 2 & 3."))
    assert "script" not in read.names
    assert "i" not in read.names
    assert "<script>alert(1)</script> & <b>" in "".join(read.words)


def test_a_page_without_a_run_that_ended_still_tells_why(tmp_path: Path) -> None:
    hung = outcome("plain", (), hung=True, status=-9, error="1 thread")
    read = Reader(page(comparison(hung, reference=None), tmp_path))
    assert "svg" not in read.names
    assert "1 thread" in "".join(read.words)


def test_a_missing_library_is_told_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    nothing: ModuleType | None = None
    monkeypatch.setitem(sys.modules, "matplotlib", nothing)
    with pytest.raises(WeftError, match=re.escape("python -m pip install 'weft[html]'")):
        load_plots()
