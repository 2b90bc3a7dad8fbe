"""fork: the child has the calling thread alone, on a runtime that works, and ends as its thread does."""

import warnings
from functools import cache

import pytest

from tests.support import Finished, run_code

HEAD = """
import os, queue, sys, threading, time, warnings, weft
warnings.simplefilter("ignore", DeprecationWarning)
def wait_for(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""
CHECK = """
def check():
    assert threading.current_thread() is threading.main_thread(), threading.current_thread()
    assert threading.enumerate() == [threading.current_thread()], threading.enumerate()
    assert len(weft.threads()) == 1, weft.threads()
    assert threading.get_ident() == threading.current_thread().ident
    q, got = queue.Queue(1), []
    ts = [threading.Thread(target=lambda: got.append(q.get())) for _ in range(3)]
    for t in ts: t.start()
    for n in range(3): q.put(n)
    for t in ts: t.join()
    assert sorted(got) == [0, 1, 2]
    time.sleep(0.005)
    assert not threading.Event().wait(0.005)
    flag = []
    t = threading.Thread(target=lambda: flag.append(1)); t.start()
    end = time.monotonic() + 5
    while not flag:
        assert time.monotonic() < end, "not preempted"
    t.join()
    with threading.RLock(), threading.Lock(): pass
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor(2) as pool: assert pool.submit(pow, 2, 2).result() == 4
    sys.stdout.write("checked\\n"); sys.stdout.flush()
"""


@cache
def run(code: str, model: str | None) -> Finished:
    with warnings.catch_warnings():
        return run_code(HEAD + CHECK + code, model=model, timeout=30)


@pytest.mark.parametrize(
    "others", ["", "ts = [threading.Thread(target=go.wait) for _ in range(3)]\nfor t in ts: t.start()"]
)
def test_a_child_of_main_works(others: str, model: str) -> None:
    code = f"""
go = threading.Event()
{others}
pid = os.fork()
if pid == 0:
    check()
    os._exit(7)
print(wait_for(pid))
go.set()
"""
    done = run(code, model).check()
    assert done.stdout == "checked\n7\n"
    assert done.stderr == ""


@pytest.mark.parametrize("how", ["return", "raise ValueError", "sys.exit(5)", "os._exit(5)", "atexit"])
def test_a_child_of_main_ends_as_python_s_does(how: str, model: str) -> None:
    code = f"""
go = threading.Event()
t = threading.Thread(target=go.wait); t.start()
import atexit
atexit.register(lambda: os.write(1, b"atexit\\n"))
def main():
    pid = os.fork()
    if pid == 0:
        {"return" if how == "atexit" else how}
    else:
        print(wait_for(pid), flush=True)
        go.set()
main()
"""
    expected, got = run(code, None), run(code, model)
    assert (got.returncode, got.stdout) == (expected.returncode, expected.stdout), got


@pytest.mark.parametrize("how", ["pass", "raise ValueError", "sys.exit(5)", "os._exit(5)"])
def test_a_child_of_a_thread_lives_and_ends_as_python_s_does(how: str, model: str) -> None:
    code = f"""
go = threading.Event()
def work():
    pid = os.fork()
    if pid == 0:
        check()
        {how}
    else:
        print(wait_for(pid), flush=True)
        go.set()
t = threading.Thread(target=work); t.start()
other = threading.Thread(target=go.wait); other.start()
t.join()
print("main goes on")
"""
    expected, got = run(code.replace("check()", "print('checked', flush=True)"), None), run(code, model)
    assert (got.returncode, got.stdout) == (expected.returncode, expected.stdout), got


def test_a_lock_of_the_forking_thread_is_still_its_own(model: str) -> None:
    code = """
rlock, lock = threading.RLock(), threading.Lock()
mine = threading.local()
mine.x = 1
with rlock, lock:
    pid = os.fork()
    if pid == 0:
        assert rlock._is_owned() and lock.locked() and mine.x == 1
        lock.release()
        lock.acquire()
        os._exit(0)
print(wait_for(pid))
"""
    assert run(code, model).check().stdout == "0\n"


def test_a_grandchild_works_too(model: str) -> None:
    code = """
t = threading.Thread(target=time.sleep, args=(0.01,)); t.start()
pid = os.fork()
if pid == 0:
    pid = os.fork()
    if pid == 0:
        check()
        os._exit(3)
    os._exit(wait_for(pid))
print(wait_for(pid))
"""
    assert run(code, model).check().stdout == "checked\n3\n"


def test_the_parent_goes_on_with_all_its_threads(model: str) -> None:
    code = """
counts, stop = [0, 0], False
def spin(n):
    while not stop: counts[n] += 1
ts = [threading.Thread(target=spin, args=(n,)) for n in range(2)]
for t in ts: t.start()
for _ in range(5):
    pid = os.fork()
    if pid == 0: os._exit(0)
    wait_for(pid)
    before, deadline = list(counts), time.monotonic() + 20
    while not all(now > was for now, was in zip(counts, before)) and time.monotonic() < deadline:
        time.sleep(0.005)
    if time.monotonic() >= deadline: print(before, counts)
stop = True
for t in ts: t.join()
print("end")
"""
    assert run(code, model).check().stdout == "end\n"


def test_a_child_can_be_stuck_too(model: str) -> None:
    code = """
t = threading.Thread(target=time.sleep, args=(0.01,)); t.start()
pid = os.fork()
if pid == 0:
    t = threading.Thread(target=threading.Event().wait); t.start()
    try: t.join()
    except weft.DeadlockError: os._exit(4)
print(wait_for(pid))
"""
    assert run(code, model).check().stdout == "4\n"


def test_a_subprocess_can_be_run_from_a_thread(model: str) -> None:
    code = """
import subprocess
got = []
def work():
    got.append(subprocess.run([sys.executable, "-c", "print(42)"], capture_output=True, text=True).stdout)
ts = [threading.Thread(target=work) for _ in range(2)]
for t in ts: t.start()
for t in ts: t.join()
print(got)
"""
    assert run(code, model).check().stdout == "['42\\n', '42\\n']\n"


def test_nothing_is_handed_to_threads_that_the_fork_left_behind(model: str) -> None:
    code = """
lock, items, units = threading.Lock(), queue.Queue(), threading.Semaphore(0)
ran = []
def take_lock():
    with lock: ran.append("lock")
def take_item(): ran.append(items.get())
def take_unit(): ran.append(units.acquire())
lock.acquire()
ts = [threading.Thread(target=f) for f in (take_lock, take_item, take_unit)]
for t in ts: t.start()
while not all(b.wait for b in weft.threads()[1:]): time.sleep(0.001)
pid = os.fork()
if pid == 0:
    lock.release(); items.put("item"); units.release()
    time.sleep(0.02)
    assert ran == [], ran
    assert lock.acquire(timeout=1) and items.get(timeout=1) == "item" and units.acquire(timeout=1)
    os._exit(5)
print(wait_for(pid))
lock.release(); items.put("mine"); units.release()
for t in ts: t.join()
print(sorted(map(str, ran)))
"""
    assert run(code, model).check().stdout == "5\n['True', 'lock', 'mine']\n"


SOCKETS = """
import socket
def listening(): return socket.create_server(("127.0.0.1", 0))
def until_parked(count):
    if weft.threads()[0].carrier.poller is None: return time.sleep(0.05)
    while sum(b.wait is not None for b in weft.threads()[1:]) < count: time.sleep(0.001)
"""


def test_a_reader_that_the_fork_left_behind_takes_nothing_in_the_child(model: str) -> None:
    code = (
        SOCKETS
        + """
here, there = socket.socketpair()
got = []
t = threading.Thread(target=lambda: got.append(here.recv(10))); t.start()
until_parked(1)
pid = os.fork()
if pid == 0:
    time.sleep(0.02)
    there.send(b"from the child")
    time.sleep(0.02)
    os._exit(len(got))
print(wait_for(pid))
t.join()
print(got)
"""
    )
    assert run(code, model).check().stdout == "0\n[b'from the c']\n"


def test_connections_go_on_in_parent_and_child(model: str) -> None:
    code = (
        SOCKETS
        + """
listener = listening()
address = listener.getsockname()
def echo(c):
    with c:
        while data := c.recv(100): c.sendall(data.upper())
def serve(n):
    for _ in range(n): threading.Thread(target=echo, args=(listener.accept()[0],)).start()
def ask(c, data):
    c.sendall(data)
    return c.recv(100)
server = threading.Thread(target=serve, args=(3,)); server.start()
mine, childs = socket.create_connection(address), socket.create_connection(address)
assert ask(mine, b"a") == b"A" and ask(childs, b"b") == b"B"
until_parked(3)
pid = os.fork()
if pid == 0:
    mine.close()
    for n in range(50): assert ask(childs, b"child") == b"CHILD"
    here, there = socket.socketpair()
    t = threading.Thread(target=lambda: here.send(here.recv(10))); t.start()
    time.sleep(0.005)
    assert ask(there, b"own") == b"own"
    t.join()
    new = socket.create_connection(address)  # served by the parent
    assert ask(new, b"new") == b"NEW"
    os._exit(6)
childs.close()
for n in range(50): assert ask(mine, b"parent") == b"PARENT"
print(wait_for(pid))
mine.close()
server.join()
listener.close()
"""
    )
    assert run(code, model).check().stdout == "6\n"
