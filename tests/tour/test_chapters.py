"""Each chapter's program prints what the book says, on every model that the chapter names; the two languages
are in step, and the pages in docs/tour are made of the chapters.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import FENCE
from tests.support.source import ROOT
from weft.config import MODELS, PLAIN
from weft.tour.book import FOLDER, Chapter, joined, open_book, parse
from weft.tour.running import run, run_check
from weft.tour.words import LANGUAGES

BOOK = open_book()
CHAPTERS = BOOK.chapters
TOUR = ROOT / "docs" / "tour"
ROUNDS = 3  # of a program whose times a busy machine spoils
named = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.slug)


@pytest.mark.parametrize(
    ("chapter", "model"),
    [
        pytest.param(chapter, model, id=f"{chapter.slug}-{model}")
        for chapter in CHAPTERS
        for model in chapter.models
    ],
)
def test_a_program_prints_what_the_book_says(chapter: Chapter, model: str) -> None:
    expected = chapter.output(model), chapter.status
    for _ in range(ROUNDS):
        ran = run(chapter, model)
        if (ran.output, ran.status) == expected:
            return
    assert (ran.output, ran.status) == expected


@pytest.mark.parametrize(
    "chapter", [chapter for chapter in CHAPTERS if chapter.check], ids=lambda chapter: chapter.slug
)
def test_its_check_says_what_the_book_says(chapter: Chapter) -> None:
    found = run_check(chapter)
    assert found.output == chapter.checked
    assert found.status == chapter.check_status


def test_there_is_a_chapter_for_each_row() -> None:
    assert sorted(chapter.number for chapter in CHAPTERS) == list(range(1, 28))
    assert {chapter.folder for chapter in CHAPTERS} == {path for path in FOLDER.iterdir() if path.is_dir()}


@named
def test_a_program_is_short_and_says_what_it_is(chapter: Chapter) -> None:
    tree = ast.parse(chapter.program)
    assert ast.get_docstring(tree)
    statements = [line for line in chapter.program.splitlines() if line.strip()]
    assert 10 <= len(statements) <= 45
    assert max(map(len, statements)) <= 110


@named
def test_its_models_are_models_and_no_output_is_left_over(chapter: Chapter) -> None:
    assert set(chapter.models) <= {PLAIN, *MODELS}
    own = {path.name.split(".")[1] for path in chapter.folder.glob("output.*.txt")}
    assert own <= set(chapter.models[1:])
    assert (chapter.folder / "check.txt").exists() is bool(chapter.check)


@named
def test_the_languages_are_in_step(chapter: Chapter) -> None:
    texts = [chapter.text(language) for language in LANGUAGES]
    for text in texts:
        assert text.title
        assert text.body
        assert text.question
        assert text.answer
    assert len({(len(text.body), len(text.question), len(text.answer)) for text in texts}) == 1
    quoted = [re.findall(r"`([^`\n]+)`", "\n".join([*text.body, *text.answer])) for text in texts]
    assert {word for word in quoted[0] if word.startswith("weft ")} <= {*quoted[1]} | {
        word for word in quoted[0] if word.endswith("FILE")
    }


@named
def test_each_language_is_written_in_its_letters(chapter: Chapter) -> None:
    assert not re.search(r"[\u2e80-\u9fff\uff00-\uffef]", (chapter.folder / "en.md").read_text("utf-8"))
    chinese = "".join(chapter.text("zh").body)
    assert len(re.findall(r"[\u4e00-\u9fff]", chinese)) > 60
    without_code = re.sub(r"`[^`]*`", "", chinese)
    assert not re.search(r"[\u4e00-\u9fff][,;:?!]", without_code), "punctuation of the other language"


def test_the_pages_are_made_of_the_chapters() -> None:
    done = subprocess.run(
        [sys.executable, "-P", str(ROOT / "scripts" / "tour_pages.py"), "--check"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", sorted(path.name for path in TOUR.glob("*.md")))
def test_the_pages_of_the_languages_have_the_same_blocks_and_headings(name: str) -> None:
    pages = [TOUR / name, TOUR / "zh" / name]
    blocks = [[body for _, body in FENCE.findall(page.read_text("utf-8"))] for page in pages]
    assert blocks[0] == blocks[1]
    plain = [FENCE.sub("", page.read_text("utf-8")) for page in pages]
    levels = [[len(head) for head in re.findall(r"^(#+) ", text, re.MULTILINE)] for text in plain]
    assert levels[0] == levels[1]
    assert [text.count("![") for text in plain] == [text.count("![") for text in plain[::-1]]


def test_a_change_of_a_chapter_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="needs a title, a question and an answer"):
        parse("# Title\n\nText.\n\n## Question\n\nWhy?", "some chapter")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["one", "two"], "one two"),
        (["一个", "线程"], "一个线程"),
        (["用", "`weft`"], "用 `weft`"),
        (["`weft`，", "`x`"], "`weft`，`x`"),
        (["线程，", "ab"], "线程，ab"),
    ],
)
def test_lines_are_joined_as_the_language_does(lines: list[str], said: str) -> None:
    assert joined(lines) == said
