"""`weft tour`: chapters on threads, each with its program, run where it is read."""

import os
import sys
from dataclasses import dataclass
from typing import NoReturn

from weft.cli.output import no_option, refuse, say
from weft.config import preferred_language
from weft.errors import WeftError
from weft.tour.book import Book, Chapter, open_book
from weft.tour.running import check_words, run, run_check, run_words
from weft.tour.terminal import Terminal, open_terminal
from weft.tour.words import LANGUAGES

__all__ = ["tour_command"]

HELP = """\
usage: weft tour [--lang LANG]
       weft tour [options] NUMBER

Learn threads by running them: without a number it lists the chapters; with one it shows the chapter, runs
its program, shows what it printed beside what it should print, and asks a question.

  --model M    the thread model to run it on, of those that the chapter names; plain is Python without weft
  --answer     show the answer to the question, too (on a terminal, Enter does)
  --lang L     en or zh (by LC_ALL, LC_MESSAGES, LANG)
  --program    print the program and nothing else: weft tour 21 --program > dinner.py

Colours and wrapped text on a terminal: pip install 'weft[tour]'.
Exit status: 0 the program printed what it should, 1 it did not, 2 for a bad call, 130 Ctrl-C.
"""


@dataclass
class _Asked:
    model: str | None = None
    language: str = ""
    number: str | None = None
    answer: bool = False
    program: bool = False


def tour_command(args: list[str]) -> None:
    """Show what was asked for; exits with the status."""
    try:
        status = _tour(_parse(args))
        sys.stdout.flush()
    except BrokenPipeError:  # who read has gone, and wants no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = 1
    except WeftError as error:
        print(f"weft tour: {error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        print(file=sys.stderr)
        status = 130
    sys.exit(status)


def _parse(args: list[str]) -> _Asked:
    asked = _Asked(language=preferred_language())
    rest = list(args)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word in ("-h", "--help"):
            say(HELP)
            sys.exit(0)
        if name in ("--model", "--lang"):
            if not equals:
                if not rest:
                    _refuse(f"{name} needs a value")
                value = rest.pop(0)
            if name == "--model":
                asked.model = value
            else:
                asked.language = value
        elif word == "--answer":
            asked.answer = True
        elif word == "--program":
            asked.program = True
        elif word.startswith("-"):
            _refuse(no_option("tour", word))
        elif asked.number is not None:
            _refuse(f"one chapter at a time: {asked.number} or {word}")
        else:
            asked.number = word
    if asked.language not in LANGUAGES:
        _refuse(f"there is no language {asked.language!r}: {' or '.join(LANGUAGES)}")
    if asked.number is None and (asked.model or asked.answer or asked.program):
        _refuse("which chapter? `weft tour` lists them")
    return asked


def _refuse(why: str) -> NoReturn:
    refuse("tour", why)


def _tour(asked: _Asked) -> int:
    book = open_book()
    if asked.number is None:
        _list(open_terminal(), book, asked.language)
        return 0
    chapter = book.find(asked.number)
    model = asked.model or chapter.models[0]
    if model not in chapter.models:
        raise WeftError(
            f"chapter {chapter.number} does not run on {model!r}; it runs on {', '.join(chapter.models)}"
        )
    if asked.program:
        print(chapter.program, end="")
        return 0
    return _show(open_terminal(), book, chapter, model, asked)


def _list(terminal: Terminal, book: Book, language: str) -> None:
    words = LANGUAGES[language]
    terminal.heading(words.title)
    terminal.paragraphs([words.intro])
    for part in book.parts:
        terminal.heading(part.titles[language], level=2)
        for chapter in part.chapters:
            terminal.line(f"{chapter.number:>4}  {chapter.text(language).title}")
    terminal.line("")
    terminal.paragraphs([words.listing])


def _show(terminal: Terminal, book: Book, chapter: Chapter, model: str, asked: _Asked) -> int:
    words, text = LANGUAGES[asked.language], chapter.text(asked.language)
    terminal.heading(f"{chapter.number}. {text.title}")
    terminal.paragraphs(text.body)
    terminal.program(words.program, chapter.program)
    terminal.command(run_words(chapter, model))
    ran = run(chapter, model)
    right = (ran.output, ran.status) == (chapter.output(model), chapter.status)
    terminal.outputs(words, ran, chapter.output(model), chapter.status)
    if chapter.check:
        terminal.command(check_words(chapter))
        found = run_check(chapter)
        right &= (found.output, found.status) == (chapter.checked, chapter.check_status)
        terminal.outputs(words, found, chapter.checked, chapter.check_status)
    others = [other for other in chapter.models if other != model]
    if others:
        terminal.note(words.other_models.format(number=chapter.number, models="|".join(others)))
    terminal.heading(words.question, level=2)
    terminal.paragraphs(text.question)
    if asked.answer or terminal.pressed(words.press):
        terminal.heading(words.answer, level=2)
        terminal.paragraphs(text.answer)
    else:
        terminal.note(words.ask.format(number=chapter.number))
    following = book.after(chapter)
    terminal.note(
        words.last
        if following is None
        else words.next.format(number=following.number, title=following.text(asked.language).title)
    )
    return 0 if right else 1
