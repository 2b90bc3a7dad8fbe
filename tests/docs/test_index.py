"""README.md on a package index: pyproject has hatch-fancy-pypi-readme take out what leads nowhere there."""

import re
import tomllib

from tests.docs.pages import FENCE, links
from tests.support.source import ROOT

README = ROOT / "README.md"
HOOK = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["metadata"][
    "hooks"
]["fancy-pypi-readme"]


def shown(text: str) -> str:
    """What the index shows."""
    for each in HOOK["substitutions"]:
        text = re.sub(each["pattern"], each["replacement"], text)
    return text


def test_it_is_the_whole_readme() -> None:
    assert HOOK["fragments"] == [{"path": README.name}]
    text = README.read_text(encoding="utf-8")
    assert [body for _, body in FENCE.findall(shown(text))] == [body for _, body in FENCE.findall(text)]


def test_no_link_leads_nowhere() -> None:
    text = shown(README.read_text(encoding="utf-8"))
    targets = re.findall(r"\]\(([^)]+)\)", FENCE.sub("", text))
    assert targets
    assert [target for target in targets if not target.startswith("https://")] == []


def test_every_file_is_named() -> None:
    text = shown(README.read_text(encoding="utf-8"))
    files = {target.partition("#")[0] for target in links(README)}
    assert [file for file in files if not file.endswith(".png") and f"`{file}`" not in text] == []


def test_links_become_names() -> None:
    assert shown("see [a.md](a.md), [b](docs/b.md#c) and [d](https://d.org)") == (
        "see `a.md`, b (`docs/b.md`) and [d](https://d.org)"
    )
    assert shown("x\n\n[![](p.png)](t.md)\n\ny") == "x\n\ny"
