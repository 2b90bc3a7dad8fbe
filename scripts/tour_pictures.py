"""Makes docs/tour/pictures: what the threads of each chapter's program did, as recorded while it ran.

    ./dev python scripts/tour_pictures.py [N...]    of these chapters; of all if none is named

Each picture has a lane for a thread. The times are those of this machine, so each making gives others.
"""

import argparse
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import NamedTuple

from tour_pages import PICTURES, drawn_on
from weft.config import with_trace_file
from weft.tour.book import Chapter, open_book
from weft.tour.running import run_words
from weft.watch.reading import read
from weft.watch.record import Names, Start, Stint, Wait

MOST = 12  # lanes
WIDTH, LEFT, RIGHT = 900, 130, 12  # pixels: all of it, what is left to names, and a margin
LANE, BAR, TOP, BOTTOM = 26, 14, 34, 30
LETTER = 5.6  # pixels of a letter of a label
STYLE = """
text { font: 11px ui-sans-serif, system-ui, sans-serif; fill: #222 }
.time, .what { fill: #666; font-size: 10px }
.run { fill: #2a7de1 } .ready { fill: #f0b429 } .wait { fill: #dfe3e8 }
.axis { stroke: #bbb } .wake { stroke: #d64545 }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .time, .what { fill: #aaa } .wait { fill: #3a424d }
  .axis { stroke: #555 } .wake { stroke: #ff8080 }
}
"""


class Span(NamedTuple):
    """A stretch of a thread's life; `kind` is "run", "ready" or "wait", `what` the reason of a wait."""

    begin: float
    end: float
    kind: str
    what: str


class Wake(NamedTuple):
    """A thread woke another one."""

    time: float
    by: int
    thread: int


class Recording(NamedTuple):
    """The lanes by thread, the wakes, and the threads' names."""

    lanes: dict[int, list[Span]]
    wakes: list[Wake]
    names: Names


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chapters", nargs="*", type=int, metavar="N", help="the chapters; all by default")
    chapters = {chapter.number: chapter for chapter in open_book().chapters}
    wanted = parser.parse_args().chapters or list(chapters)
    for number in wanted:
        if number not in chapters:
            parser.error(f"there is no chapter {number}: they have the numbers 1 to {max(chapters)}")
    PICTURES.mkdir(parents=True, exist_ok=True)
    for number in wanted:
        path = PICTURES / f"{number:02}.svg"
        path.write_text(drawn(record(chapters[number])), encoding="utf-8")
        print(path.name)
    return 0


def record(chapter: Chapter) -> Recording:
    """Run the program and read what its threads did."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "program.py").write_text(chapter.program, encoding="utf-8")
        spool = str(Path(folder) / "spool")
        words = run_words(chapter, drawn_on(chapter))
        done = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=folder,
            env=with_trace_file(spool),
            capture_output=True,
            text=True,
        )
        if done.returncode != chapter.status:
            raise SystemExit(f"chapter {chapter.number}: status {done.returncode}\n{done.stderr}")
        return gathered(spool)


def gathered(spool: str) -> Recording:
    names, records = read(spool)
    lanes: dict[int, list[Span]] = {}
    wakes: list[Wake] = []
    for each in records:
        if isinstance(each, Start) and each.by is not None:
            lanes.setdefault(each.thread, []).append(Span(each.time, each.time, "ready", ""))
        elif isinstance(each, (Stint, Wait)):
            spans = lanes.setdefault(each.thread, [])
            if spans and spans[-1].end < each.begin:
                spans.append(Span(spans[-1].end, each.begin, "ready", ""))
            what = each.reason.lower().replace("_", " ") if isinstance(each, Wait) else ""
            spans.append(Span(each.begin, each.end, "wait" if isinstance(each, Wait) else "run", what))
        if isinstance(each, Wait) and each.by is not None:
            wakes.append(Wake(each.end, each.by, each.thread))
    return Recording(lanes, wakes, names)


def drawn(made: Recording) -> str:
    """The picture as SVG."""
    main_thread = next(number for number, thread in made.names.threads.items() if thread.main)
    others = sorted(made.lanes.keys() - {main_thread}, key=lambda number: made.lanes[number][0].begin)
    begun = [made.lanes[number][0].begin for number in others]
    end = max(span.end for spans in made.lanes.values() for span in spans)
    begin = min(begun, default=0.0)
    begin -= 0.03 * (end - begin)
    shown = [main_thread, *others][:MOST]
    scale = (WIDTH - LEFT - RIGHT) / max(end - begin, 1e-6)
    rows = {number: TOP + LANE * row for row, number in enumerate(shown)}
    height = TOP + LANE * len(shown) + BOTTOM + (16 if len(others) + 1 > MOST else 0)

    def x(time: float) -> float:
        return LEFT + (max(time, begin) - begin) * scale

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">',
        f"<style>{STYLE}</style>",
        *legend(),
        *axis(end - begin, scale, TOP + LANE * len(shown) + 4),
    ]
    for number, top in rows.items():
        name = made.names.threads[number].name
        lines.append(
            f'<text x="4" y="{top + 11}">{escape(name if len(name) < 21 else name[:19] + "…")}</text>'
        )
        for span in made.lanes[number]:
            if span.end > begin:
                lines += bar(span, x(span.begin), x(span.end), top)
    for wake in made.wakes:
        if wake.by in rows and wake.thread in rows and wake.time > begin and wake.by != wake.thread:
            at, source, target = x(wake.time), rows[wake.by] + BAR / 2, rows[wake.thread] + BAR / 2
            lines.append(f'<path class="wake" d="M{at:.1f} {source:.0f}V{target:.0f}"/>')
            lines.append(f'<circle class="wake" fill="none" cx="{at:.1f}" cy="{target:.0f}" r="2"/>')
    if len(others) + 1 > MOST:
        more = len(others) + 1 - MOST
        text = f"… {more} more · 另有 {more} 个"
        lines.append(f'<text class="what" x="4" y="{height - 8}">{text}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def bar(span: Span, left: float, right: float, top: int) -> list[str]:
    """A stretch as a bar; what ran is seen however short it was."""
    wide = max(right - left, 1.2 if span.kind == "run" else 0.2)
    high, down = (BAR, 0) if span.kind == "run" else (6, 4)
    drawing = [
        f'<rect class="{span.kind}" x="{left:.1f}" y="{top + down}" width="{wide:.1f}" height="{high}"/>'
    ]
    if span.what and wide > LETTER * len(span.what) + 6:
        drawing.append(f'<text class="what" x="{left + 3:.1f}" y="{top + 20}">{escape(span.what)}</text>')
    return drawing


def legend() -> list[str]:
    """What the colours stand for."""
    lines = []
    for place, (kind, text) in enumerate(
        {"run": "runs · 运行", "ready": "ready · 就绪", "wait": "waits · 等待"}.items()
    ):
        left = LEFT + 110 * place
        lines.append(f'<rect class="{kind}" x="{left}" y="8" width="16" height="10"/>')
        lines.append(f'<text x="{left + 22}" y="17">{text}</text>')
    left = LEFT + 330
    lines.append(f'<path class="wake" d="M{left + 8} 6V20"/>')
    lines.append(f'<text x="{left + 22}" y="17">wakes · 唤醒</text>')
    return lines


def axis(seconds: float, scale: float, top: int) -> list[str]:
    """A scale in milliseconds."""
    step = next(
        step for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e9) if step * 8 >= seconds * 1e3
    )
    lines = [f'<path class="axis" d="M{LEFT} {top}H{WIDTH - RIGHT}"/>']
    for tick in range(int(seconds * 1e3 / step) + 1):
        at = LEFT + tick * step / 1e3 * scale
        lines.append(f'<path class="axis" d="M{at:.1f} {top}v4"/>')
        if at < WIDTH - 40:
            lines.append(f'<text class="time" x="{at:.1f}" y="{top + 15}">{tick * step:g} ms</text>')
    return lines


if __name__ == "__main__":
    sys.exit(main())
