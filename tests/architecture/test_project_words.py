"""Small rules of the house that a search can hold."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.source import Module, read_tree

# A note to mend something later says which issue it belongs to: `TODO(#12)`.
LOOSE_END = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")

# This kind of line lives in one place only: pattern, the modules that may have it, what the rule is.
PLACES: tuple[tuple[re.Pattern[str], tuple[str, ...], str], ...] = (
    (re.compile(r"\bos\.(environ|getenv)\b"), ("weft.config",), "the environment is read in config"),
    (
        re.compile(r"\bsys\.(version_info|hexversion|platform|_is_gil_enabled)\b"),
        ("weft.host.platform",),
        "branches on version, system and GIL live in host/platform",
    ),
)

# (module, rule) -> why it is an exception.
PLACES_ALLOWED: dict[tuple[str, str], str] = {
    (
        "weft.host.starter",
        "the environment is read in config",
    ): "a script that can import nothing; it hands the environment on as it is",
}


def loose_ends(modules: Mapping[str, Module]) -> list[str]:
    return [
        f"{module.name}:{number} {line.strip()}"
        for module in modules.values()
        for number, line in enumerate(module.text.splitlines(), 1)
        if LOOSE_END.search(line)
    ]


def misplaced(modules: Mapping[str, Module], allowed: Mapping[tuple[str, str], str]) -> list[str]:
    wrong = []
    used = set()
    for module in modules.values():
        for pattern, places, rule in PLACES:
            if module.name in places or not (match := pattern.search(module.text)):
                continue
            if (module.name, rule) in allowed:
                used.add((module.name, rule))
            else:
                line = module.text.count("\n", 0, match.start()) + 1
                wrong.append(f"{module.name}:{line} {match.group()}: {rule}")
    return wrong + [f"no longer needed in PLACES_ALLOWED: {entry}" for entry in allowed.keys() - used]


def test_loose_ends_have_an_issue() -> None:
    assert loose_ends(read_tree()) == []


def test_lines_are_where_they_belong() -> None:
    assert misplaced(read_tree(), PLACES_ALLOWED) == []


def test_every_module_says_what_it_is() -> None:
    assert [module.name for module in read_tree().values() if not module.text.startswith(('"""', "#!"))] == []


def small(folder: Path, text: str) -> dict[str, Module]:
    (folder / "weft" / "core").mkdir(parents=True)
    (folder / "weft" / "core" / "a.py").write_text(text)
    return read_tree(folder / "weft")


@pytest.mark.parametrize(
    ("text", "count"), [("# TODO: later", 1), ("x = 1  # FIXME", 1), ("# TODO(#7): later", 0)]
)
def test_a_loose_end_is_found(tmp_path: Path, text: str, count: int) -> None:
    assert len(loose_ends(small(tmp_path, text))) == count


def test_a_misplaced_line_is_found(tmp_path: Path) -> None:
    found = misplaced(small(tmp_path, "import os\nx = os.environ['WEFT_MODEL']"), {})
    assert found == ["weft.core.a:2 os.environ: the environment is read in config"]
