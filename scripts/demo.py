"""Runs one threaded program on plain Python and on weft's kernel and user threads, and shows their costs."""

import json
import os
import resource
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path("examples") / "side_by_side.py"
GIVE_UP = 180.0  # seconds; the program gives itself up after 120
SAMPLE = 0.02  # seconds between two looks at the number of kernel threads: often enough, and next to free


@dataclass(frozen=True)
class Run:
    """What one run of the program printed and what it cost."""

    answer: str
    notes: str
    code: int
    wall: float
    cpu: float
    memory: int  # bytes, the peak of the resident set
    kernel_threads: int  # the peak; 0 where the system does not say
    switches: int  # by the kernel, voluntary and not


def ways(python: Path) -> dict[str, list[str]]:
    """The columns of the table, and the command of each."""
    weft = [str(python), "-m", "weft", "run", "--model"]
    return {
        "python": [str(python), str(PROGRAM)],
        "weft, kernel": [*weft, "kernel", str(PROGRAM)],
        "weft, user": [*weft, "user", str(PROGRAM)],
    }


def main(python: Path) -> int:
    warm_up()
    runs: dict[str, Run] = {}
    for name, command in ways(python).items():
        print(f"$ {' '.join(['python', *command[1:]])}", flush=True)
        run = measure(command)
        if run.code != 0:
            print(f"{run.answer}{run.notes}\nthe program failed with status {run.code}", file=sys.stderr)
            return 1
        if not runs:
            print("\n" + indented(run.answer), flush=True)
        runs[name] = run
    print()
    print(table(runs))
    first, *others = runs.values()
    if any(other.answer != first.answer for other in others):
        print("\nTHE ANSWERS DIFFER:")
        for name, run in runs.items():
            print(f"\n{name}\n{indented(run.answer)}")
        return 1
    print(f"\nAll {len(runs)} printed the same answer, byte for byte. The program, {PROGRAM}, imports")
    print("the standard library alone, and no line of it says what carries its threads.")
    return 0


def warm_up() -> None:
    """Have the files that the program reads in memory, or the first run would pay for all of them."""
    for path in Path(sysconfig.get_path("stdlib")).rglob("*.py"):
        if "site-packages" not in path.parts:
            path.read_bytes()


def measure(command: list[str]) -> Run:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            status, used, threads = watch(child.pid, start + GIVE_UP)
            child.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if child.returncode is None:
                child.kill()
                child.wait()
        wall = time.perf_counter() - start
        out.seek(0)
        err.seek(0)
        return Run(
            answer=out.read().decode(errors="replace"),
            notes=err.read().decode(errors="replace"),
            code=child.returncode,
            wall=wall,
            cpu=used.ru_utime + used.ru_stime,
            memory=used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
            kernel_threads=threads,
            switches=used.ru_nvcsw + used.ru_nivcsw,
        )


def watch(pid: int, deadline: float) -> tuple[int, resource.struct_rusage, int]:
    """Wait for the child's end, counting its kernel threads meanwhile; past the deadline, end it."""
    most = 0
    while True:
        ended, status, used = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, used, most
        most = max(most, kernel_threads_of(pid))
        if time.perf_counter() > deadline:
            os.kill(pid, signal.SIGQUIT)  # weft prints where every thread is
            time.sleep(1)
            os.kill(pid, signal.SIGKILL)
        time.sleep(SAMPLE)


def kernel_threads_of(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}/task").st_nlink - 2  # a folder for each, so no need to read them
    except OSError:
        return 0


def table(runs: dict[str, Run]) -> str:
    rows = [
        ("", list(runs)),
        ("wall time", [f"{run.wall:.2f} s" for run in runs.values()]),
        ("CPU time", [f"{run.cpu:.2f} s" for run in runs.values()]),
        ("peak memory", [f"{run.memory / 1e6:.0f} MB" for run in runs.values()]),
        ("kernel threads, at most", [number(run.kernel_threads) for run in runs.values()]),
        ("switches by the kernel", [f"{run.switches:,}" for run in runs.values()]),
        ("10 ms sleeper late, median", [late(run, "late_median") for run in runs.values()]),
        ("10 ms sleeper late, worst", [late(run, "late_worst") for run in runs.values()]),
    ]
    return "\n".join(f"{label:<27}" + "".join(f"{cell:>15}" for cell in cells) for label, cells in rows)


def number(count: int) -> str:
    return f"{count:,}" if count else "-"


def late(run: Run, which: str) -> str:
    """From the line of JSON that the program leaves on stderr."""
    for line in reversed(run.notes.splitlines()):
        if line.startswith("{"):
            return f"{json.loads(line)[which] * 1e3:.1f} ms"
    return "-"


def indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())
