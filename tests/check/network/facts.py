"""What sockets do, one fact a line: `facts.py FILE`. Run plainly and under a check it has to say the same."""

import errno
import re
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

LINGER = struct.pack("ii", 1, 0)
EVENTS = 0x3FFF
told: list[str] = []


def tell(name: str, call: Callable[[], Any]) -> None:
    try:
        text = repr(call())
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
    text = re.sub(r"\b[1-9]\d{3,9}\b", "N", text)  # ports and descriptors
    told.append(f"{name}: {re.sub(r'fd=[0-9]+', 'fd=N', text)}")


def settle() -> None:
    """Give the system time to deliver."""
    time.sleep(0.01)


def settled(value: Any) -> Any:
    settle()
    return value


def set_timeout(s: socket.socket, seconds: float) -> bool:
    s.settimeout(seconds)
    return True


def connected(listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    one = socket.create_connection(listener.getsockname())
    other, _ = listener.accept()
    return one, other


def polled(thing: socket.socket) -> list[int]:
    poll = select.poll()
    poll.register(thing, EVENTS)
    return [found & ~0x3C0 for _, found in poll.poll(0)]  # without those for bands


def unconnected() -> None:
    with socket.socket() as s:
        for name, call in (
            ("poll", lambda: polled(s)),
            ("recv", lambda: s.recv(1)),
            ("send", lambda: s.send(b"x")),
            ("shutdown", lambda: s.shutdown(2)),
            ("peer", s.getpeername),
            ("name", s.getsockname),
            ("accept", s.accept),
            ("sendto", lambda: s.sendto(b"x", ("127.0.0.1", 9))),
            ("no tuple", lambda: s.connect("x")),
            ("no pair", lambda: s.connect(("127.0.0.1",))),
            ("port as text", lambda: s.connect(("127.0.0.1", "1"))),
            ("port too large", lambda: s.connect(("127.0.0.1", 70000))),
            ("shutdown how", lambda: s.shutdown(7)),
            ("negative timeout", lambda: s.settimeout(-1)),
            ("timeout as text", lambda: s.settimeout("1")),  # type: ignore[arg-type]
            ("timeout", lambda: (set_timeout(s, 3), s.gettimeout(), s.getblocking(), s.timeout)),
            ("blocking", lambda: (set_timeout(s, 0), s.gettimeout(), s.getblocking())),
            ("base", lambda: repr(socket.SocketType.__repr__(s))),
        ):
            tell(f"unconnected {name}", call)
    with socket.socket(socket.AF_UNIX) as u:
        for name, call in (
            ("recv", lambda: u.recv(1)),
            ("send", lambda: u.send(b"x")),
            ("peer", u.getpeername),
            ("name", u.getsockname),
            ("shutdown", lambda: u.shutdown(2)),
            ("accept", u.accept),
            ("listen", u.listen),
            ("connect to nothing", lambda: u.connect("/nowhere/at/all")),
            ("connect to nothing abstract", lambda: u.connect("\0weft nobody")),
            ("connect to a tuple", lambda: u.connect(("a", 1))),
            ("connect far", lambda: u.connect("a" * 200)),
            ("bind where no folder is", lambda: u.bind("/nowhere/at/all")),
        ):
            tell(f"local {name}", call)


def without_waiting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        address = listener.getsockname()
        client.setblocking(False)
        tell("connect at once", lambda: client.connect(address))
        tell("is writable", lambda: select.select([], [client], [], 1)[1] == [client])
        tell("connect again", lambda: client.connect(address))
        tell("connect a third time", lambda: client.connect(address))
        tell("connect_ex", lambda: client.connect_ex(address))
        tell("recv of nothing", lambda: client.recv(1))
        tell("listen on a connection", client.listen)
        settle()
        tell("poll of a listener", lambda: polled(listener))
        listener.accept()[0].close()
        tell("poll of an empty listener", lambda: polled(listener))
        listener.settimeout(0)
        tell("accept at once", listener.accept)
    with socket.socket() as refused:
        refused.setblocking(False)
        tell("connect to nobody", lambda: refused.connect(("127.0.0.1", 1)))
        tell("and look", lambda: [len(each) for each in select.select([refused], [refused], [refused], 1)])
        tell("its error", lambda: refused.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        tell("its error again", lambda: refused.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        tell(
            "recv then",
            lambda: refused.connect_ex(("127.0.0.1", 1)) in (errno.EINPROGRESS, errno.ECONNABORTED),
        )


def binding() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as other:
        address = listener.getsockname()
        tell("bind where one listens", lambda: other.bind(address))
        other.bind(("127.0.0.1", 0))
        tell("bind twice", lambda: other.bind(("127.0.0.1", 0)))
        tell("connect where nobody listens", lambda: socket.create_connection(other.getsockname()))
        tell("connect to port 0", lambda: socket.create_connection(("127.0.0.1", 0)))
        tell("repr", lambda: listener)
        tell("connect to all", lambda: socket.create_connection(("0.0.0.0", address[1])).getpeername()[0])
        tell("connect a listener", lambda: listener.connect(address))
    tell("accept on a closed one", listener.accept)
    tell("name of a closed one", listener.getsockname)
    tell("repr of a closed one", lambda: listener)
    tell("connect to what is closed", lambda: socket.create_connection(address))
    ended = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(ended.getsockname())
    ended.shutdown(socket.SHUT_RDWR)
    tell("accept after shutdown", ended.accept)
    tell("who was not accepted", lambda: client.recv(1))


def ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one, other = connected(listener)
        other.send(b"abc")
        one.send(b"zzz")
        settle()
        one.close()
        for number in range(3):
            tell(f"recv {number} after a close with unread data", lambda: other.recv(10))
        for name, call in (("send", lambda: other.send(b"q")), ("peer", other.getpeername)):
            tell(f"{name} after it", call)
        tell("shutdown after it", lambda: other.shutdown(1))
        one, other = connected(listener)
        one.close()
        settle()
        tell("poll after a close", lambda: polled(other))
        for number in range(3):
            tell(f"send {number} after a close", lambda: settled(other.send(b"a")))
        tell("recv after a close", lambda: other.recv(1))
        tell("peer after a close", other.getpeername)
        one, other = connected(listener)
        one.shutdown(socket.SHUT_WR)
        tell("recv after half a close", lambda: other.recv(1))
        tell("send after half a close", lambda: other.send(b"ok"))
        tell("recv of it", lambda: one.recv(5))
        tell("send on the closed half", lambda: one.send(b"1"))
        other.shutdown(socket.SHUT_WR)
        tell("shutdown when both have", lambda: one.shutdown(2))
        one, other = connected(listener)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        other.send(b"1")
        one.close()
        settle()
        tell("poll after a reset", lambda: polled(other))
        tell("send after a reset", lambda: other.send(b"a"))
        tell("recv after a reset", lambda: other.recv(1))
        one, other = connected(listener)
        other.shutdown(socket.SHUT_RD)
        tell("recv after shutting it down", lambda: other.recv(1))
        tell("send to who shut it down", lambda: [one.send(b"a"), one.send(b"a")])
        settle()
        tell("recv then", lambda: other.recv(5))


def pairs() -> None:
    one, other = socket.socketpair()
    tell("names of a pair", lambda: (one.getsockname(), one.getpeername()))
    tell("recvfrom of a pair", lambda: (other.send(b"abc"), one.recvfrom(2))[1])
    tell("recvmsg of a pair", lambda: one.recvmsg(2))
    one.send(b"x")
    other.close()
    tell("recv from a closed pair", lambda: one.recv(1))
    tell("send to a closed pair", lambda: one.send(b"x"))
    tell("poll of a closed pair", lambda: polled(one))
    tell("negative count", lambda: one.recv(-1))
    tell("text", lambda: one.send("x"))  # type: ignore[arg-type]
    tell("recv_into too little", lambda: one.recv_into(bytearray(2), 3))
    tell("recvfrom_into too little", lambda: one.recvfrom_into(bytearray(2), 3))
    one, other = socket.socketpair()
    double = one.dup()
    one.close()
    tell("a duplicate", lambda: (other.send(b"abc"), double.recv(9))[1])
    number = double.detach()
    tell("detached", lambda: (double.fileno(), socket.socket(fileno=number).family))
    one, other = socket.socketpair()
    with one.makefile("rw") as file:
        file.write("line\nmore")
        file.flush()
        tell("a file", lambda: other.recv(100))
        other.sendall(b"one\ntwo\n")
        other.close()
        tell("its lines", lambda: list(file))


def options() -> None:
    with socket.socket() as s:
        for name, level, option in (
            ("type", socket.SOL_SOCKET, socket.SO_TYPE),
            ("listens", socket.SOL_SOCKET, socket.SO_ACCEPTCONN),
            ("reuse", socket.SOL_SOCKET, socket.SO_REUSEADDR),
            ("delay", socket.IPPROTO_TCP, socket.TCP_NODELAY),
        ):
            tell(f"option {name}", partial(s.getsockopt, level, option))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1000)
        tell("a buffer is doubled", lambda: s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 2304)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        tell("a flag", lambda: s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        tell("bytes", lambda: s.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))


def names() -> None:
    info = socket.getaddrinfo
    for name, call in (
        ("numeric", lambda: info("127.0.0.1", 80)),
        ("stream", lambda: info("127.0.0.1", "http", type=socket.SOCK_STREAM)),
        ("passive", lambda: sorted(info(None, 80, type=1, flags=socket.AI_PASSIVE))),
        ("none", lambda: sorted(info(None, 80, type=1))),
        ("other family", lambda: info("127.0.0.1", 80, family=socket.AF_INET6)),
        ("empty", lambda: info("", 80, type=1)),
        ("no service", lambda: info("127.0.0.1", "no such service")),
        ("localhost", lambda: socket.gethostbyname("localhost")),
        ("localhost and more", lambda: socket.gethostbyname_ex("localhost")),
        ("by address", lambda: socket.gethostbyaddr("127.0.0.1")),
        ("full name", lambda: socket.getfqdn("127.0.0.1")),
        ("back", lambda: socket.getnameinfo(("127.0.0.1", 80), 0)),
        ("back in numbers", lambda: socket.getnameinfo(("127.0.0.1", 80), 3)),
        ("default timeout", socket.getdefaulttimeout),
    ):
        tell(f"names {name}", call)


def datagrams() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        tell("datagram to nobody named", lambda: one.send(b""))
        tell("datagram too large", lambda: one.sendto(bytes(70000), ("127.0.0.1", 9)))
        other.bind(("127.0.0.1", 0))
        tell("datagram", lambda: one.sendto(b"hello", other.getsockname()))
        tell("datagram cut", lambda: other.recvfrom(3)[0])
        one.connect(other.getsockname())
        tell("datagram sent", lambda: one.send(b"again"))
        tell("datagram seen", lambda: (other.recv(99, socket.MSG_PEEK), other.recv(99)))
        other.setblocking(False)
        tell("no datagram", lambda: other.recv(9))
        tell("poll of an inbox", lambda: polled(other))
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    tell("datagrams of a pair", lambda: (one.send(b"a"), one.send(b"b"), other.recv(9), other.recv(9)))


def waiting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.01)
        tell("accept in vain", listener.accept)
        one, other = socket.create_connection(listener.getsockname()), listener.accept()[0]
        one.settimeout(0.01)
        tell("recv in vain", lambda: one.recv(1))
        tell("sendall in vain", lambda: one.sendall(bytes(50_000_000)))
        tell("select in vain", lambda: select.select([one], [], [], 0.01))
        one, other = socket.socketpair()
        threading.Timer(0.01, other.send, (b"late",)).start()
        tell("recv late", lambda: one.recv(9))
        threading.Timer(0.01, other.close).start()
        tell("recv of the end", lambda: one.recv(9))


for part in (unconnected, without_waiting, binding, ends, pairs, options, names, datagrams, waiting):
    part()
with open(sys.argv[1], "w", encoding="utf-8") as out:
    out.write("\n".join(told) + "\n")
