"""What the hybrid model has of its own: several carriers."""

import signal
import sys

import pytest

from tests.life.programs import program
from tests.support import needs_gil, run_code

HEAD = """
import os, sys, threading, time
import weft
from weft.host import clock
def on_carriers(count=8):
    "So many threads that live at once, and the kernel threads that carry them."
    seen, meeting = {}, threading.Barrier(count + 1)
    def work():
        seen[threading.current_thread().name] = weft.current().carrier.native_id
        meeting.wait()
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads: thread.start()
    meeting.wait()
    for thread in threads: thread.join()
    return set(seen.values())
def until(condition):
    end = time.monotonic() + 10
    while not condition():
        if time.monotonic() > end: raise AssertionError("not in 10 s")
        time.sleep(0.0005)
"""


def printed(code: str, *options: str, **how: object) -> str:
    return run_code(HEAD + code, model="hybrid", options=options, timeout=30, **how).check().stdout  # type: ignore[arg-type]


@pytest.mark.parametrize("carriers", [1, 2, 4])
def test_threads_stand_on_as_many_kernel_threads_as_asked_for(carriers: int) -> None:
    assert int(printed("print(len(on_carriers(24)))", "--carriers", str(carriers))) <= carriers
    code = "import weft.runtime; on_carriers(); print(len(weft.runtime.runtime().model.loops))"
    assert printed(code, "--carriers", str(carriers)) == f"{carriers}\n"
    assert printed(code, env={"WEFT_CARRIERS": str(carriers)}) == f"{carriers}\n"


def test_install_takes_the_number_of_carriers() -> None:
    code = """
import weft
weft.install("hybrid", carriers=3)
import threading
threads = [threading.Thread(target=sum, args=((1, 2),)) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
import weft.runtime
model = weft.runtime.runtime().model
print(model.name, len(model.loops))
weft.uninstall()
print("gone")
"""
    assert run_code(code, model=None).check().stdout == "hybrid 3\ngone\n"


@pytest.mark.parametrize("carriers", ["0", "65", "two"])
def test_a_number_of_carriers_that_cannot_be_is_refused(carriers: str) -> None:
    done = run_code("", model="hybrid", options=("--carriers", carriers))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "carriers" in done.stderr


def test_a_carrier_that_sits_in_c_holds_up_nobody_else() -> None:
    code = """
on_carriers()
went, out = [], []
def block():
    went.append(weft.current().carrier.native_id)
    clock.sleep(1.0)  # the kernel's own sleep: a C call of which weft knows nothing
    out.append(time.monotonic())
threading.Thread(target=block).start()
until(lambda: went)
time.sleep(0.05)
done = []
def quick():
    done.append(weft.current().carrier.native_id)
for _ in range(20): threading.Thread(target=quick).start()
until(lambda: len(done) == 20)
if went[0] != os.getpid():  # else it was main's own
    assert not out, "they had to wait"
    assert went[0] not in done
"""
    printed(code, "--carriers", "2", "--blocked-limit", "0")


def test_a_call_that_is_due_on_a_carrier_in_c_is_made_on_another() -> None:
    code = """
on_carriers()
seen = []
def block():
    undone = weft.call_later(0.05, seen.append, "undone")
    weft.call_later(0.05, seen.append, "called")
    weft.call_later(60, seen.append, "much later")
    undone.cancel()
    clock.sleep(1.0)  # a C call of which weft knows nothing
    seen.append("out")
threading.Thread(target=block).start()
until(lambda: len(seen) == 2)
print(seen)
"""
    assert printed(code, "--carriers", "2", "--blocked-limit", "0") == "['called', 'out']\n"


def test_threads_that_spin_on_every_carrier_take_turns() -> None:
    code = """
counts, over = [0] * 6, []
def spin(which):
    while not over: counts[which] += 1
threads = [threading.Thread(target=spin, args=(n,)) for n in range(6)]
for thread in threads: thread.start()
until(lambda: all(counts))
time.sleep(0.3)
over.append(1)
for thread in threads: thread.join()
"""
    printed(code, "--carriers", "3")


def test_loops_of_one_instruction_take_turns() -> None:
    code = """
begun = []
def spin():
    begun.append(1)
    while True: pass
for _ in range(6): threading.Thread(target=spin, daemon=True).start()
until(lambda: len(begun) == 6)
"""
    printed(code, "--carriers", "3")


@pytest.mark.parametrize("body", ["\n        x = 1", "x = 1", "pass"])
def test_an_exception_is_thrown_at_a_thread_that_spins_on_another_carrier(body: str) -> None:
    code = f"""
import ctypes
class Stop(Exception): pass
met, begun = [], []
def loop():
    while True: {body}
def spin():
    begun.append(1)
    try: loop()
    except Stop: met.append(1)
threads = [threading.Thread(target=spin) for _ in range(4)]
for thread in threads: thread.start()
until(lambda: len(begun) == 4)
for thread in threads:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stop))
for thread in threads: thread.join(10)
print(len(met))
"""
    assert printed(code, "--carriers", "2") == "4\n"


def test_each_carrier_has_a_policy_of_its_own_and_an_inbox() -> None:
    code = """
import queue
items, got = queue.Queue(2), []
def take():
    while (item := items.get()) is not None: got.append(item)
threads = [threading.Thread(target=take) for _ in range(6)]
for thread in threads: thread.start()
for number in range(3000): items.put(number)
for _ in threads: items.put(None)
for thread in threads: thread.join()
assert sorted(got) == list(range(3000))
"""
    for policy in ("priority", "fair"):
        printed(code, "--carriers", "3", "--policy", policy)


@pytest.mark.parametrize("wait", ["clock.sleep(30)", "spin()", "time.sleep(30)", "threading.Event().wait()"])
def test_a_program_ends_beside_busy_carriers(wait: str) -> None:
    code = f"""
def spin():
    while True: pass
def work():
    begun.append(1)
    {wait}
begun = []
for _ in range(6): threading.Thread(target=work, daemon=True).start()
end = time.monotonic() + {0.5 if wait.startswith("clock") else 5}
while len(begun) < {1 if wait.startswith("clock") else 6} and time.monotonic() < end: time.sleep(0.001)
print("the end")
"""
    if wait.startswith("clock"):  # one that does not take main's own carrier
        code = code.replace("for _ in range(6): threading", "on_carriers()\nfor _ in range(1): threading")
        code = code.replace(
            "begun.append(1)\n",
            "begun.append(1)\n    if weft.current().carrier.native_id == os.getpid(): return\n",
        )
    done = run_code(HEAD + code, model="hybrid", options=("--carriers", "3"), timeout=20).check()
    assert (done.stdout, done.stderr) == ("the end\n", "")


def test_the_end_beside_spinning_carriers_is_the_same_each_time() -> None:
    code = """
def spin():
    begun.append(1)
    while True: pass
begun = []
for _ in range(6): threading.Thread(target=spin, daemon=True).start()
while len(begun) < 6: time.sleep(0.001)
print("the end")
"""
    for _ in range(8):
        done = run_code(HEAD + code, model="hybrid", options=("--carriers", "3"), timeout=20).check()
        assert (done.stdout, done.stderr) == ("the end\n", "")


def test_a_call_in_c_that_returns_while_the_interpreter_is_taken_apart_sleeps_for_good() -> None:
    code = """
import types
class Late:
    def __del__(self, sleep=clock.sleep, write=os.write, tasks=os.listdir):
        before = len(tasks("/proc/self/task"))
        sleep(0.4)
        write(1, f"{before - len(tasks('/proc/self/task'))} ended\\n".encode())
def work(depth):
    if depth: return max(map(work, [depth - 1]))  # a C stack of many sizes
    for _ in range(3): time.sleep(0.001)
    if weft.current().carrier.native_id != os.getpid():
        begun.append(1)
        clock.sleep(0.25)
    return 1
begun = []
for depth in range(30): threading.Thread(target=work, args=(depth,), daemon=True).start()
until(lambda: begun)
module = types.ModuleType("taken_apart")
sys.modules[module.__name__] = module
module.late = Late()
del module
"""
    done = run_code(HEAD + code, model="hybrid", options=("--carriers", "3"), timeout=20).check()
    assert (done.stdout, done.stderr) == ("0 ended\n", "")


def test_any_thread_of_any_carrier_may_fork() -> None:
    code = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
bad = []
def fork():
    for _ in range(5):
        pid = os.fork()
        if pid == 0:
            box = []
            def work(): box.append(threading.get_native_id() == os.getpid())
            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            signal_mask = __import__("signal").pthread_sigmask(0, ())
            os._exit(7 if len(box) == 4 and not signal_mask else 1)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if status != 7: bad.append(status)
threads = [threading.Thread(target=fork) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(bad)
"""
    assert printed(code, "--carriers", "3") == "[]\n"


def test_a_fork_and_the_end_beside_a_carrier_that_stays_in_c() -> None:
    code = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
stays = []
def stay():
    if weft.current().carrier.native_id != os.getpid():
        stays.append(1)
        clock.sleep(60)
on_carriers()
until(lambda: threading.Thread(target=stay, daemon=True).start() or stays)
def squares(count=20):
    done = []
    threads = [threading.Thread(target=lambda n=n: done.append(n * n)) for n in range(count)]
    for thread in threads: thread.start()
    for thread in threads: thread.join(10)
    return sorted(done) == [n * n for n in range(count)]
for _ in range(3):
    pid = os.fork()
    if pid == 0: os._exit(7 if squares() else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), squares())
"""
    assert printed(code, "--carriers", "2") == "7 True\n" * 3


def test_children_of_threads_on_any_carrier_take_signals() -> None:
    code = """
import subprocess
found = []
def child():
    show = "import signal; print(sorted(signal.pthread_sigmask(0, ())))"
    found.append(subprocess.run([sys.executable, "-c", show], capture_output=True, text=True).stdout)
threads = [threading.Thread(target=child) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(set(found))
"""
    assert printed(code, "--carriers", "2") == "{'[]\\n'}\n"


def test_a_signal_that_a_thread_raises_is_met_by_main_whatever_carries_the_thread() -> None:
    code = """
import signal
met = []
signal.signal(signal.SIGUSR1, lambda number, frame: met.append(threading.current_thread().name))
def work():
    signal.raise_signal(signal.SIGUSR1)
for _ in range(40):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
print(len(met), set(met))
def refused():
    try: signal.raise_signal(1000)
    except (OSError, ValueError) as error: errors.append(type(error).__name__)
errors = []
threads = [threading.Thread(target=refused) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(errors), len(set(errors)))
"""
    assert printed(code, "--carriers", "3") == "40 {'MainThread'}\n6 1\n"


@needs_gil("main may be a step further before it looks")
def test_a_signal_that_was_raised_before_main_is_let_on_is_met_before_it_goes_on() -> None:
    code = """
import _thread, signal
met, late = [], 0
for number in (signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, lambda number, frame: met.append(number))
gate = _thread.allocate_lock()
def raise_both():
    signal.raise_signal(signal.SIGUSR1)
    signal.raise_signal(signal.SIGUSR2)
    gate.release()
for _ in range(60):
    gate.acquire()
    _thread.start_new_thread(raise_both, ())  # may be over before this returns, on another carrier
    gate.acquire()
    late += sorted(met) != [signal.SIGUSR1, signal.SIGUSR2]
    met.clear()
    gate.release()
print(late)
"""
    assert printed(code, "--carriers", "2") == "0\n"


def test_ctrl_c_reaches_main_while_carriers_spin() -> None:
    code = f"""{HEAD}
def spin():
    while True: pass
for _ in range(4): threading.Thread(target=spin, daemon=True).start()
try:
    print("ready", flush=True)
    threading.Event().wait()
except KeyboardInterrupt: print("interrupted", flush=True)
"""
    with program(code, "hybrid", ("--carriers", "3")) as running:
        assert running.until("ready\n").send(signal.SIGINT).end() == (0, "ready\ninterrupted\n", "")


def test_a_socket_is_read_on_the_carrier_of_its_reader() -> None:
    code = """
import socket
on_carriers()
one, two = socket.socketpair()
for _ in range(200):
    box = []
    reader = threading.Thread(target=lambda: box.append(two.recv(1)))
    reader.start()
    one.send(b"x")
    reader.join(10)
    assert box == [b"x"], box
errors = []
def read():
    try: two.recv(1)
    except OSError as error: errors.append(error.errno)
threads = [threading.Thread(target=read) for _ in range(4)]
for thread in threads: thread.start()
until(lambda: all(b.wait for b in weft.threads()[1:]))
two.close()
for thread in threads: thread.join(10)
assert len(errors) == 4, errors
"""
    printed(code, "--carriers", "3")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="threading has no such functions before")
def test_a_trace_function_for_all_reaches_every_carrier() -> None:
    code = """
over, begun, seen = [], [], set()
def spin():
    begun.append(1)
    while not over: step()
def step(): pass
threads = [threading.Thread(target=spin) for _ in range(4)]
for thread in threads: thread.start()
until(lambda: len(begun) == 4)
threading.setprofile_all_threads(lambda frame, event, arg: seen.add(threading.current_thread().name))
names = {thread.name for thread in threads}
until(lambda: names <= seen)
threading.setprofile_all_threads(None)
over.append(1)
for thread in threads: thread.join()
"""
    printed(code, "--carriers", "2")
