"""`_socket.socket` for user threads: a call that would block parks its own thread alone.

Each call first makes sure that the descriptor is ready, parking until it is or until the socket's timeout has
passed, and then makes the real call, which has no reason to wait any more. The descriptor keeps the mode
the program gave it. Closing a socket wakes whoever waits on it; their call then fails as CPython's does on
a closed descriptor.

Connecting to another machine, name look-ups and TLS still wait in C (docs/limits.md).
"""

from typing import Any

from weft.core.current import current
from weft.host.platform import monotonic
from weft.host.poller import READ, WRITE, poll_once
from weft.stdlib.descriptors import wait_for

__all__ = ["supply_sockets"]

#: Method of the socket type: what its descriptor must be ready for.
WAITS = {
    "_accept": READ,
    "recv": READ,
    "recv_into": READ,
    "recvfrom": READ,
    "recvfrom_into": READ,
    "recvmsg": READ,
    "recvmsg_into": READ,
    "send": WRITE,
    "sendto": WRITE,
    "sendmsg": WRITE,
}


def _await(sock: Any, events: int, deadline: float | None) -> None:
    """Park until the socket is ready, unless it is non-blocking or closed.

    Raises:
        TimeoutError: its timeout has passed.
    """
    fd = sock.fileno()
    if fd < 0 or poll_once([(fd, events)], 0):
        return
    if not wait_for([(fd, events)], deadline):
        raise TimeoutError("timed out")


def supply_sockets(module: Any) -> None:
    """Put a socket type that parks into the executed C module `_socket`."""
    real = module.socket

    class socket(real):  # type: ignore[misc,valid-type]  # noqa: N801 - the name programs know
        """socket(family=AF_INET, type=SOCK_STREAM, proto=0) -> socket object"""

        __slots__ = ()

        def sendall(self, data: Any, flags: int = 0, /) -> None:
            """Send all of `data`; parks whenever the peer is slower."""
            timeout = self.gettimeout()
            if timeout == 0:
                return real.sendall(self, data, flags)  # type: ignore[no-any-return]
            deadline = None if timeout is None else monotonic() + timeout
            with memoryview(data) as view, view.cast("B") as rest:
                sent = 0
                while True:
                    _await(self, WRITE, deadline)
                    try:
                        sent += real.send(self, rest[sent:], flags | module.MSG_DONTWAIT)
                    except BlockingIOError:
                        continue
                    if sent >= len(rest):
                        return None

        def close(self) -> None:
            """Close the socket; threads that wait on it are woken and get an error."""
            _fail_waiters(self.fileno())
            real.close(self)

    for name, events in WAITS.items():
        method = getattr(real, name, None)
        if method is not None:
            setattr(socket, name, _waiting(method, events, name, module.MSG_DONTWAIT))
    socket.__module__, socket.__qualname__ = "_socket", "socket"
    module.socket = socket
    module.SocketType = socket


def _fail_waiters(fd: int) -> None:
    poller = current().carrier.poller
    if fd >= 0 and poller is not None:
        poller.fail(fd)


def _waiting(method: Any, events: int, name: str, dontwait: int) -> Any:
    """A method that parks until its descriptor is ready, and then makes the real call."""

    def call(self: Any, *args: Any) -> Any:
        timeout = self.gettimeout()
        if timeout == 0:
            return method(self, *args)
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            _await(self, events, deadline)
            try:
                return method(self, *args)
            except BlockingIOError:
                if timeout is None:  # the program passed MSG_DONTWAIT, or made the descriptor so
                    raise

    def send(self: Any, data: Any, flags: int = 0, /) -> Any:
        timeout = self.gettimeout()
        if timeout == 0:
            return method(self, data, flags)
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            _await(self, events, deadline)
            try:
                return method(self, data, flags | dontwait)
            except BlockingIOError:
                if flags & dontwait:
                    raise

    function: Any = send if name == "send" else call
    function.__name__ = name
    function.__qualname__ = f"socket.{name}"
    function.__doc__ = method.__doc__
    return function
