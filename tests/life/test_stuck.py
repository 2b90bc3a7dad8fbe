"""Programs in which nothing can happen any more are told so, and no others are."""

import re

import pytest

from tests.support import run_code

HEAD = "import os, queue, signal, sys, threading, time, weft\n"


def masked(report: str) -> str:
    report = re.sub(r"0x[0-9a-f]+", "0x..", report)
    return re.sub(r"(?:[^\s\"']*/)?program\.py", "program.py", report)


CYCLE = """\
import threading
a, b = threading.Lock(), threading.Lock()
ready = threading.Barrier(2)
def first():
    with a:
        ready.wait()
        with b: pass
def second():
    with b:
        ready.wait()
        with a: pass
one = threading.Thread(target=first, name="one")
two = threading.Thread(target=second, name="two")
one.start(); two.start()
one.join()
"""
REPORT = """\
weft: deadlock: every thread waits and nothing can wake one
  'MainThread' (blocked) waits for a thread to end 'one'
      at program.py:15 in <module>
  'one' (blocked) waits for a lock <_thread.lock at 0x..> held by 'two'
      at program.py:7 in first
  'two' (blocked) waits for a lock <_thread.lock at 0x..> held by 'one'
      at program.py:11 in second
  cycle: 'one' -> 'two' -> 'one'
    'one' waits for a lock <_thread.lock at 0x..> that 'two' holds, at program.py:7 in first
    'two' waits for a lock <_thread.lock at 0x..> that 'one' holds, at program.py:11 in second
"""


def in_either_order(report: str) -> str:
    """Threads are listed by identifier, and a cycle begins anywhere: as if 'one' came first."""
    blocks = re.findall(r"  '(\w+)' \(.*\n      at .*\n", report)
    if blocks.index("two") < blocks.index("one"):
        lines = report.splitlines(keepends=True)
        lines[3:7] = lines[5:7] + lines[3:5]
        report = "".join(lines)
    if "cycle: 'two'" in report:
        lines = report.splitlines(keepends=True)
        lines[7:10] = ["  cycle: 'one' -> 'two' -> 'one'\n", lines[9], lines[8]]
        report = "".join(lines)
    return report


def test_the_report_names_threads_locks_holders_lines_and_the_cycle(model: str) -> None:
    done = run_code(
        CYCLE.replace(
            "one.join()",
            "try: one.join()\nexcept BaseException as e: print(type(e).__mro__[1:3], flush=True)\n"
            "import os; os._exit(3)",
        ),
        model=model,
    )
    assert done.returncode == 3
    assert "WeftError" in done.stdout
    assert "RuntimeError" in done.stdout or "Exception" in done.stdout
    assert in_either_order(masked(done.stderr)) == REPORT


def test_a_program_that_is_stuck_ends_with_the_report_and_status_1(model: str) -> None:
    done = run_code(CYCLE, model=model, timeout=30)
    assert done.returncode == 1
    report, _, rest = masked(done.stderr).partition("Traceback (most recent call last):\n")
    assert in_either_order(report) == REPORT
    assert (
        "DeadlockError: every thread waits and nothing can wake one; the report above has the details" in rest
    )
    assert "/weft/" not in rest


STUCK = {
    "main waits for its own lock": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "main waits for an event": "threading.Event().wait()",
    "main waits for an item": "queue.Queue().get()",
    "main waits for room": "q = queue.Queue(1); q.put(1); q.put(2)",
    "main waits for tasks": "q = queue.Queue(1); q.put(1); q.join()",
    "main waits for a semaphore": "threading.Semaphore(0).acquire()",
    "main waits for a notify": "c = threading.Condition()\nwith c: c.wait()",
    "main waits at a barrier": "threading.Barrier(2).wait()",
    "a lock whose holder has ended": (
        "lock = threading.Lock(); t = threading.Thread(target=lock.acquire, name='gone')\n"
        "t.start(); t.join(); lock.acquire()"
    ),
    "two that join each other": (
        "ts = []\ngo = threading.Event()\n"
        "for n in range(2): ts.append(threading.Thread(target=lambda n=n: (go.wait(), ts[1 - n].join())))\n"
        "for t in ts: t.start()\ngo.set(); ts[0].join()"
    ),
    "a pool that waits for itself": (
        "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\n"
        "pool.submit(lambda: pool.submit(print).result()).result()"
    ),
    "daemons are no way out": (
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\nthreading.Event().wait()"
    ),
    "a notify with a deadline behind a lock that never comes": (
        "c = threading.Condition()\ndef w():\n    with c: c.wait(3600)\n"
        "t = threading.Thread(target=w); t.start()\ntime.sleep(0.02)\n"
        "with c:\n    c.notify()\n    t.join()"
    ),
}


@pytest.mark.parametrize("name", STUCK)
def test_it_is_told_whatever_main_waits_for(name: str, model: str) -> None:
    code = f"{HEAD}try:\n" + "".join(f"    {line}\n" for line in STUCK[name].splitlines())
    code += "except weft.DeadlockError as error:\n    print('told')\n    sys.stdout.flush(); os._exit(0)\n"
    done = run_code(code, model=model, timeout=10)
    assert done.stdout == "told\n", done
    assert done.stderr.startswith("weft: deadlock: every thread waits and nothing can wake one\n")


def test_a_holder_that_has_ended_is_named(model: str) -> None:
    code = f"{HEAD}{STUCK['a lock whose holder has ended']}"
    done = run_code(code, model=model, timeout=10)
    assert "held by 'gone', which has ended" in done.stderr


def test_main_may_go_on_after_a_deadlock(model: str) -> None:
    code = (
        HEAD
        + """
a = threading.Lock(); a.acquire()
t = threading.Thread(target=a.acquire); t.start()
try:
    t.join()
except weft.DeadlockError:
    a.release()
t.join()
print("went on")
"""
    )
    done = run_code(code, model=model, timeout=20)
    assert (done.returncode, done.stdout) == (0, "went on\n")
    assert done.stderr.count("weft: deadlock") == 1


def test_threads_that_are_stuck_at_the_end_are_told_too(model: str) -> None:
    code = f"{HEAD}threading.Thread(target=threading.Event().wait, name='left').start()\nprint('end')\n"
    done = run_code(code, model=model, timeout=20)
    assert (done.returncode, done.stdout) == (1, "end\n")
    assert "'left' (blocked) waits for an event to be set" in done.stderr
    assert (
        "'MainThread' (blocked) waits for a thread to end 'left'\n      at the end of the program"
        in done.stderr
    )


NOT_STUCK = {
    "a sleeper": "threading.Thread(target=lambda: (time.sleep(0.4), go.set())).start(); go.wait()",
    "a deadline": "print(go.wait(0.4))",
    "a deadline of another": "t = threading.Thread(target=go.wait, args=(0.4,)); t.start(); t.join()",
    "a timer": "threading.Timer(0.4, go.set).start(); go.wait()",
    "a call that comes later": "weft.call_later(0.4, go.set); go.wait()",
    "a handler of its own": (
        "signal.signal(signal.SIGALRM, lambda n, f: go.set()); signal.setitimer(signal.ITIMER_REAL, 0.4)\n"
        "go.wait()"
    ),
    "a handler of its own, and threads": (
        "signal.signal(signal.SIGALRM, lambda n, f: go.set()); signal.setitimer(signal.ITIMER_REAL, 0.4)\n"
        "ts = [threading.Thread(target=go.wait) for _ in range(2)]\n"
        "for t in ts: t.start()\nfor t in ts: t.join()"
    ),
    "a foreign kernel thread": (
        "from weft.host import threads, clock\nthreads.start(lambda: (clock.sleep(0.4), go.set())); go.wait()"
    ),
    "one that is woken while kernel threads are counted": (
        "import sys\nruntime = sys.modules['weft.runtime']\ncount = runtime.kernel_thread_count\n"
        "def late():\n    go.set()\n    return count()\n"
        "runtime.kernel_thread_count = late\ngo.wait()\nruntime.kernel_thread_count = count"
    ),
    "a foreign kernel thread that waits with them": (
        "from weft.host import threads, clock\nlock = threading.Lock(); lock.acquire()\n"
        "threads.start(lambda: (clock.sleep(0.3), lock.acquire(timeout=0.1), go.set())); go.wait()"
    ),
    "one that spins": (
        "end = time.monotonic() + 0.4\ndef s():\n    while time.monotonic() < end: pass\n    go.set()\n"
        "threading.Thread(target=s).start(); go.wait()"
    ),
}


@pytest.mark.parametrize("name", NOT_STUCK)
def test_who_can_still_be_woken_is_not_stuck(name: str, model: str) -> None:
    done = run_code(
        f"{HEAD}go = threading.Event()\n{NOT_STUCK[name]}\nprint('end')\n", model=model, timeout=20
    )
    assert (done.returncode, done.stdout.splitlines()[-1:], done.stderr) == (0, ["end"], ""), done


@pytest.mark.parametrize("model", ["kernel"])
def test_a_thread_in_a_c_call_is_not_stuck(model: str) -> None:
    code = (
        HEAD + "r, w = os.pipe()\nthreading.Timer(0.4, os.write, (w, b'x')).start()\nprint(os.read(r, 1))\n"
    )
    assert run_code(code, model=model, timeout=20).check().stdout == "b'x'\n"


def test_a_program_that_is_stuck_without_a_descriptor_left_is_told(model: str) -> None:
    code = """
import resource, threading, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
kept = []
{imports}
try:
    while True: kept.append({take})
except OSError: pass
threading.Event().wait()
"""
    done = run_code(code.format(imports="import socket", take="socket.socket()"), model=model)
    assert done.returncode == 1
    assert "waits for an event to be set" in done.stderr
    done = run_code(code.format(imports="import os", take="os.dup(0)"), model=model)
    assert done.returncode == 1
    assert "DeadlockError" in done.stderr
    assert "weft: deadlock: every thread waits" in done.stderr
