"""The site is complete: each public name has its docstring there, each page its place."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import weft.futures
import weft.stdlib
from tests.architecture.test_exports import PUBLIC
from tests.support.programs import run_child
from tests.support.source import ROOT
from weft.check import Check
from weft.cli.commands import COMMANDS

DOCS = ROOT / "docs"
API = DOCS / "api"
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in sorted(API.glob("*.md"))}


def told(text: str) -> set[str]:
    """Names of which a page has the docstring, or which it explains under a heading or in a list."""
    found = set()
    for path, options in re.findall(r"^::: (\S+)\n((?:    .*\n)*)", text, re.MULTILINE):
        heading = re.search(r"heading: (\S+)", options)
        found.add(heading.group(1) if heading else path)
    return found | set(re.findall(r"`(weft\.\w+\.\w+)`", text))


def test_every_name_of_weft_is_there() -> None:
    modules = {"check"}  # has a page of its own
    assert told(PAGES["weft"]) == {f"weft.{name}" for name in PUBLIC - modules}


def test_every_name_of_the_check_is_there() -> None:
    names = {name for name in vars(Check) if not name.startswith("_")}
    names |= set(
        re.findall(r'"(\w+)"', (ROOT / "src/weft/check/__init__.py").read_text().rpartition("if name in")[2])
    )
    names -= {"weft"}
    found = told(PAGES["check"])
    assert {f"weft.check.{name}" for name in names if name[0] != "_" and "." not in name} <= found
    assert "weft.check" in found


@pytest.mark.parametrize("module", [weft.futures, weft.stdlib], ids=lambda module: module.__name__)
def test_every_name_of_a_module_is_there(module: Any) -> None:
    made = {*getattr(module, "_WHERE", ()), *getattr(module, "_THEIRS", ()), *getattr(module, "_OFFERED", ())}
    name = module.__name__.rpartition(".")[2]
    assert told(PAGES[name]) == {f"{module.__name__}.{each}" for each in {*module.__all__, *made}}


# -- how pages are put together -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site() -> ModuleType:
    """scripts/documentation.py, with a stand-in for the one class of mkdocs that it needs."""
    files = ModuleType("mkdocs.structure.files")
    files.File = object  # type: ignore[attr-defined]
    names = {
        "mkdocs": ModuleType("mkdocs"),
        "mkdocs.structure": ModuleType("mkdocs.structure"),
        files.__name__: files,
    }
    there = {name: sys.modules.get(name) for name in names}
    sys.modules.update(names)
    try:
        spec = importlib.util.spec_from_file_location("weft_site", ROOT / "scripts" / "documentation.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        for name, old in there.items():
            if old is None:
                del sys.modules[name]
            else:
                sys.modules[name] = old
    return module


class Files:
    """As mkdocs has them."""

    def __init__(self, *pages: str) -> None:
        self.pages = pages

    def get_file_from_path(self, path: str) -> str | None:
        return path if path in self.pages else None


class Page:
    """A page with a place."""

    def __init__(self, source: str) -> None:
        self.file = self
        self.src_uri = source


def test_links_lead_to_pages_of_the_site(site: ModuleType) -> None:
    files = Files(
        "limits.md", "internals/architecture.md", "internals/parking.md", "examples/r21_deadlock.md"
    )

    def turned(source: str, text: str) -> str:
        return str(site.on_page_markdown(text, Page(source), files))

    assert turned("reference.md", "[a](limits.md#top)") == "[a](limits.md#top)"
    assert turned("reference.md", "[`a`](../examples/r21_deadlock.py)") == "[`a`](examples/r21_deadlock.md)"
    assert turned("internals/parking.md", "[a](../../ARCHITECTURE.md)") == "[a](architecture.md)"
    assert turned("internals/architecture.md", "[a](docs/internals/parking.md)") == "[a](parking.md)"
    assert turned("how-to/servers.md", "[a](../limits.md)") == "[a](../limits.md)"
    assert turned("limits.md", "[the file](../dev)") == "the file"
    assert turned("limits.md", "[gone](nowhere.md)") == "[gone](nowhere.md)"
    assert turned("limits.md", "[a](https://example.org)") == "[a](https://example.org)"
    fence = "```text\n[a](../examples/r21_deadlock.py)\n```"
    assert turned("limits.md", fence) == fence


def test_folders_in_the_navigation_are_filled(site: ModuleType) -> None:
    pages = ["a.md", "tour/02-b.md", "tour/01-a.md", "tour/index.md", "tour/zh/01-a.md", "tour/zh/index.md"]
    nav = ["a.md", {"Tour": "tour"}, {"None": "none"}, {"Part": ["b.md", {"B": "c.md"}]}]
    filled = list(site._filled(nav, pages))
    chinese = {"中文": ["tour/zh/index.md", "tour/zh/01-a.md"]}
    assert filled == [
        "a.md",
        {"Tour": ["tour/index.md", "tour/01-a.md", "tour/02-b.md", chinese]},
        {"Part": ["b.md", {"B": "c.md"}]},
    ]
    assert list(site._leaves(filled))[-2:] == ["b.md", "c.md"]


def test_the_commands_are_told_by_their_help(site: ModuleType) -> None:
    text = site._commands()
    assert [name for name in COMMANDS if f"## weft {name}\n" not in text] == []
    assert "weft check --all" in text


def test_pages_that_are_taken_in_are_there(site: ModuleType) -> None:
    assert [source for source in site.TAKEN if not (ROOT / source).is_file()] == []
    named = re.findall(r"^\s+- ((?:[\w-]+/)*[\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    made = set(site.TAKEN.values())
    assert named
    assert [page for page in named if page not in made and not (DOCS / page).is_file()] == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """In its own environment, which the command makes: it takes a network the first time."""
    done = run_child([str(ROOT / "dev"), "docs", "build", "--site-dir", str(tmp_path / "site")], timeout=580)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr
    assert (tmp_path / "site" / "api" / "weft.html").exists()
