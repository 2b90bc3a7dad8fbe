"""The file for Perfetto: by the rules of its format, and by Perfetto's own trace processor."""

import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.watch import perfetto_reader
from tests.watch.made import Made, simulated
from tests.watch.test_timeline import two_threads
from weft.watch.perfetto import CARRIERS, THREADS, Perfetto
from weft.watch.record import End, Start, Stint, Wait
from weft.watch.timeline import Counts, gather


def written(made: Made) -> dict[str, Any]:
    """The file that is made of a recording."""
    parts: list[str] = []
    timeline = gather(*made.read())
    writer = Perfetto(parts.append, timeline)
    counts = Counts(timeline.seconds, 10)
    for record in made.read()[1]:
        writer.take(record)
        if isinstance(record, Stint):
            counts.add(0, record.begin, record.end)
    writer.close(counts)
    found: dict[str, Any] = json.loads("".join(parts))
    return found


def of(events: list[dict[str, Any]], phase: str) -> list[dict[str, Any]]:
    return [event for event in events if event["ph"] == phase]


NEEDED = {
    "X": {"pid", "tid", "ts", "dur", "name"},
    "i": {"pid", "tid", "ts", "name", "s"},
    "s": {"pid", "tid", "ts", "name", "id", "cat"},
    "f": {"pid", "tid", "ts", "name", "id", "cat"},
    "C": {"pid", "ts", "name", "args"},
    "M": {"pid", "tid", "name", "args"},
}


def hold_rules(found: dict[str, Any]) -> None:
    """What the document of the format asks for, and that slices of a lane stand side by side."""
    lanes = defaultdict(list)
    for event in found["traceEvents"]:
        assert event.keys() >= NEEDED[event["ph"]], event
        assert all(event[key] >= 0 for key in ("ts", "dur") if key in event)
        if event["ph"] == "X":
            lanes[event["pid"], event["tid"]].append(event)
    for slices in lanes.values():
        slices.sort(key=lambda event: (event["ts"], event["dur"]))
        for one, other in pairwise(slices):
            assert round(one["ts"] + one["dur"], 3) <= other["ts"]
    events = found["traceEvents"]
    named = {(e["pid"], e["tid"]) for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
    assert lanes.keys() <= named
    sources = {event["id"]: event for event in of(events, "s")}
    targets = {event["id"]: event for event in of(events, "f")}
    assert sources.keys() == targets.keys()
    assert all(sources[each]["ts"] == targets[each]["ts"] for each in sources)


def test_a_small_recording_as_a_whole() -> None:
    found = written(two_threads())
    hold_rules(found)
    events = found["traceEvents"]
    main = [(e["name"], e["ts"], e["dur"]) for e in of(events, "X") if (e["pid"], e["tid"]) == (THREADS, 1)]
    assert main == [
        ("running", 0, 1e6),
        ("ready", 1e6, 0.5e6),
        ("running", 1.5e6, 0.5e6),
        ("waits for a lock: Lock box", 2e6, 1e6),
        ("ready", 3e6, 0.25e6),
        ("running", 3.25e6, 0.25e6),
        ("ready", 3.5e6, 0.25e6),
        ("running", 3.75e6, 0.25e6),
    ]
    (wait,) = (e for e in events if e.get("cat") == "lock")
    assert wait["args"] == {
        "object": "Lock box",
        "place": "/app.py:3 in main",
        "holder": "Ada",
        "woken by": "Ada",
        "woken at": "/app.py:9 in hold",
        "ended by": "thread",
    }
    assert [(e["name"], e["tid"]) for e in of(events, "s")] == [("start", 1), ("wake", 2)]
    assert [(e["name"], e["tid"]) for e in of(events, "f")] == [("start", 2), ("wake", 1)]
    assert [e["name"] for e in of(events, "i")] == ["started", "ended: ValueError: no", "preempted"]
    carrier = [e["name"] for e in of(events, "X") if e["pid"] == CARRIERS]
    assert carrier == ["MainThread", "Ada", "MainThread", "Ada", "MainThread", "MainThread"]
    assert {e["name"] for e in of(events, "C")} == {"running", "ready", "parked"}
    assert found["otherData"]["model"] == "user"


def test_carriers_with_one_thread_each_have_no_lanes() -> None:
    made = Made(model="kernel")
    for n in range(3):
        made.add(Stint(0, n + 1, made.thread(f"T{n}"), n))
    events = written(made)["traceEvents"]
    assert {event["pid"] for event in events} == {THREADS}


def test_names_cannot_break_the_file() -> None:
    made = Made(program=['a"b\\c', "</script>\ud800"])
    odd = 'a"b\\c\n\u202e\ud800</script>\x00'
    thread, thing, place = made.thread(odd), made.object(odd), made.place(odd)
    made.add(
        Start(0, thread, None, place),
        Stint(0, 1, thread, 0),
        Wait(1, 2, thread, "DESCRIPTOR", thing, place, thread, thread, place, "machine"),
        End(2, thread, odd),
    )
    found = written(made)
    hold_rules(found)
    names = [event["name"] for event in found["traceEvents"]]
    assert any('a"b\\c\\n\\u202e\\ud800</script>\\x00' in name for name in names)
    json.dumps(found, ensure_ascii=False).encode()  # whole characters alone


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 6), st.integers(0, 3), st.integers(1, 40), st.integers(0, 10**6))
def test_the_rules_hold_for_whatever_was_recorded(threads: int, locks: int, steps: int, seed: int) -> None:
    made = simulated(threads, locks, steps, seed)
    found = written(made)
    hold_rules(found)
    events = found["traceEvents"]
    stints = [record for record in made.records if isinstance(record, Stint)]
    assert sum(e["name"] == "running" for e in of(events, "X")) == len(stints)
    ran = sum(e["dur"] for e in of(events, "X") if e["name"] == "running")
    assert ran == pytest.approx(sum(s.end - s.begin for s in stints) * 1e6, abs=0.01 * (len(stints) + 1))


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[perfetto_reader.Reader]:
    if why := perfetto_reader.reason():
        pytest.skip(why)
    with perfetto_reader.reader(tmp_path_factory.mktemp("perfetto")) as reader:
        yield reader


def test_perfetto_reads_it_whole(processor: perfetto_reader.Reader, tmp_path: Path) -> None:
    made = simulated(6, 2, 60, seed=5)
    path = tmp_path / "trace.json"
    found = written(made)
    path.write_text(json.dumps(found))
    processor.open(path)
    wrong = processor.ask("select name, value from stats where value > 0 and severity != 'info'")
    assert wrong == []
    events = found["traceEvents"]
    waits = [record for record in made.records if isinstance(record, Wait) and record.by is not None]
    starts = [record for record in made.records if isinstance(record, Start)]
    assert processor.ask("select count(*) from flow") == [[len(waits) + len(starts)]], (
        "every arrow has both ends"
    )
    slices = len(of(events, "X")) + len(of(events, "i"))
    assert processor.ask("select count(*) from slice") == [[slices]]
    names = {name for (name,) in processor.ask("select name from thread where name is not null")}
    assert names >= {thread.name for thread in made.names.threads.values()}
    (busy,) = processor.ask(
        "select sum(dur) from slice join thread_track on slice.track_id = thread_track.id"
        " join thread using(utid) where slice.name = 'running' and thread.name = 'Worker-3'"
    )
    ran = gather(*made.read()).lives[3].ran
    assert busy[0] == pytest.approx(ran * 1e9, rel=1e-3)
    woken = processor.ask(
        "select extract_arg(arg_set_id, 'args.woken by') from slice"
        " where name like 'waits for a lock%' limit 1"
    )
    assert woken[0][0] in names
    counters = processor.ask(
        "select distinct counter_track.name from counter"
        " join counter_track on counter.track_id = counter_track.id"
    )
    assert sorted(name for (name,) in counters) == ["parked threads", "ready threads", "running threads"]
