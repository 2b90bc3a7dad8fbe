"""Names of hosts: a look-up that asks other machines parks its thread alone."""

import fcntl
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.support import run_code

# The resolver of these programs: numbers as C has them, "slow" after a while, all else unknown. It stands
# where the C function stood, below what weft puts in place.
HEAD = """
import _socket, sys
sys.modules.pop("socket", None)
from weft.host import clock, threads as kernel
real = _socket.getaddrinfo.__wrapped__ if hasattr(_socket.getaddrinfo, "__wrapped__") else _socket.getaddrinfo
where = []
def resolver(host, port, family=0, type=0, proto=0, flags=0):
    where.append((host, kernel.get_ident() == carrier))
    if host == "slow":
        gate.acquire()
        host = "::1" if family == _socket.AF_INET6 else "127.0.0.1"
    elif not (host is None or host[:1].isdigit() or ":" in host or host == "localhost"):
        raise _socket.gaierror(-2, "Name or service not known")
    return real(host, port, family, type, proto, flags)
carrier = kernel.get_ident()
gate = kernel.raw_lock(); gate.acquire()
"""
FAKE = (
    HEAD
    + """
import weft.stdlib.sockets, weft.stdlib.names
for name in ("getaddrinfo",): setattr(_socket, name, resolver)
for name in ("connect", "connect_ex", "bind", "sendto", "sendmsg"):
    method = getattr(weft.stdlib.sockets.socket, name)
    setattr(weft.stdlib.sockets.socket, name, getattr(method, "__wrapped__", method))
weft.stdlib.names.supply_names(_socket, weft.stdlib.sockets.socket)
import socket, threading, time, weft
other = threading.Thread(target=lambda: (time.sleep(0.005), gate.release()))
"""
)


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ("socket.getaddrinfo('slow', 80, type=socket.SOCK_STREAM)[0][4]", "('127.0.0.1', 80)"),
        ("socket.socket().connect_ex(('slow', 1))", "111"),
        ("(u.sendto(b'x', ('slow', port)), peer.recv(1))", "(1, b'x')"),
        ("(u.sendto(b'x', 0, ('slow', port)), peer.recv(1))", "(1, b'x')"),
        ("(u.sendmsg([b'x'], [], 0, ('slow', port)), peer.recv(1))", "(1, b'x')"),
        ("(u.bind(('slow', 0)), u.getsockname()[0])[1]", "127.0.0.1"),
        ("(u.bind((b'slow', 0)), u.getsockname()[0])[1]", "127.0.0.1"),
        ("(v6.bind(('slow', 0, 0, 0)), v6.getsockname()[0])[1]", "::1"),
    ],
)
def test_a_name_that_takes_long_holds_up_its_thread_alone(call: str, shown: str) -> None:
    code = f"""
u, peer = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
peer.bind(("127.0.0.1", 0)); port = peer.getsockname()[1]
try: v6 = socket.socket(socket.AF_INET6); v6.bind(("::1", 0)); v6 = socket.socket(socket.AF_INET6)
except OSError: v6 = None
other.start()
print({call} if v6 or "v6" not in {call!r} else {shown!r})
print([w for w in where if w[0] in ("slow", b"slow")] in ([("slow", False)], [(b"slow", False)], []))
"""
    done = run_code(FAKE.replace('host == "slow"', 'host in ("slow", b"slow")') + code, timeout=20).check()
    assert done.stdout == f"{shown}\nTrue\n"


def test_what_asks_nobody_stays_on_the_carrier() -> None:
    code = """
other = threading.Thread(target=time.sleep, args=(0.5,), daemon=True); other.start()
for host in ("127.0.0.1", "::1", "fe80::1%lo", "127.1", "localhost", None, b"10.0.0.1"):
    try: _socket.getaddrinfo(host, 80, 0, 0, 0, socket.AI_PASSIVE)
    except (socket.gaierror, AttributeError, TypeError): pass
try: socket.getaddrinfo("some.name", 80, flags=socket.AI_NUMERICHOST)
except socket.gaierror: pass
u = socket.socket(type=socket.SOCK_DGRAM); u.bind(("", 0)); u.bind
u.sendto(b"", ("127.0.0.1", u.getsockname()[1]))
print(all(on_carrier for _, on_carrier in where), len(where))
"""
    assert run_code(FAKE + code, timeout=20).check().stdout == "True 8\n"


def test_alone_a_program_looks_up_on_the_spot() -> None:
    code = "gate.release(); socket.getaddrinfo('slow', 80); print(where)"
    assert run_code(FAKE + code, timeout=20).check().stdout == "[('slow', True)]\n"


ERRORS = """
import socket, threading, time
threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
def show(function):
    try: print(function())
    except Exception as error: print(type(error).__module__, type(error).__name__, error)
t = socket.socket(); u = socket.socket(type=socket.SOCK_DGRAM); x = socket.socket(socket.AF_UNIX)
v6 = socket.socket(socket.AF_INET6) if socket.has_ipv6 else u
long = "a" * 70 + ".com"
for host in ("nosuch.invalid", long, "x..y", "\\udc80", "a\\0b", "\\xe4.invalid", "1.2.3", "1.2.3.4.5",
             "::zz", "", "<broadcast>", b"nosuch.invalid", bytearray(b"127.0.0.1"), b"\\xff", 3, None, ["a"]):
    for s in (t, u, v6):
        for port in (1, 70000, "80", None):
            show(lambda: s.bind((host, port)))
            show(lambda: u.sendto(b"", (host, port)) and 0)
        show(lambda: s.bind((host,)))
    show(lambda: x.bind((host, 1)))
    show(lambda: t.connect_ex((host, 70000)))
    show(lambda: sorted(socket.getaddrinfo(host, 80, socket.AF_INET))[:1])
    show(lambda: socket.gethostbyname(host))
    show(lambda: socket.gethostbyname_ex(host)[2])
    if host not in ("", None, 3, "<broadcast>"): show(lambda: bool(socket.gethostbyaddr(host)))
    show(lambda: socket.getnameinfo((host, 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV))
show(lambda: socket.getaddrinfo())
show(lambda: u.sendto())
show(lambda: t.connect_ex())
show(lambda: t.connect_ex("nosuch.invalid"))
show(lambda: t.connect(("nosuch.invalid", 80)))
show(lambda: v6.connect_ex(("::1", 1, 0, 0, 0)))
show(lambda: u.sendmsg([b""], [], 0, ("nosuch.invalid", 80)))
show(lambda: socket.create_connection(("nosuch.invalid", 80)))
show(lambda: socket.getfqdn("nosuch.invalid"))
show(lambda: socket.gethostbyname("localhost"))
show(lambda: socket.getnameinfo(("127.0.0.1", 80), 0)[1])
"""


def test_errors_are_cpython_s(model: str) -> None:
    with open(Path(tempfile.gettempdir(), "weft-test-ports"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the ports are given: the suites of two Pythons would clash
        ours, theirs = run_code(ERRORS, model=model).check().stdout, plain_errors()
    assert without_arity(ours) == without_arity(theirs)


@cache
def plain_errors() -> str:
    """What the plain interpreter prints, asked once: names that are looked up in vain take seconds."""
    return run_code(ERRORS, model=None).check().stdout


def without_arity(text: str) -> list[str]:
    """How a call with too few arguments is refused is in the words of a Python function here."""
    return ["TypeError" if "argument" in line and "TypeError" in line else line for line in text.splitlines()]
