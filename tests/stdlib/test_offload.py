"""weft.offload: a call on a kernel thread while its user thread parks."""

import re

import pytest

from tests.support import Finished, needs_gil, run_code

# `hold` sleeps in the kernel, as a C function would that cannot be polled.
HEAD = """
import contextvars, os, signal, sys, threading, time, traceback, weft
from weft.host import clock, threads as kernel
hold = clock.sleep
"""


def run(code: str, model: str = "user", **how: object) -> Finished:
    how.setdefault("timeout", 60)
    return run_code(HEAD + code, model=model, **how)  # type: ignore[arg-type]


def test_the_result_and_the_arguments_go_through(model: str) -> None:
    code = """
def f(*args, **kwargs): return args, kwargs
print(weft.offload(f, 1, 2, function=3, args=4), weft.offload(int, "7"))
"""
    assert run(code, model).check().stdout == "((1, 2), {'function': 3, 'args': 4}) 7\n"


def test_the_others_run_meanwhile() -> None:
    code = """
release = kernel.raw_lock(); release.acquire()
threading.Thread(target=lambda: (time.sleep(0.01), release.release())).start()
weft.offload(release.acquire)
print("end")
"""
    assert run(code).check().stdout == "end\n"


@pytest.mark.parametrize("limit", [1, 8])
def test_a_hundred_calls_share_the_threads_there_may_be(limit: int) -> None:
    code = f"""
now = most = 0
seen, guard = set(), kernel.raw_lock()
def call(n):
    global now, most
    with guard:
        now += 1; most = max(most, now); seen.add(kernel.get_native_id())
    hold(0.002)
    with guard: now -= 1
    return n
got = []
ts = [threading.Thread(target=lambda n=n: got.append(weft.offload(call, n))) for n in range(100)]
for t in ts: t.start()
for t in ts: t.join()
assert sorted(got) == list(range(100)), got
assert threads_of(os.getpid()) <= {limit} + 2
print(most, len(seen), kernel.get_native_id() in seen)
"""
    code = 'def threads_of(pid): return len(os.listdir(f"/proc/{pid}/task"))\n' + code
    done = run(code, env={"WEFT_OFFLOAD_THREADS": str(limit), "WEFT_PS": "0"}).check()
    assert done.stdout == f"{limit} {limit} False\n"


def test_an_exception_comes_with_its_traceback(model: str) -> None:
    code = """
class Odd(BaseException): pass
def outer(): inner()
def inner(): raise Odd("it")
try:
    weft.offload(outer)
except Odd as error:
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)
             if "/weft/" not in frame.filename]
    print(names, error.args, error.__context__)
for bad in (SystemExit(3), KeyboardInterrupt(), StopIteration(5)):
    def fail(): raise bad
    try: weft.offload(fail)
    except BaseException as error: print(error is bad)
"""
    assert (
        run(code, model).check().stdout == "['<module>', 'outer', 'inner'] ('it',) None\nTrue\nTrue\nTrue\n"
    )


@needs_gil("what a kernel thread made is freed when that runs again")
def test_what_the_call_held_is_let_go() -> None:
    code = """
import gc, weakref
gc.disable()
class Thing: pass
def f(thing): return 1
def g(thing): raise ValueError
for function in (f, g):
    thing = Thing(); ref = weakref.ref(thing)
    try: weft.offload(function, thing)
    except ValueError: pass
    del thing
    end = time.monotonic() + 5
    while ref() is not None and time.monotonic() < end: time.sleep(0.001)
    print(ref())
"""
    assert run(code).check().stdout == "None\nNone\n"


def test_context_variables_are_the_caller_s(model: str) -> None:
    code = """
var = contextvars.ContextVar("var", default="none")
got = []
def work(value):
    var.set(value)
    got.append((value, weft.offload(var.get), weft.offload(var.set, "inside") and var.get()))
ts = [threading.Thread(target=work, args=(n,)) for n in range(3)]
for t in ts: t.start()
for t in ts: t.join()
assert all(a == b for a, b, _ in got), got
print(sorted({c == a for a, _, c in got}))
"""
    assert run(code).check().stdout == "[True]\n"


def test_the_kernel_thread_is_not_the_caller() -> None:
    code = """
mine = threading.local(); mine.x = 1
def ask():
    thread = threading.current_thread()
    return (thread is threading.main_thread(), thread in threading.enumerate() and type(thread).__name__,
            hasattr(mine, "x"), threading.get_ident() == threading.main_thread().ident,
            weft.current() in weft.threads())
print(weft.offload(ask), threading.current_thread() is threading.main_thread())
"""
    assert run(code).check().stdout == "(False, '_DummyThread', False, False, False) True\n"


def test_primitives_work_inside_a_call() -> None:
    code = """
import queue
a, b, lock, event = queue.Queue(), queue.Queue(1), threading.Lock(), threading.Event()
def inside():
    with lock: total = a.get()
    b.put(total + 1)
    assert not event.wait(0.01)
    time.sleep(0.001)
    event.set()
    t = threading.Thread(target=a.put, args=("from a thread",)); t.start(); t.join()
    return a.get()
def outside():
    lock.acquire(); time.sleep(0.01); lock.release()
    a.put(1)
    print(b.get()); event.wait()
t = threading.Thread(target=outside); t.start(); time.sleep(0.005)
print(weft.offload(inside)); t.join()
"""
    assert run(code).check().stdout == "2\nfrom a thread\n"


def test_a_call_inside_a_call_is_made_on_the_spot() -> None:
    code = """
me = kernel.get_native_id
print(weft.offload(lambda: weft.offload(me) == me()), weft.offload(me) == me())
"""
    done = run(code, env={"WEFT_OFFLOAD_THREADS": "1"})
    assert done.check().stdout == "True False\n"


@needs_gil("the kernel model is CPython's own threads")
def test_on_kernel_and_without_a_runtime_it_is_just_a_call() -> None:
    code = "me = kernel.get_native_id\nprint(weft.offload(me) == me(), weft.offloaded(me)() == me())"
    assert run(code, "kernel").check().stdout == "True True\n"
    assert run_code(HEAD + code, model=None).check().stdout == "True True\n"


def test_the_decorator_looks_like_the_function(model: str) -> None:
    code = '''
class Bank:
    @weft.offloaded
    def balance(self, account: str, *, currency: str = "EUR") -> int:
        """How much is there."""
        return self, account, currency, kernel.get_native_id()
bank = Bank()
me, *rest, where = bank.balance("a", currency="USD")
print(me is bank, rest, where == kernel.get_native_id())
f = Bank.balance
import inspect
print(f.__name__, f.__qualname__, f.__doc__, f.__module__, inspect.signature(f))
'''
    assert run(code, model).check().stdout == (
        f"True ['a', 'USD'] {model == 'kernel'}\nbalance Bank.balance How much is there. __main__ "
        "(self, account: str, *, currency: str = 'EUR') -> int\n"
    )


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("weft.offload()", "missing 1 required positional argument"),
        ("weft.offload(3)", "weft.offload takes a function and its arguments, not 3"),
        ("weft.offload(print())", "weft.offload takes a function and its arguments, not None"),
        ("weft.offloaded(3)", "is no function but 3"),
        ("weft.offloaded(C)", "C is a class: name a function or a method of it"),
        ("weft.offloaded(gen)", "gen is a generator function: its work is done by whoever takes the items"),
        ("weft.offloaded(co)", "co is a coroutine function: its work is done by an event loop"),
        ("weft.offloaded(ag)", "ag is a coroutine function: its work is done by an event loop"),
    ],
)
def test_what_cannot_be_offloaded_is_refused(call: str, says: str, model: str) -> None:
    code = f"""
class C: pass
def gen(): yield
async def co(): pass
async def ag(): yield
try: {call}
except TypeError as error: print(error)
"""
    assert says in run(code, model).check().stdout


def test_the_wait_says_what_it_is_for() -> None:
    code = """
gate = kernel.raw_lock(); gate.acquire()
class Driver:
    def connect(self): gate.acquire()
t = threading.Thread(target=weft.offload, args=(Driver().connect,), name="caller"); t.start()
while (block := t and weft.threads()[-1]).wait is None: time.sleep(0.001)
print(block.wait.reason.name, block.wait.reason, block.wait.on, block.state.value)
weft.dump()
gate.release(); t.join()
"""
    done = run(code).check()
    assert done.stdout == "OFFLOAD waits for a call on a kernel thread: Driver.connect blocked\n"
    assert re.search(
        r"'caller' \(blocked\) waits for a call on a kernel thread: Driver\.connect for", done.stderr
    )


def test_a_signal_is_handled_and_the_wait_goes_on() -> None:
    code = """
gate = kernel.raw_lock(); gate.acquire()
def handler(number, frame):
    print("handled", threading.current_thread() is threading.main_thread()); gate.release()
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.02)
def f(): gate.acquire(); return "result"
print(weft.offload(f))
"""
    assert run(code).check().stdout == "handled True\nresult\n"


def test_what_a_handler_raises_ends_the_wait_and_drops_the_result() -> None:
    code = """
gate = kernel.raw_lock(); gate.acquire()
def handler(number, frame): raise KeyboardInterrupt
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.02)
def f(): gate.acquire(); return "dropped"
try: weft.offload(f)
except KeyboardInterrupt: print("left")
gate.release()
print(weft.offload(str, "next"))
time.sleep(0.01)
"""
    assert run(code).check().stdout == "left\nnext\n"


def test_a_call_that_nobody_waits_for_any_more_does_not_begin() -> None:
    code = """
gate = kernel.raw_lock(); gate.acquire()
t = threading.Thread(target=weft.offload, args=(gate.acquire,)); t.start()
time.sleep(0.01)
def handler(number, frame): raise KeyboardInterrupt
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.02)
begun = []
try: weft.offload(begun.append, 1)
except KeyboardInterrupt: pass
gate.release(); t.join()
print(weft.offload(str, "next"), begun)
"""
    assert run(code, env={"WEFT_OFFLOAD_THREADS": "1"}).check().stdout == "next []\n"


def test_an_exception_set_from_outside_ends_the_wait() -> None:
    code = """
import ctypes
gate = kernel.raw_lock(); gate.acquire()
def work():
    try: weft.offload(gate.acquire)
    except ValueError: print("thrown")
t = threading.Thread(target=work); t.start()
time.sleep(0.01)
ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(t.ident), ctypes.py_object(ValueError))
gate.release()
t.join(10)
"""
    assert run(code).check().stdout in ("thrown\n", "")  # the result may have come first


def test_the_end_does_not_wait_for_calls_of_daemons(model: str) -> None:
    code = """
if sys.argv[1] == "join":
    threading.Thread(target=lambda: (weft.offload(hold, 0.2), print("joined"))).start()
for _ in range(20):
    threading.Thread(target=weft.offload, args=(hold, 300), daemon=True).start()
time.sleep(0.05)
print("end", flush=True)
"""
    assert run_code(HEAD + code, "no", model=model, timeout=20).check().stdout == "end\n"
    done = run_code(HEAD + code, "join", model=model, timeout=20, env={"WEFT_OFFLOAD_THREADS": "64"})
    assert done.check().stdout == "end\njoined\n"


@needs_gil("functions outlive what their modules hold")
def test_a_call_may_be_made_while_the_interpreter_ends() -> None:
    code = """
import atexit
atexit.register(lambda: print(weft.offload(str, "at exit")))
print(weft.offload(str, "before"))
class Late:
    def __del__(self, out=os.write, offload=weft.offload): out(1, offload(bytes, b"finalizer\\n"))
late = Late()
"""
    assert sorted(run(code).check().stdout.split("\n")) == ["", "at exit", "before", "finalizer"]


def test_a_finalizer_inside_a_collection_calls_on_the_spot() -> None:
    code = """
import gc
class Node:
    def __del__(self): print(weft.offload(kernel.get_native_id) == kernel.get_native_id())
node = Node(); node.self = node; del node
weft.offload(str)
gc.collect()
"""
    done = run(code).check()
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_child_starts_with_no_threads_and_the_parent_goes_on(model: str) -> None:
    code = """
import warnings; warnings.simplefilter("ignore", DeprecationWarning)
gate = kernel.raw_lock(); gate.acquire()
def held(): gate.acquire(); gate.release(); return "parent's"
got = []
ts = [threading.Thread(target=lambda: got.append(weft.offload(held))) for _ in range(3)]
for t in ts: t.start()
weft.offload(str)
time.sleep(0.02)
pid = os.fork()
if pid == 0:
    assert threading.enumerate() == [threading.main_thread()]
    print(weft.offload(str, "child's"), flush=True)
    u = threading.Thread(target=lambda: print(weft.offload(str, "its thread's"), flush=True))
    u.start(); u.join()
    try: threading.Event().wait()
    except weft.DeadlockError: os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
gate.release()
for t in ts: t.join()
print(got, weft.offload(str, "more"))
"""
    done = run(code, model, timeout=20).check()
    assert done.stdout == ('child\'s\nits thread\'s\n7\n["parent\'s", "parent\'s", "parent\'s"] more\n')


def test_no_idle_thread_is_there_when_a_child_is_made() -> None:
    """So that a program which offloads now and then may fork without CPython's warning."""
    code = """
import warnings; warnings.simplefilter("error")
def tasks(): return len(os.listdir("/proc/self/task"))
for _ in range(3):
    ts = [threading.Thread(target=weft.offload, args=(hold, 0.01)) for _ in range(4)]
    for t in ts: t.start()
    for t in ts: t.join()
    time.sleep(0.005)
    before = tasks()
    if (pid := os.fork()) == 0: os._exit(0)
    os.waitpid(pid, 0)
    print(before >= 5, tasks() <= 2)
"""
    done = run(code).check()
    assert done.stdout == "True True\n" * 3


def test_a_call_in_flight_is_no_deadlock_and_its_end_may_be_one() -> None:
    code = """
t = threading.Thread(target=weft.offload, args=(hold, 1.3), name="caller"); t.start()
begun = time.monotonic()
try: threading.Event().wait()
except weft.DeadlockError: print(time.monotonic() - begun > 1.3, t.is_alive())
"""
    done = run(code, timeout=20).check()
    assert done.stdout == "True False\n"
    assert "caller" not in done.stderr.partition("Traceback")[0]


def test_a_dropped_call_may_still_wake_somebody() -> None:
    code = """
event = threading.Event()
signal.signal(signal.SIGINT, signal.default_int_handler)
def late(): hold(0.4); event.set()
threading.Thread(target=lambda: (time.sleep(0.05), os.kill(os.getpid(), signal.SIGINT))).start()
try: weft.offload(late)
except KeyboardInterrupt: pass
print(event.wait())
"""
    done = run(code, timeout=20).check()
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_it_works_beside_the_real_modules() -> None:
    code = """
from weft.stdlib import threading as ours
got = []
ts = [ours.Thread(target=lambda: got.append(weft.offload(kernel.get_native_id))) for _ in range(2)]
for t in ts: t.start()
for t in ts: t.join()
print(kernel.get_native_id() in got, len(got))
"""
    assert run_code(HEAD + code, model=None).check().stdout == "False 2\n"


def test_after_uninstall_it_is_just_a_call() -> None:
    code = """
import weft, os, zlib
weft.install("user")
import hashlib
from weft.host import threads as kernel
fsync, pbkdf2 = os.fsync, hashlib.pbkdf2_hmac
print(weft.offload(kernel.get_native_id) == kernel.get_native_id())
weft.uninstall()
print(weft.offload(kernel.get_native_id) == kernel.get_native_id())
print(os.fsync is fsync, hashlib.pbkdf2_hmac is pbkdf2)
"""
    assert run_code(code, model=None).check().stdout == "False\nTrue\nFalse False\n"
