"""The soak: minutes of mixed threaded work on a model, with accounts that must come out exactly.

    python scripts/soak.py [--minutes 10] [--model user]

The work (`soak_work.py`) runs under `weft run` in a child. This process watches it from outside, and
the soak fails if

* an item, a wake or a count is off: the child checks each round of each kind of work, and says which;
* one kind of work makes no progress for 10 s: the child is sent SIGQUIT for the stacks of its threads;
* memory grows: after the warm-up (the first fifth of the time) the resident set is sampled; the median
  of the last quarter of these samples may be above that of the first quarter by 4 MB at most (16 MB in
  runs of less than two minutes, which are too short to have settled);
* descriptors grow: the most of the last quarter may not be above the most of the first quarter;
* control blocks or spare workers grow: the most of the last quarter may be above the most of the first
  by half at most, and at the end there is no block but the main thread's.

It ends by itself: a child that is not over a minute after its time is ended.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORK = Path(__file__).resolve().with_name("soak_work.py")
STALL = 10.0  # seconds without progress of one kind of work, after which something is stuck
GRACE = 60.0  # seconds that the end may take
TO_DUMP = 3.0  # seconds for the answer to SIGQUIT
WARM_UP = 0.2  # of the time
MB = 1 << 20


@dataclass
class Sample:
    """What was seen at one moment; memory and descriptors from outside, the rest as the child says."""

    when: float
    rss: int
    descriptors: int
    alive: dict[str, int]


@dataclass
class Watch:
    """All that is known of a run."""

    seconds: float
    samples: list[Sample] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    moved: dict[str, float] = field(default_factory=dict)
    busy: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    ended: bool = False

    def hear(self, line: str, now: float, pid: int) -> None:
        """Take in one line of the child's."""
        try:
            said: dict[str, Any] = json.loads(line)
        except ValueError:
            self.faults.append(f"the child printed {line.strip()!r}")
            return
        if "fault" in said:
            self.faults.append(said["fault"])
            return
        for name, count in said["done"].items():
            if count != self.done.get(name):
                self.moved[name] = now
            self.done[name] = count
        self.busy = said["busy"]
        self.ended = said["phase"] == "ended"
        try:
            self.samples.append(Sample(now, resident(pid), descriptors(pid), said["alive"]))
        except OSError:
            pass  # no /proc, or it has just ended

    def stalled(self, now: float) -> list[str]:
        """The kinds of work that go on and have not moved for too long."""
        return [name for name in self.busy if now - self.moved[name] > STALL]

    def settled(self, began: float) -> list[Sample]:
        """The samples after the warm-up, the last one (when all has ended) left out."""
        working = self.samples[:-1] if self.ended else self.samples
        return [sample for sample in working if sample.when - began >= WARM_UP * self.seconds]

    def growth(self, began: float) -> list[str]:
        """What grew after the warm-up and should not have."""
        settled = self.settled(began)
        if len(settled) < 4:
            return []
        quarter = len(settled) // 4
        first, last = settled[:quarter], settled[-quarter:]
        wrong = []
        allowed = 4 * MB if self.seconds >= 120 else 16 * MB
        grown = statistics.median(s.rss for s in last) - statistics.median(s.rss for s in first)
        if grown > allowed:
            wrong.append(f"memory grew by {grown / MB:.1f} MB after the warm-up")
        more = max(s.descriptors for s in last) - max(s.descriptors for s in first)
        if more > 0:
            wrong.append(f"{more} descriptors more than after the warm-up")
        for name in ("blocks", "spares"):
            then = max(s.alive.get(name, 0) for s in first)
            now = max(s.alive.get(name, 0) for s in last)
            if now > then * 1.5 + 20:
                wrong.append(f"{name} grew from {then} to {now} after the warm-up")
        if self.ended and self.samples[-1].alive.get("blocks", 1) != 1:
            wrong.append(f"{self.samples[-1].alive['blocks']} control blocks at the end, and not one")
        return wrong


def resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def main(argv: Sequence[str]) -> int:
    """Run the soak; 0 if nothing was wrong."""
    parser = argparse.ArgumentParser(description="Minutes of mixed threaded work with exact accounts.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--model", default="user", help="kernel or user; none: plain python")
    parser.add_argument("--slice", help="as for weft run")
    parser.add_argument("--interval", type=float, default=2, help="seconds between samples")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(argv)
    seconds = asked.minutes * 60
    command = [sys.executable]
    if asked.model != "none":
        command += ["-m", "weft", "run", "--model", asked.model]
        command += ["--slice", asked.slice] if asked.slice else []
    command += [str(WORK), str(seconds), str(min(asked.interval, seconds / 20)), str(asked.seed)]
    print(f"$ {' '.join(command)}", flush=True)
    return verdict(*run(command, seconds))


def run(command: list[str], seconds: float) -> tuple[Watch, float, int | None, str]:
    """Watch a child to its end: what was seen, when it began, its status (None: ended by us), its stderr."""
    watch = Watch(seconds)
    with tempfile.TemporaryFile() as err:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True, process_group=0)
        began = last_shown = heard = time.monotonic()
        lines = Lines(child.stdout)
        code: int | None = None
        try:
            while True:
                line = lines.next(1.0)
                now = time.monotonic()
                if line is None:
                    code = child.wait(GRACE)
                    break
                if line:
                    heard = now
                    watch.hear(line, now, child.pid)
                if now - last_shown >= 15 and watch.samples:
                    last_shown = now
                    print(progress_line(watch, now - began), flush=True)
                silent = [] if now - heard <= STALL or watch.ended else ["the main thread"]
                stuck = silent + watch.stalled(now)
                if stuck or now - began > seconds + GRACE:
                    what = ", ".join(stuck) if stuck else "the end"
                    watch.faults.append(f"no progress for {STALL:g} s: {what}")
                    child.send_signal(signal.SIGQUIT)
                    time.sleep(TO_DUMP)
                    break
        finally:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        err.seek(0)
        printed = err.read().decode("utf-8", "backslashreplace")
    watch.faults += watch.growth(began)
    return watch, began, code, printed


class Lines:
    """A child's lines, read by a thread, so that silence can be noticed."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._lines: list[str | None] = []
        self._more = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._file:
            self._add(line)
        self._add(None)

    def _add(self, line: str | None) -> None:
        with self._more:
            self._lines.append(line)
            self._more.notify()

    def next(self, timeout: float) -> str | None:
        """The next line; "" if there is none in time, None at the end."""
        with self._more:
            if self._more.wait_for(lambda: self._lines, timeout):
                return self._lines.pop(0)
        return ""


def progress_line(watch: Watch, elapsed: float) -> str:
    sample = watch.samples[-1]
    alive = ", ".join(f"{count} {name}" for name, count in sample.alive.items())
    return (
        f"{elapsed:5.0f} s  {sum(watch.done.values()):>11,} operations  {sample.rss / MB:6.1f} MB  "
        f"{sample.descriptors} descriptors  {alive}"
    )


def verdict(watch: Watch, began: float, code: int | None, printed: str) -> int:
    """Print the figures and what was wrong; the status of this process."""
    if code not in (0, None) and not watch.faults:
        watch.faults.append(f"the child ended with status {code}")
    if code == 0 and not watch.ended:
        watch.faults.append("the child ended before its time")
    if printed and not watch.faults:
        watch.faults.append("the child complained")
    print()
    for name, count in sorted(watch.done.items()):
        print(f"{name:<14s}{count:>12,}")
    if not watch.faults:
        print(f"{'in all':<14s}{sum(watch.done.values()):>12,} operations, every one accounted for")
    settled = watch.settled(began)
    if settled:
        sizes = [sample.rss / MB for sample in settled]
        quarter = max(1, len(sizes) // 4)
        then, now = statistics.median(sizes[:quarter]), statistics.median(sizes[-quarter:])
        print(f"memory after the warm-up {min(sizes):.1f} to {max(sizes):.1f} MB", end="; ")
        print(f"median of its first quarter {then:.1f} MB, of its last {now:.1f} MB")
        for name, counts in {
            "descriptors": [sample.descriptors for sample in settled],
            "control blocks": [sample.alive.get("blocks", 0) for sample in settled],
            "spare workers": [sample.alive.get("spares", 0) for sample in settled],
        }.items():
            print(f"{name} {min(counts)} to {max(counts)}")
    if printed:
        print(f"\n--- the child's stderr\n{printed}")
    for fault in watch.faults:
        print(f"WRONG: {fault}")
    print("the soak failed" if watch.faults else "the soak passed")
    return 1 if watch.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
