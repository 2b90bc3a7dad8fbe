"""Runs the program of a chapter, and says what it printed with all masked that differs from run to run."""

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from weft.config import PLAIN
from weft.errors import WeftError
from weft.tour.book import Chapter

__all__ = ["Ran", "check_words", "run", "run_check", "run_words"]

PROGRAM = "program.py"
LIMIT = 120  # seconds for a program that takes a fraction of one
MASKS = (
    (re.compile(r"0x[0-9a-f]+"), "0x.."),
    (re.compile(r"for \d+\.\d\d s"), "for .. s"),
    (re.compile(r"(executions? in) \d+\.\d\d s"), r"\1 .. s"),
    (re.compile(r"^[ ~^]+\n", re.MULTILINE), ""),  # marks under the lines of a traceback
)


@dataclass(frozen=True)
class Ran:
    """What a program printed, standard error with it, and how it ended."""

    output: str
    status: int


def run_words(chapter: Chapter, model: str) -> list[str]:
    """The command line, as a person would type it."""
    if model == PLAIN:
        return ["python", PROGRAM]
    return ["weft", "run", "--model", model, *chapter.run.get(model, ()), PROGRAM]


def check_words(chapter: Chapter) -> list[str]:
    """The command line of its check, as a person would type it."""
    return ["weft", "check", *chapter.check]


def run(chapter: Chapter, model: str) -> Ran:
    """Run the program on a model.

    Raises:
        WeftError: it has not ended after two minutes.
    """
    return _ran(chapter, run_words(chapter, model))


def run_check(chapter: Chapter) -> Ran:
    """Run its check.

    Raises:
        WeftError: it has not ended after two minutes.
    """
    return _ran(chapter, check_words(chapter))


def _ran(chapter: Chapter, words: list[str]) -> Ran:
    command = [sys.executable, "-u", *(["-m", "weft"] if words[0] == "weft" else []), *words[1:]]
    with tempfile.TemporaryDirectory(prefix="weft-tour-") as name:
        folder = str(Path(name).resolve())
        shutil.copy(chapter.folder / PROGRAM, folder)
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="backslashreplace",
                timeout=LIMIT,
            )
        except subprocess.TimeoutExpired:
            raise WeftError(
                f"the program of chapter {chapter.number} has not ended after {LIMIT} s"
            ) from None
    return Ran(_masked(done.stdout, folder), done.returncode)


def _masked(text: str, folder: str) -> str:
    text = text.replace(f"{folder}/", "")
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text
