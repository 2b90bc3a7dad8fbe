"""Makes docs/tour, English and Chinese, from the chapters in src/weft/chapters.

    ./dev python scripts/tour_pages.py             write the pages
    ./dev python scripts/tour_pages.py --check     say which are not as they should be (status 1)
    ./dev python scripts/tour_pages.py --outputs   run the programs and record what they print, then write

The pictures beside the pages are made by scripts/tour_pictures.py.
"""

import argparse
import shlex
import sys
from pathlib import Path

from weft.tour.book import Book, Chapter, open_book
from weft.tour.running import check_words, run, run_check, run_words
from weft.tour.words import LANGUAGES, Words

TOUR = Path(__file__).resolve().parent.parent / "docs" / "tour"
FOLDERS = {"en": TOUR, "zh": TOUR / "zh"}
NAMES = {"en": "English", "zh": "中文"}
PICTURES = TOUR / "pictures"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument(
        "--outputs", nargs="*", type=int, metavar="N", help="run the programs (of these chapters) and record"
    )
    options = parser.parse_args()
    book = open_book()
    for chapter in book.chapters if options.outputs is not None else ():
        if not options.outputs or chapter.number in options.outputs:
            record(chapter)
    made = pages(book)
    there = {path for folder in FOLDERS.values() for path in folder.glob("*.md")}
    stale = [path for path, text in made.items() if path not in there or path.read_text("utf-8") != text]
    stale += sorted(there - made.keys())
    for path in stale:
        print(path.relative_to(TOUR.parent.parent))
        if not options.check and path in made:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path], encoding="utf-8")
        elif not options.check:
            path.unlink()
    if options.check and stale:
        print("are not what the chapters say: ./dev python scripts/tour_pages.py", file=sys.stderr)
    return 1 if options.check and stale else 0


def record(chapter: Chapter) -> None:
    """Write down what the program and its check print: what most models agree on, and what others say."""
    said = {}
    for model in chapter.models:
        ran = run(chapter, model)
        if ran.status != chapter.status:
            raise SystemExit(f"chapter {chapter.number} on {model}: status {ran.status}\n{ran.output}")
        said[model] = ran.output
    for old in chapter.folder.glob("output*.txt"):
        old.unlink()
    usual = said[chapter.models[0]]
    (chapter.folder / "output.txt").write_text(usual, encoding="utf-8")
    for model, output in said.items():
        if output != usual:
            (chapter.folder / f"output.{model}.txt").write_text(output, encoding="utf-8")
    if chapter.check:
        (chapter.folder / "check.txt").write_text(run_check(chapter).output, encoding="utf-8")


def pages(book: Book) -> dict[Path, str]:
    """All pages by their places."""
    made = {}
    for language, folder in FOLDERS.items():
        made[folder / "README.md"] = overview(book, language)
        for chapter in book.chapters:
            made[folder / f"{chapter.slug}.md"] = page(book, chapter, language)
    return made


def overview(book: Book, language: str) -> str:
    words = LANGUAGES[language]
    lines = [f"# {words.title}", "", other_language(language, "README.md"), "", words.intro, "", words.how]
    for part in book.parts:
        lines += ["", f"## {part.titles[language]}", ""]
        for chapter in part.chapters:
            lines.append(f"- [{chapter.number}. {chapter.text(language).title}]({chapter.slug}.md)")
    return "\n".join(lines) + "\n"


def other_language(language: str, name: str) -> str:
    """A link to the same page in the other language."""
    return f"[{NAMES['zh']}](zh/{name})" if language == "en" else f"[{NAMES['en']}](../{name})"


def page(book: Book, chapter: Chapter, language: str) -> str:
    words, text = LANGUAGES[language], chapter.text(language)
    blocks = [f"# {chapter.number}. {text.title}", other_language(language, f"{chapter.slug}.md"), *text.body]
    blocks += [f"## {words.program}", fenced("python", chapter.program), f"## {words.prints}"]
    blocks += outputs(words, chapter)
    if chapter.check:
        shown = f"$ {shlex.join(check_words(chapter))}\n{chapter.checked}"
        blocks += [f"## {words.checked}", fenced("text", shown)]
    blocks += picture(words, chapter, language)
    blocks += [f"## {words.question}", *text.question]
    blocks += [f'<details markdown="1"><summary>{words.answer}</summary>', *text.answer, "</details>"]
    blocks.append(next_link(book, chapter, language))
    return "\n\n".join(blocks) + "\n"


def outputs(words: Words, chapter: Chapter) -> list[str]:
    """What it prints on the first model, and on those that differ."""
    first = chapter.models[0]
    shown = [command_and_output(chapter, first)]
    if chapter.status:
        shown.append(words.status.format(status=chapter.status))
    told = {chapter.output(first)}
    for model in chapter.models[1:]:
        if (output := chapter.output(model)) not in told:
            told.add(output)
            same = [other for other in chapter.models if chapter.output(other) == output]
            names = words.comma.join(f"`{other}`" for other in same)
            shown += [words.prints_on.format(models=names), command_and_output(chapter, model)]
    models = words.comma.join(f"`{model}`" for model in chapter.models)
    return [*shown, words.on_models.format(models=models)]


def command_and_output(chapter: Chapter, model: str) -> str:
    return fenced("text", f"$ {shlex.join(run_words(chapter, model))}\n{chapter.output(model)}")


def picture(words: Words, chapter: Chapter, language: str) -> list[str]:
    """The picture of the chapter, if there is one."""
    file = PICTURES / f"{chapter.number:02}.svg"
    if not file.exists():
        return []
    up = "" if language == "en" else "../"
    return [f"![{words.picture.format(model=drawn_on(chapter))}]({up}pictures/{file.name})"]


def drawn_on(chapter: Chapter) -> str:
    """The model on which the picture of a chapter is recorded: the first one that can be."""
    return next(model for model in chapter.models if model not in ("plain", "process"))


def next_link(book: Book, chapter: Chapter, language: str) -> str:
    words, following = LANGUAGES[language], book.after(chapter)
    if following is None:
        return f"[{words.overview}](README.md)"
    title = following.text(language).title
    said = (
        words.next.format(number=following.number, title=title).replace("weft tour ", "").replace("   ", ". ")
    )
    return f"[{said}]({following.slug}.md) · [{words.overview}](README.md)"


def fenced(kind: str, text: str) -> str:
    return f"```{kind}\n{text.rstrip()}\n```"


if __name__ == "__main__":
    sys.exit(main())
