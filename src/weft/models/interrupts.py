"""A thread of the controlled model that does something else before it goes on: what a signal's handler is.

The handler has a stack of its own and is the thread all the same: while it runs, the thread's record shows
the handler's stack and its pending operations, and those of the thread are kept aside. So what the thread
holds the handler holds, and who waits for the thread waits for the handler.
"""

from collections.abc import Callable

from weft.host.stacks import Worker, getcurrent
from weft.models.controlled import Controlled, Ended, Task

__all__ = ["interrupt"]

KEPT = ("kind", "target", "key", "site", "guard", "deadline", "stack", "switch")


def interrupt(model: Controlled, task: Task, work: Callable[[], object]) -> None:
    """Have a thread that stands at a point run `work` there; the caller goes on when that comes to a point.

    What `work` raises is raised in the thread, out of the operation that it was about to do.
    """
    kept = [(name, getattr(task, name)) for name in KEPT]
    wait = vars(task).get("wait")

    def put_back() -> None:
        for name, value in kept:
            setattr(task, name, value)
        vars(task)["wait"] = wait

    def run() -> None:
        here = getcurrent()
        try:
            work()
        except Ended:
            put_back()
            here.parent = model._root
            return
        except BaseException:
            put_back()
            task.target = task.guard = task.deadline = None
            model.current = task
            here.parent = task.stack  # where a stack goes that ends, with what it was ended by
            raise
        put_back()
        starter = model._starter
        if starter is None:
            successor = model._next(task)
        else:  # it has come to no point
            model._starter, successor = None, starter
            model.detour = model._always
        model.current = successor
        here.parent = successor.stack

    worker = Worker(run, model._root)
    worker.block = task
    task.stack, task.switch = worker, worker.switch
    task.target = task.guard = task.deadline = None
    model.put_back([task])
    model._starter = model.current
    model.detour = True
    model.current = task
    worker.switch()
    if model.over is not None:
        raise Ended
