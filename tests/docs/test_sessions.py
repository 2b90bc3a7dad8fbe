"""Every program and every console session in the documentation is run as it stands, page by page.

A page is one story in one folder: its programs are written, and its commands run, in the order in which they
stand there. README has tests of its own, and docs/tour has its.

Programs begin with `# name.py`, and some command uses each. What cannot be run says why, in a comment before
it: `<!-- not run: why -->`; those are counted here. An output has `...` for what differs from run to run.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.programs import run_child
from tests.support.source import ROOT

DOCS = ROOT / "docs"
RUN = ("python", "console", "sh", "bash", "yaml")  # what is a program, a session or a file for one
BLOCK = re.compile(r"^(?:<!-- not run: ([^\n]+) -->\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# (\w+\.py)\n")

#: Blocks that say that they are not run, by page: another one is a decision.
NOT_RUN = {
    "docs/index.md": 1,  # installs
    "docs/tutorial.md": 1,  # installs
    "docs/reference.md": 4,  # fragments, and one that test_pages runs
    "docs/debuggers.md": 4,  # tools that are not of this project, a browser, a fragment
    "docs/how-to/servers.md": 1,  # serves until it is stopped
    "docs/how-to/tests-in-ci.md": 1,  # a job of a CI system
    "docs/how-to/from-gevent.md": 1,  # needs gevent
}
#: Pages that are quick enough to be run each time.
QUICK = ("docs/tutorial.md", "docs/how-to/from-gevent.md")

MASKS = (
    (re.compile(r"0x[0-9a-f]+"), "0x.."),
    (re.compile(r"\b(for|in) \d+\.\d+ ?s\b"), r"\1 .. s"),
    (re.compile(r"\bprocess \d+, (\w+) model, Python [\d.]+"), r"process .., \1 model, Python .."),
    (re.compile(r"\bits carrier: \d+: \d+\.\d+ s"), "its carrier: .. s"),
    (re.compile(r"(?:/[^\s\"'()]*/)(\w+\.py)\b"), r"\1"),
)


@dataclass(frozen=True)
class Block:
    """A fenced block: `why` is the reason for not running it, or ""."""

    language: str
    body: str
    why: str

    @property
    def name(self) -> str:
        """Of the file that it is, or ""."""
        found = NAMED.match(self.body)
        return found.group(1) if found and self.language == "python" else ""


def pages() -> Iterator[Path]:
    for page in sorted(DOCS.rglob("*.md")):
        if page.relative_to(DOCS).parts[0] not in ("tour", "api"):
            yield page


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [Block(language, body, why) for why, language, body in BLOCK.findall(text) if language in RUN]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def commands(body: str) -> list[tuple[str, str]]:
    """Lines after `$ `, each with what the page says it prints."""
    parts = re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]
    return [(line, output) for line, _, output in (part.partition("\n") for part in parts)]


def masked(text: str) -> str:
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


def differences(shown: str, printed: str) -> list[str]:
    """What the page shows and nobody printed, and, unless a line of it is `...`, the other way round.

    Lines are compared in any order: the order among threads, and between the two streams, is not promised.
    """
    left = masked(printed).splitlines()
    missing = []
    wanted = masked(shown).splitlines()
    for line in wanted:
        if line == "...":
            continue
        pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
        found = next((other for other in left if pattern.fullmatch(other)), None)
        if found is None:
            missing.append(f"not printed: {line}")
        else:
            left.remove(found)
    return missing if "..." in wanted else [*missing, *(f"not shown: {line}" for line in left)]


def status(output: str) -> int:
    """What a command that prints this ends with."""
    failed = ("Traceback (", "failure: ", "1 failed", "weft: deadlock", "replay: ", "the run fails")
    return 1 if any(word in output for word in failed) else 0


def path_with_weft(folder: Path) -> str:
    """A PATH on which `python` and `weft` are those of the tests, installed as a command or not."""
    folder.mkdir()
    for name, start in (("python", ""), ("weft", " -m weft")):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{start} "$@"\n')
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


SESSIONS = [
    pytest.param(page, id=name_of(page), marks=[] if name_of(page) in QUICK else [pytest.mark.slow])
    for page in pages()
    if any(block.language == "console" and not block.why for block in blocks(page))
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", SESSIONS)
def test_what_a_page_shows_happens(page: Path, tmp_path: Path) -> None:
    env = {"PATH": path_with_weft(tmp_path / "bin"), "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": ""}
    folder = tmp_path / "home"
    folder.mkdir()
    for block in blocks(page):
        if block.name:
            (folder / block.name).write_text(block.body, encoding="utf-8")
        if block.language != "console" or block.why:
            continue
        for line, shown in commands(block.body):
            done = run_child(["sh", "-c", line], cwd=folder, env=env, timeout=120)
            assert differences(shown, done.stdout + done.stderr) == [], (
                f"$ {line}\n{done.stdout}{done.stderr}"
            )
            assert done.returncode == status(shown), f"$ {line}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", list(pages()), ids=name_of)
def test_every_program_of_a_page_is_used(page: Path) -> None:
    found = [block for block in blocks(page) if not block.why]
    used = "\n".join(block.body for block in found)
    for block in found:
        if block.language == "console":
            assert commands(block.body), "a session without a command"
            continue
        assert block.name, f"a block that is neither run nor says why:\n{block.body}"
        module = block.name.removesuffix(".py")
        uses = rf"^\$ .*\b{module}(\.py\b|:)|^(import|from) {module}\b"
        assert re.search(uses, used, re.MULTILINE), f"{block.name} is used by no command"


def test_what_is_not_run_is_counted() -> None:
    found = Counter({name_of(page): sum(bool(block.why) for block in blocks(page)) for page in pages()})
    assert +found == Counter(NOT_RUN)


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("a\nb\n", "b\na\n", []),
        ("a\n", "a\nb\n", ["not shown: b"]),
        ("a\n...\n", "x\na\nb\n", []),
        ("a\n...\n", "b\n", ["not printed: a"]),
        ("1 passed in 0.05s\n", "1 passed in 12.30s\n", []),
        ("1 passed in 0.05s\n", "2 passed in 0.05s\n", ["not printed: 1 passed in .. s"]),
        ("at /home/ada/x.py:3\n", "at /tmp/y/x.py:3\n", []),
        (
            "x (process 5, user model, Python 3.11.7, for 1.0 s)\n",
            "x (process 67, user model, Python 3.13.0, for 2.1 s)\n",
            [],
        ),
        ("works here...\n", "works here; notes: descriptors\n", []),
    ],
)
def test_what_differs_is_found(shown: str, printed: str, expected: list[str]) -> None:
    found = differences(shown, printed)
    assert found[: len(expected)] == expected
    assert bool(found) is bool(expected)
