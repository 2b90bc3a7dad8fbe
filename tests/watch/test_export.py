"""The files of a recording, whole or not at all, and what is said of it."""

import json
import sys
from pathlib import Path

import pytest

from tests.watch.made import Made, simulated
from tests.watch.test_timeline import two_threads
from weft.errors import WeftError
from weft.watch import export as exports
from weft.watch.export import export, write
from weft.watch.words import alike, duration, object_words, wait_words


def test_it_makes_both_files_and_says_what_is_in_them(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="the extra html is not installed")
    html, trace = tmp_path / "t.html", tmp_path / "t.json"
    summary = export(two_threads().read, str(trace), str(html))
    assert json.loads(trace.read_text())["traceEvents"]
    assert html.read_text().startswith("<!DOCTYPE html>")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["t.html", "t.json"]
    assert summary.lines() == [
        "2 threads, 4.00 s, 4 switches, model user",
        "  Lock box: 1 wait, 1.00 s in all, the longest 1.00 s",
        f"  {html}  (for a browser)",
        f"  {trace}  (for https://ui.perfetto.dev or vizviewer)",
    ]


def test_what_is_cut_or_lost_is_said(tmp_path: Path) -> None:
    made = simulated()
    made.names.about.update(cut=True, lost=1234)
    lines = "\n".join(export(made.read, str(tmp_path / "t.json"), None).lines())
    assert "cut short" in lines
    assert "1,234 records were let go" in lines


def test_a_recording_of_nothing_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(WeftError, match="nothing was recorded"):
        export(Made().read, str(tmp_path / "t.json"), None)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_fails_half_way_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.json"
    path.write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports.Perfetto, "close", full)
    with pytest.raises(WeftError, match=r"cannot write '.*t.json': No space left on device"):
        export(simulated().read, str(path), None)
    assert path.read_text() == "before"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeftError, match="cannot write"):
        export(simulated().read, str(tmp_path / "no" / "t.json"), None)
    with pytest.raises(WeftError, match="cannot be read"):
        write(str(tmp_path / "no.spool"), str(tmp_path / "t.json"), None)


def test_a_device_is_written_to_and_not_replaced() -> None:
    export(simulated().read, "/dev/null", None)
    assert Path("/dev/null").is_char_device()


def test_without_a_template_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    for name in ("weft.watch.page.render", "weft.pages"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(WeftError, match=r"python -m pip install 'weft\[html\]'"):
        exports.load_pages()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.00 µs"),
        (1.5e-7, "0.15 µs"),
        (9.999e-4, "1.00 ms"),
        (0.0123, "12.3 ms"),
        (0.9996, "1.00 s"),
        (12.34, "12.3 s"),
        (123.4, "123 s"),
        (4321.0, "4,321 s"),
    ],
)
def test_times_are_said_in_three_digits(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_words() -> None:
    assert alike("Thread-12 (work)") == alike("Thread-7 (work)") == "Thread-# (work)"
    assert (
        object_words("Lock 3, /usr/lib/python3.11/queue.py:180 in get")
        == "Lock 3, python3.11/queue.py:180 in get"
    )
    assert object_words("Lock box") == "Lock box"
    assert wait_words("LOCK", "Lock box") == "waits for a lock: Lock box"
    assert wait_words("SLEEP", "anything") == "sleeps"
    assert wait_words("DESCRIPTOR", "descriptor 3") == "waits for descriptor 3"
    assert wait_words("NEWER", "") == "waits (newer)"
