"""What a carrier sleeps in when nothing is ready, to the microsecond, until a time or a wake.

`select()` is used for its resolution (`epoll_wait` rounds up to a millisecond).
"""

import os
import select
import sys

__all__ = ["Poller"]


class Poller:
    """Sleeps until a deadline or until `wake` is called, from any kernel thread."""

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        if hasattr(os, "eventfd"):
            self._read = self._write = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        else:
            self._read, self._write = os.pipe()
            for fd in (self._read, self._write):
                os.set_blocking(fd, False)

    def wait(self, timeout: float | None) -> None:
        """Sleep for at most `timeout` seconds (None: until woken)."""
        ready = _select((self._read,), (), (), timeout)[0]
        if ready:
            try:
                _read(self._read, 8)
            except BlockingIOError:
                pass

    def wake(self) -> None:
        """End the sleep, or the next one if none is on."""
        try:
            _write(self._write, _ONE)
        except BlockingIOError:
            pass  # so many wakes are waiting that one more changes nothing

    def close(self) -> None:
        """Give the descriptors back."""
        for fd in {self._read, self._write}:
            os.close(fd)

    def after_fork(self) -> None:
        """In a forked child: descriptors of one's own, since the old ones are shared with the parent."""
        self.close()
        self._open()


_select = select.select
_read = os.read
_write = os.write
_ONE = (1).to_bytes(8, sys.byteorder)
