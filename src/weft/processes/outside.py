"""What can be seen of a program's processes from outside: their list, in the file that they share."""

import fcntl
import marshal
import os
from typing import Any

from weft.processes.cells import SLOT

__all__ = ["listed_in"]

REGISTRY = 1  # the slot of the list
TRIES = 200  # looks at a list that is just being written; each lasts microseconds


def listed_in(folder: str) -> dict[int, tuple[int, str, bool]]:
    """Number -> pid, name, daemon of each thread in a program's list; who has died may still be there.

    Args:
        folder: that of the program's arena.

    Raises:
        OSError: it is not there, or not ours to read.
        ValueError: there is no list in it.
    """
    fd = os.open(os.path.join(folder, "cells"), os.O_RDONLY | os.O_CLOEXEC)
    try:
        offset, held = REGISTRY * SLOT, False
        for _ in range(TRIES):
            try:
                fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, offset)
                held = True
                break
            except BlockingIOError:
                continue
        state: Any = marshal.loads(os.pread(fd, SLOT, offset))  # noqa: S302 - the folder is its owner's alone
        if state is None:
            with open(os.path.join(folder, f"spill{REGISTRY}"), "rb") as file:
                state = marshal.load(file)  # noqa: S302
        if held:
            fcntl.lockf(fd, fcntl.LOCK_UN, 1, offset)
    except (EOFError, TypeError) as error:
        raise ValueError(f"the list of processes in {folder} cannot be read: {error}") from None
    finally:
        os.close(fd)
    return {int(number): (int(pid), str(name), bool(daemon)) for number, (pid, name, daemon) in state.items()}
