"""Who waits for whom: the wait-for graph of a program's threads, and its cycles."""

from collections.abc import Callable, Iterable

from weft.core.thread import ControlBlock

__all__ = ["cycles", "holder_of"]


def holder_of(block: ControlBlock) -> ControlBlock | None:
    """The one thread that can end this thread's wait, if there is one."""
    wait = block.wait
    return wait.holder if wait is not None else None


def cycles(
    blocks: Iterable[ControlBlock],
    holder: Callable[[ControlBlock], ControlBlock | None] = holder_of,
) -> list[list[ControlBlock]]:
    """The deadlock cycles among the threads, each once, in the order "waits for".

    Args:
        blocks: the threads.
        holder: the one that can end a thread's wait, if there is one.

    Each thread waits for at most one holder, so the graph is a function and one walk a thread finds
    every cycle. A thread that waits for itself is a cycle of one.
    """
    found: list[list[ControlBlock]] = []
    seen: set[int] = set()
    for start in blocks:
        path: list[ControlBlock] = []
        place: dict[int, int] = {}
        node: ControlBlock | None = start
        while node is not None and node.ident not in seen:
            seen.add(node.ident)
            place[node.ident] = len(path)
            path.append(node)
            node = holder(node)
        if node is not None and node.ident in place:
            found.append(path[place[node.ident] :])
    return found
