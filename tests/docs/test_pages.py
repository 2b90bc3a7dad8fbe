"""The pages agree with the code: tables, names, links."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.architecture.test_imports import LOOP, MAY_IMPORT, SIBLINGS
from tests.docs.pages import PAGES, anchors, links, names, rows
from tests.support.source import PACKAGE, ROOT
from weft.core.thread import TRANSITIONS

ARCHITECTURE = ROOT / "ARCHITECTURE.md"


def test_the_import_table_is_the_one_that_is_held() -> None:
    table = {
        names(part)[0]: frozenset(names(allowed))
        for part, allowed in rows(ARCHITECTURE, "Who may import whom")
    }
    assert table == MAY_IMPORT


def test_the_siblings_among_models_are_told() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    assert f"all\nmay import `{LOOP}`" in text
    for model, others in SIBLINGS.items():
        if (PACKAGE / "models" / f"{model}.py").exists():
            told = " and ".join(f"`{name}`" for name in sorted(others))
            assert re.search(rf"`{model}` may import\s+{told}", text), model


def test_every_folder_has_its_question() -> None:
    listed = {name.rstrip("/") for first, *_ in rows(ARCHITECTURE, "The folders") for name in names(first)}
    there = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    there |= {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py", "__main__.py"}
    assert listed == there


def test_the_states_are_those_of_the_code() -> None:
    table = {names(state)[0]: names(steps) for state, steps, *_ in rows(ARCHITECTURE, "States")}
    assert {state: sorted(steps) for state, steps in table.items()} == {
        state.name: sorted(step.name for step in steps) for state, steps in TRANSITIONS.items()
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_files_exist(page: Path) -> None:
    """A path in backquotes is one of the project: from its root, or from src/weft."""
    text = page.read_text(encoding="utf-8")
    folders = "|".join(path.name for root in (PACKAGE, ROOT) for path in root.glob("[a-z]*/"))
    own = rf"(?:{folders})/[\w./-]+"
    for name in re.findall(rf"`({own})`", text):
        assert (ROOT / name).exists() or (PACKAGE / name).exists(), name


def test_what_the_folders_have_is_there() -> None:
    """Names in the row of a folder are modules of it, or what programs know: weft's own, or CPython's."""
    for first, _, text in rows(ARCHITECTURE, "The folders"):
        (folder, *_) = (PACKAGE / name for name in names(first))
        if folder.is_dir():
            there = {name for path in folder.rglob("*") for name in (path.stem, path.name)}
            there |= sys.stdlib_module_names
            assert [
                name
                for name in names(text)
                if name.rstrip("/") not in there and not name.startswith("weft") and not hasattr(os, name)
            ] == [], folder
