"""The trace event format of Chrome, as JSON: what ui.perfetto.dev, chrome://tracing and vizviewer open.

The format is that of the document "Trace Event Format" (Duffy and others, 2016): `X` is a slice, `i` an instant,
`s` and `f` are the ends of an arrow, `C` is a counter, `M` names a lane. Times are microseconds. A process stands for a
group of lanes: the threads of the program, and its carriers where one carries several threads.

An arrow from who wakes leaves the slice in which that thread runs, and reaches the slice of the woken thread that
comes next: there it is ready, or runs.
"""

import json
from collections.abc import Callable

from weft.watch.record import End, Preemption, Record, Start, Stint, Wait
from weft.watch.timeline import Counts, Timeline
from weft.watch.words import clean, place_words, program_words, wait_words

__all__ = ["Perfetto"]

THREADS, CARRIERS = 1, 2  # numbers of the two groups
BUFFER = 5_000  # events that are written at once


class Perfetto:
    """Writes one file, event by event.

    Args:
        write: takes text.
        timeline: the figures of the same recording, and its names.
    """

    def __init__(self, write: Callable[[str], object], timeline: Timeline) -> None:
        self._write = write
        self._timeline = timeline
        self._shared = set(timeline.shared_carriers)
        self._last: dict[int, int] = {}  # by thread: when its lane ends so far, in nanoseconds
        self._arrows = 0
        self._lines: list[str] = []
        self._threads: dict[int, str] = {}
        self._places: dict[int | None, str] = {}
        self._waits: dict[tuple[str, int | None], str] = {}
        about = {name: value for name, value in timeline.names.about.items() if value is not None}
        write(f'{{"displayTimeUnit":"ns","otherData":{json.dumps(about)},"traceEvents":[\n')
        self._name_lanes()

    # -- names -------------------------------------------------------------------------------------

    def _name_lanes(self) -> None:
        timeline = self._timeline
        groups = {THREADS: f"threads ({timeline.names.about.get('model', 'unknown')} model)", CARRIERS: "carriers"}
        for pid, name in groups.items():
            if pid == THREADS or self._shared:
                self._meta("process_name", pid, 0, "name", name)
                self._meta("process_sort_index", pid, 0, "sort_index", pid)
        for number in sorted(timeline.lives):
            self._meta("thread_name", THREADS, number + 1, "name", clean(timeline.name(number)))
            self._meta("thread_sort_index", THREADS, number + 1, "sort_index", number)
        for number in sorted(self._shared):
            known = timeline.names.carriers.get(number)
            words = f"carrier {number}" + (f", kernel thread {known.native_id}" if known else "")
            self._meta("thread_name", CARRIERS, number + 1, "name", words)
            self._meta("thread_sort_index", CARRIERS, number + 1, "sort_index", number)

    def _meta(self, what: str, pid: int, tid: int, key: str, value: object) -> None:
        self._put(
            f'{{"ph":"M","ts":0,"pid":{pid},"tid":{tid},"name":"{what}","args":{{"{key}":{json.dumps(value)}}}}}'
        )

    def _thread(self, number: int) -> str:
        """A thread's name, quoted."""
        found = self._threads.get(number)
        if found is None:
            found = self._threads[number] = json.dumps(clean(self._timeline.name(number)))
        return found

    def _place(self, number: int | None) -> str:
        found = self._places.get(number)
        if found is None:
            found = self._places[number] = json.dumps(place_words(self._timeline.place(number)))
        return found

    def _put(self, line: str) -> None:
        lines = self._lines
        lines.append(line)
        if len(lines) >= BUFFER:
            lines.append("")
            self._write(",\n".join(lines))
            lines.clear()

    # -- records -----------------------------------------------------------------------------------

    def take(self, record: Record) -> None:
        """Write what a record stands for."""
        if isinstance(record, Stint):
            self._stint(record)
        elif isinstance(record, Wait):
            self._wait(record)
        elif isinstance(record, Start):
            self._start(record)
        elif isinstance(record, Preemption):
            self._instant(record.thread, record.time, '"preempted"', f'"place":{self._place(record.place)}')
        else:
            self._end(record)

    def _lane(self, thread: int, begin: float, end: float) -> tuple[int, int]:
        """Nanoseconds of a slice that begins no sooner than its lane ends; the gap before it is a slice as well."""
        last = self._last.get(thread, -1)
        first = max(round(begin * 1e9), last)
        until = max(round(end * 1e9), first)
        self._last[thread] = until
        if 0 <= last < first:
            self._slice(THREADS, thread + 1, last, first, '"ready"', "ready", "")
        return first, until

    def _slice(self, pid: int, tid: int, first: int, until: int, name: str, kind: str, args: str) -> None:
        self._put(
            f'{{"ph":"X","pid":{pid},"tid":{tid},"ts":{first / 1000:.3f},"dur":{(until - first) / 1000:.3f},'
            f'"name":{name},"cat":"{kind}","args":{{{args}}}}}'
        )

    def _stint(self, stint: Stint) -> None:
        begin, end, thread, carrier = stint
        first, until = self._lane(thread, begin, end)
        self._slice(THREADS, thread + 1, first, until, '"running"', "running", f'"carrier":{carrier}')
        if carrier in self._shared:
            name = self._thread(thread)
            self._slice(CARRIERS, carrier + 1, first, until, name, "carrier", f'"thread":{thread}')

    def _wait(self, wait: Wait) -> None:
        begin, end, thread, reason, thing, place, holder, by, by_place, cause = wait
        first, until = self._lane(thread, begin, end)
        name = self._waits.get((reason, thing))
        if name is None:
            words = wait_words(reason, clean(self._timeline.object(thing)))
            name = self._waits[reason, thing] = json.dumps(words)
        args = f'"place":{self._place(place)},"ended by":"{cause}"'
        if thing is not None:
            args += f',"object":{json.dumps(clean(self._timeline.object(thing)))}'
        if holder is not None:
            args += f',"holder":{self._thread(holder)}'
        if by is not None:
            args += f',"woken by":{self._thread(by)}'
        if by_place is not None:
            args += f',"woken at":{self._place(by_place)}'
        self._slice(THREADS, thread + 1, first, until, name, f"waiting,{reason.lower()}", args)
        if by is not None and by != thread:
            self._arrow("wake", by, thread, until)

    def _arrow(self, name: str, source: int, target: int, when: int) -> None:
        self._arrows += 1
        for phase, thread in (("s", source), ("f", target)):
            self._put(
                f'{{"ph":"{phase}","id":{self._arrows},"pid":{THREADS},"tid":{thread + 1},'
                f'"ts":{when / 1000:.3f},"name":"{name}","cat":"{name}"}}'
            )

    def _start(self, start: Start) -> None:
        when = round(start.time * 1e9)
        self._last.setdefault(start.thread, when)
        args = f'"place":{self._place(start.place)}'
        if start.by is not None:
            args += f',"by":{self._thread(start.by)}'
        self._instant(start.thread, start.time, '"started"', args)
        if start.by is not None and start.by != start.thread:
            self._arrow("start", start.by, start.thread, when)

    def _end(self, end: End) -> None:
        words = "ended" if end.error is None else f"ended: {clean(end.error)}"
        self._lane(end.thread, end.time, end.time)
        self._instant(end.thread, end.time, json.dumps(words), "")

    def _instant(self, thread: int, time: float, name: str, args: str) -> None:
        when = round(time * 1e9) / 1000
        self._put(
            f'{{"ph":"i","s":"t","pid":{THREADS},"tid":{thread + 1},"ts":{when:.3f},"name":{name},'
            f'"cat":"thread","args":{{{args}}}}}'
        )

    def close(self, counts: Counts) -> None:
        """Write the counters and the end."""
        for kind, name in ((0, "running threads"), (1, "ready threads"), (2, "parked threads")):
            before = -1.0
            for piece, value in enumerate(counts.averages(kind)):
                if (value := round(value, 3)) != before:
                    before = value
                    when = piece * counts.width * 1e6
                    self._put(
                        f'{{"ph":"C","pid":{THREADS},"ts":{when:.3f},"name":"{name}","args":{{"threads":{value:g}}}}}'
                    )
        self._meta("process_labels", THREADS, 0, "labels", program_words(self._timeline.names.about))
        self._write(",\n".join(self._lines) + "\n]}\n")
        self._lines.clear()
