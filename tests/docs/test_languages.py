"""README.zh.md is README.md in Chinese: the same programs, outputs, headings, tables and links."""

import re

from tests.docs.pages import FENCE, links
from tests.support.source import ROOT

PAGES = (ROOT / "README.md", ROOT / "README.zh.md")
OWN = {"README.md", "README.zh.md"}  # each links to the other


def texts() -> list[str]:
    return [page.read_text(encoding="utf-8") for page in PAGES]


def test_the_code_blocks_are_the_same() -> None:
    ours, theirs = ([(kind, body) for kind, body in FENCE.findall(text)] for text in texts())
    assert ours
    assert ours == theirs


def test_the_headings_and_paragraphs_are_as_many() -> None:
    shapes = []
    for text in texts():
        prose = FENCE.sub("", text)
        levels = [len(head) for head in re.findall(r"^(#+) ", prose, re.MULTILINE)]
        rows = len(re.findall(r"^\|", prose, re.MULTILINE))
        shapes.append((levels, rows))
    assert shapes[0] == shapes[1]


def test_the_links_lead_to_the_same_places() -> None:
    """But for the tour, which is there in both languages."""
    ours, theirs = (
        {target.replace("docs/tour/zh/", "docs/tour/") for target in links(page)} - OWN for page in PAGES
    )
    assert ours == theirs


def test_what_is_named_in_code_is_named_in_both() -> None:
    named = []
    for text in texts():
        prose = re.sub(r"\s+", " ", FENCE.sub("", text))
        named.append(set(re.findall(r"`([^`]+)`", prose)))
    english_words = {"--html FILE"}  # FILE is a word
    missing = {name for name in named[0] - named[1] if not any(word in name for word in english_words)}
    assert missing == set()
