"""What mkdocs needs to know of this project: pages that stand elsewhere or are made, and links to them.

ARCHITECTURE.md, CONTRIBUTING.md, CHANGELOG.md and examples/ belong to the repository and to the site, so they
are taken in, and links are turned to where a page is on the site. A link to a file that is not on the site
becomes its name. The page of commands goes on with what `weft COMMAND --help` prints.
"""

import importlib
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
#: Files of the repository that are pages: where they are there, and on the site.
TAKEN = {
    "ARCHITECTURE.md": "internals/architecture.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "examples/README.md": "examples/index.md",
    **{
        f"examples/{path.name}": f"examples/{path.stem}.md"
        for path in sorted((ROOT / "examples").glob("*.py"))
    },
}
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s:]+)\)")
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def slug(text: str, separator: str) -> str:
    """The anchor of a heading, as code hosts make it: the pages are read there, too."""
    return re.sub(r"[^\w\- ]", "", text).strip().lower().replace(" ", separator)


def on_config(config: Any) -> Any:
    """Have headings linked to as the pages do."""
    config.mdx_configs["toc"]["slugify"] = slug
    return config


def on_files(files: Any, config: Any) -> Any:
    """Take pages in from elsewhere, and fill the navigation."""
    for source, page in TAKEN.items():
        files.append(File.generated(config, page, content=_text(source)))
    pages = sorted(file.src_uri for file in files.documentation_pages())
    config.nav = list(_filled(config.nav, pages))
    rest = sorted(set(pages) - set(_leaves(config.nav)))
    if rest:
        config.nav.append({"More": rest})
    return files


def on_page_markdown(markdown: str, page: Any, files: Any, **_: Any) -> str:
    """Have links lead to pages of the site."""
    there = page.file.src_uri
    if there == "api/commands.md":
        return markdown + _commands()
    origin = {target: source for source, target in TAKEN.items()}.get(there, f"docs/{there}")
    parts = FENCE.split(markdown)
    for index in range(0, len(parts), 2):  # code stands between
        parts[index] = LINK.sub(lambda match: _link(match, origin, there, files), parts[index])
    return "".join(parts)


def _link(match: re.Match[str], origin: str, there: str, files: Any) -> str:
    text, target = match.groups()
    path, hash_, anchor = target.partition("#")
    if not path:
        return match.group(0)
    full = posixpath.normpath(posixpath.join(posixpath.dirname(origin), path))
    page = TAKEN.get(full) or (full.removeprefix("docs/") if full.startswith("docs/") else "")
    if not page or files.get_file_from_path(page) is None:
        return text if (ROOT / full).exists() else match.group(0)  # mkdocs complains of what is nowhere
    return f"[{text}]({posixpath.relpath(page, posixpath.dirname(there) or '.')}{hash_}{anchor})"


def _text(source: str) -> str:
    text = (ROOT / source).read_text(encoding="utf-8")
    if not source.endswith(".py"):
        return text
    return f"# {Path(source).name}\n\n```python\n{text}```\n"


def _commands() -> str:
    """What each command says of itself."""
    table = importlib.import_module("weft.cli.commands")
    parts = [f"\n```text\n{table.usage()}```\n"]
    for name in table.COMMANDS:
        parts.append(f"## weft {name}\n\n```text\n{importlib.import_module(f'weft.cli.{name}').HELP}```\n")
        if name == "check":
            more = importlib.import_module("weft.cli.check_all").HELP
            parts.append(f"## weft check --all\n\n```text\n{more}```\n")
    return "\n".join(parts)


def _filled(nav: list[Any], pages: list[str]) -> Any:
    """The navigation, with folders turned into the pages in them; one without pages is left out."""
    for entry in nav:
        if not isinstance(entry, dict):
            yield entry
            continue
        ((title, below),) = entry.items()
        if isinstance(below, list):
            yield {title: list(_filled(below, pages))}
        elif below.endswith(".md"):
            yield entry
        elif inside := _folder(below, pages):
            yield {title: inside}


def _folder(name: str, pages: list[str]) -> list[Any]:
    found = [page for page in pages if posixpath.dirname(page) == name]
    found.sort(key=lambda page: (posixpath.basename(page) not in ("index.md", "README.md"), page))
    below = sorted({page[len(name) + 1 :].partition("/")[0] for page in pages if page.startswith(f"{name}/")})
    deeper = [{_title(each): inside} for each in below if (inside := _folder(f"{name}/{each}", pages))]
    return [*found, *deeper]


def _title(folder: str) -> str:
    return {"zh": "中文"}.get(folder, folder.capitalize())


def _leaves(nav: list[Any]) -> Any:
    for entry in nav:
        below = next(iter(entry.values())) if isinstance(entry, dict) else entry
        if isinstance(below, list):
            yield from _leaves(below)
        else:
            yield below
