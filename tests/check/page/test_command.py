"""`weft check --html` and `weft replay --html`, as a person types them."""

import json
from pathlib import Path

import pytest

from tests.check.programs import weft, write
from tests.support.html import Reader

LOST = """
    import threading
    n = 0

    def work():
        global n
        text = "</script><b>"
        n += len(text) and 1

    threads = [threading.Thread(target=work, name=name) for name in ("Ada", "Ben")]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
"""


def words_of(path: Path) -> str:
    return " ".join(" ".join(Reader(path.read_text(encoding="utf-8")).words).split())


def test_a_check_and_a_replay_write_a_page(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="the extra html is not installed")
    write(tmp_path, LOST)
    done = weft("check", "--html", "out.html", "program.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.endswith("\npage: out.html\n")
    words = words_of(tmp_path / "out.html")
    for what in (
        "lost update of n",
        "What matters",
        'text = "</script><b>"',
        "overwrites it",
        "Ada",
        "reads 0",
    ):
        assert what in words
    schedule = done.stdout.split("weft replay ")[1].split()[0]
    assert f"weft replay {schedule}" in words
    again = weft("replay", "--html=again.html", schedule, cwd=tmp_path)
    assert (again.returncode, again.stderr) == (1, "")
    assert again.stdout.endswith("\npage: again.html\n")
    words = words_of(tmp_path / "again.html")
    for what in ("lost update of n", f"weft replay --html=again.html {schedule}", "overwrites it"):
        assert what in words
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".weft",
        "again.html",
        "out.html",
        "program.py",
    ]
    write(tmp_path, LOST.replace("global n", "global n; n = 0"))
    changed = weft("replay", "--html", "changed.html", schedule, cwd=tmp_path)
    assert changed.returncode == 2
    assert "diverged here" in changed.stdout
    assert not (tmp_path / "changed.html").exists()


def test_a_page_of_a_program_that_is_right_with_json_beside_it(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="the extra html is not installed")
    write(tmp_path, "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()\n")
    done = weft("check", "--json", "--html", "out.html", "program.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert said["complete"]
    words = words_of(tmp_path / "out.html")
    assert "no failure found" in words
    assert "yes: there is no schedule that does anything else" in words


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            ["--html", "no/out.html", "program.py"],
            "cannot write the page to 'no/out.html': No such file or directory",
        ),
        (["--html", ".", "program.py"], "cannot write the page to '.': it is a folder"),
        (["--html=", "program.py"], "--html needs a file"),
        (["--html"], "--html needs a value"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path: Path, words: list[str], why: str) -> None:
    write(tmp_path, "raise SystemExit('it was run')")
    done = weft("check", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["program.py"]


def test_a_missing_library_is_told_before_the_search(tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "jinja2.py").write_text("raise ImportError('none here')\n")
    write(tmp_path, "raise SystemExit('it was run')")
    for words in (["check", "--html", "out.html", "program.py"], ["replay", "--html", "out.html", "no.json"]):
        done = weft(*words, cwd=tmp_path, path=tmp_path / "without")
        assert done.returncode == 2
        assert "jinja2, which cannot be loaded (none here)" in done.stderr
        assert "python -m pip install 'weft[html]'" in done.stderr
        assert done.stdout == ""
        assert not (tmp_path / "out.html").exists()
