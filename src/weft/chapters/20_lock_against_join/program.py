"""Three ways to take one each: at once, under a lock, one after another."""

import contextlib
import sys
import threading
import time

COUNT, SECOND = (100, 1.0) if "--full" in sys.argv else (8, 0.004)


def take_one(account: dict[str, int], free: float, guard: contextlib.AbstractContextManager[object]) -> None:
    time.sleep(free)
    with guard:
        seen = account["n"]
        time.sleep(0.5 * SECOND)
        account["n"] = seen - 1


def time_for(free: float, guard: contextlib.AbstractContextManager[object], at_once: bool) -> float:
    account, begin = {"n": COUNT}, time.monotonic()
    threads = [threading.Thread(target=take_one, args=(account, free, guard)) for _ in range(COUNT)]
    for thread in threads:
        thread.start()
        if not at_once:
            thread.join()
    for thread in threads:
        thread.join()
    print("right" if account["n"] == 0 else "wrong", end=", ")
    return time.monotonic() - begin


if "--full" in sys.argv:
    assert time_for(3.0, threading.Lock(), at_once=True) == 53.0
    assert time_for(3.0, contextlib.nullcontext(), at_once=False) == 350.0
else:
    time_for(0.0, contextlib.nullcontext(), at_once=True)
    print("all at once, without a lock")
    locked = time_for(3 * SECOND, threading.Lock(), at_once=True)
    print("with a lock where it counts")
    joined = time_for(3 * SECOND, contextlib.nullcontext(), at_once=False)
    print("each joined before the next starts; slower than with the lock:", joined > locked)
