"""The chapters as data: `weft.chapters` is where they are, with what `chapters.toml` there says of them.

A text is a title (`# ...`), paragraphs, and two sections (`## ...`): a question and its answer.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weft.errors import InternalError, WeftError
from weft.tour.words import LANGUAGES

__all__ = ["Book", "Chapter", "Part", "Text", "joined", "open_book"]

FOLDER = Path(__file__).resolve().parent.parent / "chapters"
MARK = re.compile(
    r"[\u3000-\u303f\uff00-\uff0f\uff1a-\uff1f\u201c\u201d]"
)  # punctuation as wide as a character
WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f\u2018-\u201d]")


@dataclass(frozen=True)
class Text:
    """A chapter in one language; paragraphs are single lines, with the marks of Markdown."""

    title: str
    body: tuple[str, ...]
    question: tuple[str, ...]
    answer: tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    """One chapter.

    Attributes:
        number: the one that a person names.
        folder: where its files are; `slug` is its name.
        models: on which its program runs; the first is the one meant if none is named.
        status: the exit status of its program.
        run: options of `weft run`, by model.
        check: the arguments of its `weft check`, or none.
        check_status: the exit status of that.
    """

    number: int
    folder: Path
    models: tuple[str, ...]
    status: int
    run: dict[str, list[str]]
    check: tuple[str, ...]
    check_status: int

    @property
    def slug(self) -> str:
        return self.folder.name

    @property
    def program(self) -> str:
        return (self.folder / "program.py").read_text(encoding="utf-8")

    def output(self, model: str) -> str:
        """What the program prints on a model."""
        own = self.folder / f"output.{model}.txt"
        return (own if own.exists() else self.folder / "output.txt").read_text(encoding="utf-8")

    @property
    def checked(self) -> str:
        """What `weft check` prints of it."""
        return (self.folder / "check.txt").read_text(encoding="utf-8")

    def text(self, language: str) -> Text:
        """The chapter's text in a language."""
        return parse((self.folder / f"{language}.md").read_text(encoding="utf-8"), self.slug)


@dataclass(frozen=True)
class Part:
    """A part of the book: its title by language, and its chapters."""

    titles: dict[str, str]
    chapters: tuple[Chapter, ...]


@dataclass(frozen=True)
class Book:
    """All parts in the order in which to read them."""

    parts: tuple[Part, ...]

    @property
    def chapters(self) -> list[Chapter]:
        return [chapter for part in self.parts for chapter in part.chapters]

    def find(self, word: str) -> Chapter:
        """The chapter of a number as it was typed.

        Raises:
            WeftError: there is none.
        """
        for chapter in self.chapters:
            if word.isdecimal() and int(word) == chapter.number:
                return chapter
        numbers = [chapter.number for chapter in self.chapters]
        raise WeftError(
            f"there is no chapter {word!r}: they have the numbers {min(numbers)} to {max(numbers)};"
            " `weft tour` lists them"
        )

    def after(self, chapter: Chapter) -> Chapter | None:
        """The one that follows, or None."""
        chapters = self.chapters
        place = chapters.index(chapter) + 1
        return chapters[place] if place < len(chapters) else None


def open_book() -> Book:
    """Read what `chapters.toml` says; texts are read when they are asked for."""
    said = tomllib.loads((FOLDER / "chapters.toml").read_text(encoding="utf-8"))
    chapters = {int(number): _chapter(int(number), about) for number, about in said["chapter"].items()}
    return Book(
        tuple(
            Part(
                {language: part[language] for language in LANGUAGES},
                tuple(chapters[number] for number in part["chapters"]),
            )
            for part in said["part"]
        )
    )


def _chapter(number: int, about: dict[str, Any]) -> Chapter:
    (own,) = FOLDER.glob(f"{number:02}_*")
    return Chapter(
        number,
        own,
        tuple(about["models"]),
        about.get("status", 0),
        about.get("run", {}),
        tuple(about.get("check", ())),
        about.get("check-status", 0),
    )


def parse(text: str, name: str) -> Text:
    """A text of its file.

    Raises:
        InternalError: it is not made as it should be.
    """
    blocks = [joined(block.splitlines()) for block in text.strip().split("\n\n")]
    heads = [place for place, block in enumerate(blocks) if block.startswith("## ")]
    if not blocks[0].startswith("# ") or len(heads) != 2:
        raise InternalError(f"the text of {name} needs a title, a question and an answer")
    asked, answered = heads
    return Text(
        blocks[0][2:],
        tuple(blocks[1:asked]),
        tuple(blocks[asked + 1 : answered]),
        tuple(blocks[answered + 1 :]),
    )


def joined(lines: list[str]) -> str:
    """The lines of a paragraph as one; between Chinese characters there is no space."""
    text = ""
    for line in map(str.strip, lines):
        around = text[-1:], line[:1]
        without = not text or all(map(WIDE.match, around)) or any(map(MARK.match, around))
        text += line if without else f" {line}"
    return text
