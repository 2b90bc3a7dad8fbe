"""The trace event format of Chrome, as JSON: what ui.perfetto.dev, chrome://tracing and vizviewer open.

The format is that of the document "Trace Event Format" (Duffy and others, 2016): `X` is a slice, `i` an
instant, `s` and `f` are the ends of an arrow, `C` is a counter, `M` names a lane. Times are microseconds. A
process stands for a group of lanes: the threads of the program, and its carriers where one carries several
threads.

An arrow from who wakes leaves the slice in which that thread runs, and reaches the slice of the woken
thread that comes next: there it is ready, or runs.
"""

import json
from collections.abc import Callable

from weft.watch.record import End, Preemption, Record, Start, Stint, Wait
from weft.watch.timeline import Counts, Timeline
from weft.watch.words import clean, object_words, place_words, program_words, wait_words

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
        self._shared = set(timeline.drawn_carriers)
        self._last: dict[int, int] = {}  # by thread: when its lane ends so far, in nanoseconds
        self._arrows = 0
        self._lines: list[str] = []
        self._threads: dict[int, str] = {}
        self._places: dict[int | None, str] = {}
        self._waits: dict[tuple[str, int | None], str] = {}
        about = timeline.names.about | {"program": program_words(timeline.names.about)}
        write(f'{{"displayTimeUnit":"ns","otherData":{json.dumps(about)},"traceEvents":[\n')
        self._name_lanes()

    # -- names -------------------------------------------------------------------------------------

    def _name_lanes(self) -> None:
        timeline = self._timeline
        groups = {
            THREADS: f"threads ({timeline.names.about.get('model', 'unknown')} model)",
            CARRIERS: "carriers",
        }
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
        self._lines.append(line)

    def _flush(self) -> None:
        lines = self._lines
        if lines:
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
        if len(self._lines) >= BUFFER:
            self._flush()

    def _lane(self, thread: int, begin: float, end: float) -> tuple[int, int]:
        """Nanoseconds of a slice that begins no sooner than its lane ends; a gap before it is one, too."""
        last = self._last.get(thread, -1)
        first = round(begin * 1e9)
        if first < last:
            first = last
        until = round(end * 1e9)
        if until < first:
            until = first
        self._last[thread] = until
        if 0 <= last < first:
            self._lines.append(
                f'{{"ph":"X","pid":{THREADS},"tid":{thread + 1},"ts":{last / 1000:.3f},'
                f'"dur":{(first - last) / 1000:.3f},"name":"ready"}}'
            )
        return first, until

    def _stint(self, stint: Stint) -> None:
        begin, end, thread, carrier = stint
        first, until = self._lane(thread, begin, end)
        when = f'"ts":{first / 1000:.3f},"dur":{(until - first) / 1000:.3f}'
        lines = self._lines
        if carrier not in self._shared:
            lines.append(f'{{"ph":"X","pid":{THREADS},"tid":{thread + 1},{when},"name":"running"}}')
            return
        args = f'"args":{{"carrier":{carrier}}}'
        lines.append(f'{{"ph":"X","pid":{THREADS},"tid":{thread + 1},{when},"name":"running",{args}}}')
        name = self._thread(thread)
        lines.append(f'{{"ph":"X","pid":{CARRIERS},"tid":{carrier + 1},{when},"name":{name}}}')

    def _wait(self, wait: Wait) -> None:
        begin, end, thread, reason, thing, place, holder, by, by_place, cause = wait
        first, until = self._lane(thread, begin, end)
        words = self._waits.get((reason, thing))
        if words is None:
            words = self._waits[reason, thing] = self._wait_words(reason, thing)
        args = ""
        if place is not None:
            args = f'"place":{self._place(place)},'
        if holder is not None:
            args += f'"holder":{self._thread(holder)},'
        if by is not None:
            args += f'"woken by":{self._thread(by)},'
        if by_place is not None:
            args += f'"woken at":{self._place(by_place)},'
        self._lines.append(
            f'{{"ph":"X","pid":{THREADS},"tid":{thread + 1},"ts":{first / 1000:.3f},'
            f'"dur":{(until - first) / 1000:.3f},{words}{args}"ended by":"{cause}"}}}}'
        )
        if by is not None and by != thread:
            self._arrow("wake", by, thread, until)

    def _wait_words(self, reason: str, thing: int | None) -> str:
        """Name and category of a wait, and its arguments as far as its object goes."""
        words = object_words(self._timeline.object(thing))
        name = json.dumps(wait_words(reason, words))
        rest = f'"object":{json.dumps(words)},' if thing is not None else ""
        return f'"name":{name},"cat":"{reason.lower()}","args":{{{rest}'

    def _arrow(self, name: str, source: int, target: int, when: int) -> None:
        self._arrows += 1
        shared = f'"id":{self._arrows},"pid":{THREADS},"ts":{when / 1000:.3f},"name":"{name}","cat":"{name}"'
        self._lines.append(
            f'{{"ph":"s","tid":{source + 1},{shared}}},\n{{"ph":"f","tid":{target + 1},{shared}}}'
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
        for kind, name in ((0, "running"), (1, "ready"), (2, "parked")):
            before = -1.0
            for piece, value in enumerate(counts.averages(kind)):
                if (value := round(value, 3)) != before:
                    before = value
                    when = piece * counts.width * 1e6
                    self._put(
                        f'{{"ph":"C","pid":{THREADS},"ts":{when:.3f},"name":"{name}","args":{{"threads":{value:g}}}}}'
                    )
        self._meta("process_labels", THREADS, 0, "labels", program_words(self._timeline.names.about))
        last = self._lines.pop()
        self._flush()
        self._write(f"{last}\n]}}\n")
