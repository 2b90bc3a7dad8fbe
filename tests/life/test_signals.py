"""Signals from outside: Ctrl-C reaches main whatever it does, SIGTERM ends, SIGQUIT prints."""

import re
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.life.programs import PATIENCE, Running, program
from tests.support.waiting import until

WAITS = {
    "sleeps": "time.sleep(60)",
    "waits for a lock": "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "waits for a lock with a timeout": "lock = threading.Lock(); lock.acquire(); lock.acquire(timeout=60)",
    "waits for an event": "threading.Event().wait()",
    "waits for a queue": "queue.Queue().get()",
    "waits for a simple queue": "queue.SimpleQueue().get()",
    "joins": "idle.join()",
    "waits on a condition": "c = threading.Condition()\n    with c: c.wait()",
    "spins": "while True: pass",
    "yields": "while True: time.sleep(0)",
}
OTHERS = {
    "alone": "",
    "beside one that sleeps": "idle = threading.Thread(target=sleep, daemon=True); idle.start()",
    "beside one that spins": "idle = threading.Thread(target=spin, daemon=True); idle.start()",
}
HEAD = """
import queue, sys, threading, time
def spin():
    while True: pass
def sleep():
    time.sleep(60)
"""


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_reaches_main(wait: str, other: str, model: str) -> None:
    if wait == "joins" and other == "alone":
        pytest.skip("nobody to join")
    if wait not in ("sleeps", "waits for a lock", "joins", "spins") and other != "beside one that sleeps":
        pytest.skip("one of these is enough for it")
    if other == "alone" and wait != "sleeps":
        pytest.skip("a program that waits alone is stuck")
    code = f"""{HEAD}
{OTHERS[other]}
try:
    print("ready", flush=True)
    {WAITS[wait]}
except KeyboardInterrupt:
    print("interrupted", threading.current_thread() is threading.main_thread())
"""
    with program(code, model) as running:
        running.until("ready\n").send(signal.SIGINT)
        assert running.end() == (0, "ready\ninterrupted True\n", "")


@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_that_the_main_kernel_thread_does_not_take_reaches_main(wait: str) -> None:
    """The system hands it to another kernel thread, whose handler ends no system call of the main one.

    So it is, too, with a signal that comes just before the main thread's sleep begins.
    """
    code = f"""{HEAD}
import signal
idle = threading.Thread(target=sleep, daemon=True); idle.start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
try:
    print("ready", flush=True)
    {WAITS[wait]}
except KeyboardInterrupt:
    print("interrupted", threading.current_thread() is threading.main_thread())
"""
    with program(code, "kernel") as running:
        running.until("ready\n").send(signal.SIGINT)
        assert running.end() == (0, "ready\ninterrupted True\n", "")


@pytest.mark.parametrize("model", ["kernel", "user", None])
def test_an_interrupt_that_nobody_catches_ends_as_python_does(model: str | None) -> None:
    code = "import threading, time\nprint('ready', flush=True)\ntime.sleep(60)"
    with program(code, model) as running:
        status, out, err = running.until("ready\n").send(signal.SIGINT).end()
    assert (status, out) == (-signal.SIGINT, "ready\n")
    assert err.endswith("\nKeyboardInterrupt\n")
    assert "launch.py" not in err


def test_ctrl_c_while_the_program_waits_for_its_threads_at_the_end(model: str) -> None:
    code = """
        import threading, time, weft
        go = threading.Event()
        def work():
            while not any(each.name == "MainThread" and each.wait for each in weft.threads()):
                time.sleep(0.001)
            print("ready", flush=True)
            go.wait(60)
            print("worker")
        t = threading.Thread(target=work)
        t.start()
        try:
            threading._shutdown()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            go.set()
            t.join()
    """
    with program(code, model) as running:
        running.until("ready\n")
        status, out, err = running.send(signal.SIGINT).end()
    if sys.version_info < (3, 13):
        assert (status, out) == (0, "ready\ninterrupted\nworker\n")
    else:  # CPython's own tells of the exception and ends the wait without it, since 3.13
        assert (status, out) == (0, "ready\n")
        assert err.startswith("Traceback (most recent call last):\n")
        assert err.endswith(" in _shutdown\n    _thread_shutdown()\nKeyboardInterrupt: \n")
        assert "/weft/" not in err


@pytest.mark.parametrize("wait", ["time.sleep(60)", "idle.join()", "spin()"])
def test_sigterm_ends_the_program_at_once(wait: str, model: str) -> None:
    code = f"""{HEAD}
idle = threading.Thread(target=spin, daemon=True); idle.start()
print("ready", flush=True)
{wait}
"""
    with program(code, model) as running:
        assert running.until("ready\n").send(signal.SIGTERM).end() == (-signal.SIGTERM, "ready\n", "")


def test_a_handler_of_sigterm_may_end_the_program(model: str) -> None:
    code = f"""{HEAD}
import signal
signal.signal(signal.SIGTERM, lambda n, f: sys.exit(f.f_code.co_name == "<module>" and 4))
idle = threading.Thread(target=spin, daemon=True); idle.start()
print("ready", flush=True)
time.sleep(60)
"""
    with program(code, model) as running:
        assert running.until("ready\n").send(signal.SIGTERM).end() == (4, "ready\n", "")


@pytest.mark.parametrize("wait", ["queue.Queue().get()", "spin()"])
def test_sigquit_prints_every_thread_and_the_program_goes_on(wait: str, model: str) -> None:
    code = f"""{HEAD}
lock = threading.Lock()
def hold():
    with lock: time.sleep(60)
def want():
    with lock: pass
for target in (hold, want):
    threading.Thread(target=target, daemon=True, name=target.__name__).start()
    while not lock.locked(): time.sleep(0.001)
import weft
while any(block.wait is None for block in weft.threads()[1:]): time.sleep(0.001)
def main():
    print("ready", flush=True)
    {wait}
try:
    main()
except KeyboardInterrupt:
    print("end")
"""
    with program(code, model) as running:
        running.until("ready\n").send(signal.SIGQUIT).until("want", "stderr").until("in main", "stderr")
        status, out, err = running.send(signal.SIGINT).end()
    assert (status, out) == (0, "ready\nend\n")
    assert err.startswith("3 threads\n")
    assert "'hold' (blocked, daemon) sleeps" in err
    assert "'want' (blocked, daemon) waits for a lock <_thread.lock at 0x" in err
    assert "held by 'hold' for " in err
    assert "/weft/" not in err
    assert err.count("in want") == 1  # where it waits is all of its stack


def test_a_program_s_own_handler_of_sigquit_counts(model: str) -> None:
    code = f"""{HEAD}
import signal
signal.signal(signal.SIGQUIT, lambda n, f: sys.exit(6))
print("ready", flush=True)
time.sleep(60)
"""
    with program(code, model) as running:
        assert running.until("ready\n").send(signal.SIGQUIT).end() == (6, "ready\n", "")


def test_an_alarm_ends_a_wait_and_signals_come_in_a_row(model: str) -> None:
    code = """
        import signal, threading, time
        count = 0
        def handler(n, f):
            global count
            count += 1
            assert threading.current_thread() is threading.main_thread()
            if count == 20: event.set()
        event = threading.Event()
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
        def work():
            while not event.is_set(): time.sleep(0)
        threads = [threading.Thread(target=work) for _ in range(3)]
        for t in threads: t.start()
        event.wait()
        signal.setitimer(signal.ITIMER_REAL, 0)
        for t in threads: t.join()
        print(count >= 20)
    """
    with program(code, model) as running:
        assert running.end() == (0, "True\n", "")


def test_interrupt_main_from_a_thread(model: str) -> None:
    code = """
        import _thread, threading, time
        t = threading.Thread(target=_thread.interrupt_main)
        try:
            t.start()
            while True: time.sleep(0.001)
        except KeyboardInterrupt:
            print("interrupted")
        t.join()
    """
    with program(code, model) as running:
        assert running.end() == (0, "interrupted\n", "")


def test_a_thread_that_blocks_signals_blocks_its_own_alone(model: str) -> None:
    """As the resource sharer of multiprocessing does: then nothing could end the program."""
    code = f"""{HEAD}
import os, signal
def block():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    assert signal.SIGUSR1 not in before
    assert signal.SIGUSR1 in signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    now = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.SIGUSR1 not in now and signal.SIGUSR2 in now
    for mask, how in (([1000], signal.SIG_BLOCK), ([signal.SIGUSR1], 77), (3, signal.SIG_BLOCK)):
        try: signal.pthread_sigmask(how, mask)
        except (OSError, TypeError, ValueError) as error: print(type(error).__name__, error)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    blocked.set()
    sleep()
blocked, came = threading.Event(), []
signal.signal(signal.SIGUSR2, lambda *_: came.append(threading.current_thread().name))
threading.Thread(target=block, daemon=True).start()
blocked.wait()
assert signal.SIGUSR2 not in signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.kill(os.getpid(), signal.SIGUSR2)
while not came: time.sleep(0.001)
os.kill(os.getpid(), signal.SIGUSR1)
assert signal.SIGUSR1 in signal.sigpending()
print(came, flush=True)
time.sleep(60)
"""
    with program(code, model) as running:
        running.until("['MainThread']\n").send(signal.SIGTERM)
        status, printed, complaints = running.end()
    assert (status, complaints) == (-signal.SIGTERM, "")
    assert printed.splitlines()[:-1] == [
        "ValueError signal number 1000 out of range [1; 64]",
        "OSError [Errno 22] Invalid argument",
        "TypeError 'int' object is not iterable",
    ]


SERVER = f"""{HEAD}
import os, socket
import weft
listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
client = socket.create_connection(("127.0.0.1", port))
served, peer = listener.accept()
read, write = os.pipe()
threading.Thread(target=lambda: served.recv(1), name="serve", daemon=True).start()
threading.Thread(target=lambda: os.read(read, 1), name="pipe", daemon=True).start()
print(port, peer[1], served.fileno(), listener.fileno(), read, flush=True)
def tell():
    while any(block.wait is None for block in weft.threads() if block is not weft.current()):
        time.sleep(0.001)
    print("ready", flush=True)
threading.Thread(target=tell, daemon=True).start()
def main():
    listener.accept()
main()
"""


def test_sigquit_says_of_a_descriptor_what_it_is_connected_to() -> None:
    with program(SERVER, "user") as running:
        running.until("ready\n").send(signal.SIGQUIT)
        port, peer, served, listener, read = running.read("stdout").split()[:5]
        for told in (
            f"waits for descriptor {listener} (listens at 127.0.0.1:{port}) for ",
            f"waits for descriptor {served} (socket at 127.0.0.1:{port}, peer 127.0.0.1:{peer}) for ",
            f"waits for descriptor {read} for ",
        ):
            running.until(told, "stderr")
        running.send(signal.SIGINT).end()


def test_a_wait_in_the_library_is_told_with_the_programs_line_and_not_the_commands() -> None:
    with program(SERVER, "user") as running:
        running.until("ready\n").send(signal.SIGQUIT).until("'pipe'", "stderr").send(signal.SIGINT)
        err = running.end()[2]
    assert re.search(r"'MainThread' .*\n      at .*program\.py:\d+ in main\n", err)
    stack = re.search(r"'MainThread' .*\n      at .*\n        (.*)", err)
    assert stack is not None
    assert stack[1].endswith("in <module>")
    assert "program.py" in stack[1]


def test_sigquit_answers_a_program_that_has_no_descriptor_left(model: str) -> None:
    code = f"""{HEAD}
import resource, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
kept = []
try:
    while True: kept.append(socket.socket())
except OSError: pass
print("ready", flush=True)
threading.Event().wait(60)  # without a time it would be stuck, and told so
"""
    with program(code, model) as running:
        running.until("ready\n")
        until(lambda: "an event to be set" in asked_again(running))  # it may not wait at once
        assert running.send(signal.SIGINT).end()[0] == -signal.SIGINT


def asked_again(running: Running) -> str:
    """What it has printed once it has answered another SIGQUIT."""
    before = running.read("stderr")
    running.send(signal.SIGQUIT)
    until(lambda: len(running.read("stderr")) > len(before))
    return running.read("stderr")


def test_what_no_descriptor_tells_of_is_told_in_words(tmp_path: Path) -> None:
    path = str(tmp_path / "fifo")
    code = f"""{HEAD}
import os, signal, weft
os.mkfifo({path!r})
def show():
    while weft.threads()[0].wait is None: time.sleep(0.001)
    weft.dump(sys.stdout)
    sys.stdout.flush()
    os._exit(0)
threading.Thread(target=lambda: open({path!r}), name="open", daemon=True).start()
threading.Thread(target=show).start()
signal.pause()
"""
    with program(code, "user") as running:
        status, out, err = running.end()
    assert (status, err) == (0, "")
    assert "'MainThread' (blocked) waits for a signal for " in out
    assert "'open' (blocked, daemon) waits for a call on a kernel thread of its own for " in out


def test_sigquit_tells_who_waits_in_c_from_who_runs_on_the_kernel_model() -> None:
    code = """
        import os, select, socket, subprocess, sys, threading
        def spin():
            while True: pass
        here, there = socket.socketpair()
        listener = socket.create_server(("127.0.0.1", 0))
        read, write = os.pipe()
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        ways = {
            "receiver": lambda: here.recv(1),
            "acceptor": listener.accept,
            "selector": lambda: select.select([here], [], []),
            "reader": lambda: os.read(read, 1),
            "parent": child.wait,
            "spinner": spin,
        }
        for name, way in ways.items():
            threading.Thread(target=way, name=name, daemon=True).start()
        threading.Event().wait(0.3)
        print("ready", flush=True)
        threading.Event().wait(60)
    """
    told = "{!r} (running, daemon) waits in a call of the system\n      at "
    waiting = [told.format(name) for name in ("receiver", "acceptor", "selector", "reader", "parent")]
    linux = sys.platform.startswith("linux")
    deadline = time.monotonic() + PATIENCE
    with program(code, "kernel") as running:
        running.until("ready\n")
        err, before = "", 0
        while not err or (linux and not all(each in err for each in waiting)):  # they may come there late
            assert time.monotonic() < deadline, err
            running.send(signal.SIGQUIT)
            while running.read("stderr")[before:].count("'spinner' (running, daemon)\n        ") < 1:
                assert time.monotonic() < deadline, running.all()
                time.sleep(0.005)
            err = running.read("stderr")[before:]
            before += len(err)
    assert linux or not any(each in err for each in waiting)
