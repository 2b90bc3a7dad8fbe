"""Says in one line each what calls return and raise: on weft and on the plain interpreter, to be compared.

Nothing here may depend on an address or on time. Run as `python -m tests.stdlib.said`.
"""

import queue
import re
import threading
from collections.abc import Callable
from typing import Any

HUGE = 1e20
ARITY = re.compile(r"\b(takes|expected|missing|positional|keyword|unexpected)\b.*\barguments?\b")
MAKERS: dict[str, Callable[[], Any]] = {
    "Lock": threading.Lock,
    "RLock": threading.RLock,
    "Condition": threading.Condition,
    "Condition(Lock)": lambda: threading.Condition(threading.Lock()),
    "Semaphore": lambda: threading.Semaphore(1),
    "BoundedSemaphore": lambda: threading.BoundedSemaphore(1),
    "Event": threading.Event,
    "Barrier": lambda: threading.Barrier(1),
    "Queue": lambda: queue.Queue(1),
    "LifoQueue": lambda: queue.LifoQueue(1),
    "PriorityQueue": lambda: queue.PriorityQueue(1),
    "SimpleQueue": queue.SimpleQueue,
    "Thread": lambda: threading.Thread(name="T"),
    "Timer": lambda: threading.Timer(1, print),
    "local": threading.local,
}
CALLS: tuple[str, ...] = (
    # arguments that no wait can take
    "x.acquire(False, 1)",
    "x.acquire(True, -2)",
    "x.acquire(timeout='soon')",
    "x.acquire(timeout=HUGE)",
    "x.acquire(blocking=True, timeout=-1)",
    "x.acquire(1) and x.acquire(0)",
    "x.acquire() and x.acquire(False, 1)",
    "x.wait(HUGE)",
    "x.wait('soon')",
    "(x.acquire(), x.wait(HUGE))",
    "(x.acquire(), x.wait('soon'))",
    "(x.acquire(), x.wait(0), x.wait(-1), x.release())",
    "x.get(timeout=HUGE)",
    "x.get(timeout=-1)",
    "x.get(timeout='soon')",
    "x.get(False, -1)",
    "(x.put(1), x.put(2, timeout=HUGE))",
    "(x.put(1), x.put(2, timeout=-1))",
    "(x.put(1), x.put(2, timeout='soon'))",
    "x.put(1, timeout=-1)",
    # states in which a call cannot work
    "x.release()",
    "(x.acquire(), x.release(), x.release())",
    "x.release(0)",
    "x.release(-1)",
    "x.notify()",
    "x.notify_all()",
    "x.wait(0)",
    "x.wait_for(lambda: 1)",
    "x.wait_for(lambda: 0, 0)",
    "x.join()",
    "x.join(0)",
    "x.run()",
    "x.is_alive()",
    "x.task_done()",
    "x.get_nowait()",
    "(x.put_nowait(1), x.put_nowait(2))",
    "(x.put(1), x.get(), x.task_done(), x.task_done())",
    "x.cancel()",
    "x.reset()",
    "x.abort() or x.wait()",
    # what they show
    "repr(x)",
    "str(type(x))",
    "type(x).__module__, type(x).__qualname__",
    "x.locked()",
    "x.is_set(), x.set(), x.is_set(), x.clear(), x.is_set()",
    "x.full(), x.empty(), x.qsize(), x.maxsize",
    "x.unfinished_tasks",
    "x.name, x.daemon, x.ident, x.native_id",
    "x.parties, x.n_waiting, x.broken",
    "x.__enter__()",
    "x.__exit__(None, None, None)",
    "x._is_owned()",
    "x.nothing",
    "setattr(x, 'new', 1) or x.new",
    "delattr(x, 'nothing')",
    "x.__dict__ is x.__dict__",
    "x < x",
    "x == x, x != x, bool(x)",
    "hash(x) == hash(x)",
    "__import__('pickle').dumps(x) and 1",
    "__import__('copy').copy(x) is x",
)
OTHERS: tuple[str, ...] = (
    "threading.Semaphore(-1)",
    "threading.BoundedSemaphore(-1)",
    "threading.Semaphore('one')",
    "threading.Barrier(0)",
    "threading.Thread(1)",
    "threading.Thread(target=1, name='n').run()",
    "threading.Thread(bogus=1)",
    "threading.Condition(1)",
    "threading.local(1)",
    "_thread.start_new_thread()",
    "_thread.start_new_thread(1, ())",
    "_thread.start_new_thread(print, 1)",
    "_thread.start_new_thread(print, (), 1)",
    "_thread.allocate_lock(1)",
    "_thread.exit()",
    "_thread.error",
    "_thread.LockType",
    "_thread._count()",
    "_thread.TIMEOUT_MAX == threading.TIMEOUT_MAX",
    "_thread.stack_size()",
    "_thread.stack_size(-1)",
    "_thread.interrupt_main(-1)",
    "threading.current_thread(), threading.main_thread()",
    "threading.get_ident() == threading.main_thread().ident",
    "threading.active_count(), threading.enumerate()",
    "threading.Thread.__init__.__doc__",
    "threading.Thread.start.__module__, threading.Thread.start.__qualname__",
    "threading.Lock, threading.RLock",
    "sorted(threading.__all__)",
    "sorted(queue.__all__)",
    "time.sleep(-1)",
    "time.sleep('soon')",
    "time.sleep(None)",
    "time.sleep(HUGE)",
    "time.sleep(float('nan'))",
    "time.sleep()",
    "time.sleep(seconds=1)",
    "time.sleep.__module__, time.sleep.__name__, time.sleep.__qualname__",
    "type('L', (type(_thread.allocate_lock()),), {})",
    "_thread.LockType()",
    "queue.Queue('one').put(1)",
    "queue.Empty.__module__, queue.Full.__module__",
    "issubclass(queue.LifoQueue, queue.Queue), issubclass(queue.PriorityQueue, queue.Queue)",
)


def said(text: str, space: dict[str, Any]) -> str:
    """What the expression gives, or the type and text of what it raises, with numbers of objects masked.

    Of a missing attribute and a wrong number of arguments the type alone counts: their texts are the
    interpreter's and differ between a function in C and one in Python.
    """
    try:
        result = repr(eval(text, globals(), space))
    except BaseException as error:
        kind, told = f"{type(error).__module__}.{type(error).__qualname__}", str(error)
        if isinstance(error, AttributeError) or (isinstance(error, TypeError) and ARITY.search(told)):
            told = "..."
        result = f"{kind}: {told}"
    result = re.sub(r"0x[0-9a-fA-F]+", "0x..", result)
    result = re.sub(r"'_(?:thread|queue)\.(\w+)'", r"'\1'", result)
    return re.sub(r"\b\d{7,}\b", "N", result)


def main() -> None:
    for name, make in MAKERS.items():
        for call in CALLS:
            print(f"{name}: {call} -> {said(call, {'x': make()})}", flush=True)
    for text in OTHERS:
        print(f"{text} -> {said(text, {})}", flush=True)


if __name__ == "__main__":
    main()
