"""What is said of a recording on a terminal."""

from dataclasses import dataclass, field

from weft.watch.timeline import Timeline
from weft.watch.words import duration, object_words, program_words
from weft.wording import counted

__all__ = ["Summary"]

TOLD = 3  # objects


@dataclass
class Summary:
    """A recording in figures, and where the files are.

    Attributes:
        program, model: what was recorded.
        threads, switches, records: how many.
        seconds: how long.
        cut: whether the recording has no end: the program was killed.
        lost: records that a ring let go.
        contended: what was waited for the longest: name, waits, seconds in all and of the longest wait.
        files: those that were written.
        notes: what a person has to be told besides.
    """

    program: str
    model: str
    threads: int
    switches: int
    records: int
    seconds: float
    cut: bool
    lost: int
    contended: list[tuple[str, int, float, float]]
    files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, timeline: Timeline) -> "Summary":
        """The figures of a timeline."""
        about = timeline.names.about
        lost = about.get("lost", 0)
        worst = [
            (object_words(timeline.object(number)), found.waits, found.total, found.longest)
            for number, found in timeline.contended()[:TOLD]
        ]
        return cls(
            program_words(about),
            str(about.get("model", "?")),
            len(timeline.lives),
            timeline.switches,
            timeline.records,
            timeline.seconds,
            bool(about.get("cut")),
            lost if isinstance(lost, int) else 0,
            worst,
        )

    def lines(self) -> list[str]:
        """For a terminal."""
        switches = counted(self.switches, "switch", "switches")
        figures = f"{counted(self.threads, 'thread')}, {duration(self.seconds)}, {switches}"
        lines = [f"{figures}, model {self.model}"]
        for name, waits, total, longest in self.contended:
            times = counted(waits, "wait")
            lines.append(f"  {name}: {times}, {duration(total)} in all, the longest {duration(longest)}")
        if self.cut:
            lines.append(
                "  the recording is cut short: the program was killed, or ended without its last words"
            )
        if self.lost:
            gone = counted(self.lost, "record was", "records were")
            lines.append(f"  of the beginning {gone} let go, to keep within the ring")
        lines += [f"  {note}" for note in self.notes]
        lines += [f"  {path}{_opened_by(path)}" for path in self.files]
        return lines


def _opened_by(path: str) -> str:
    return "  (for https://ui.perfetto.dev or vizviewer)" if path.endswith(".json") else "  (for a browser)"
