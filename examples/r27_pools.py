"""Row 27: pools.

One interface, `concurrent.futures.Executor`, to kernel threads, user threads, processes and a cluster of
machines; which one it is is a word. `submit` gives a future at once. Its result can be waited for with a
timeout, what the call raised comes out of it, a callback is called when it is over, and as long as the call
has not begun it can be cancelled. `map` keeps the order; `wait` and `as_completed` do not mind which pool
a future is of.

Prints the same lines for each kind (`--kinds thread,user,process,cluster`; a cluster needs Dask's
`distributed`, and takes seconds to start). What processes are to run stands under `if __name__ == ...`.
"""

import argparse
import time

from weft.futures import CancelledError, as_completed, executor, wait


def square(n: int) -> int:
    return n * n


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def fail(why: str) -> None:
    raise ValueError(why)


def show(kind: str) -> None:
    heard: list[int] = []
    with executor(kind, max_workers=2) as pool:
        print(f"{kind}: submit and result:   ", pool.submit(square, 12).result(timeout=30))
        print(f"{kind}: map keeps the order: ", list(pool.map(square, range(6))))

        slow = pool.submit(nap, 0.4)
        try:
            slow.result(timeout=0.05)
        except TimeoutError:
            print(f"{kind}: a result with timeout: not there yet; later", slow.result())

        try:
            pool.submit(fail, "no luck").result()
        except ValueError as error:
            print(f"{kind}: what a call raises:  ", repr(error))

        called = pool.submit(square, 5)
        called.add_done_callback(lambda future: heard.append(future.result()))

        naps = [pool.submit(nap, 0.2) for _ in range(12)]
        print(f"{kind}: the last one cancelled:", naps[-1].cancel())
        try:
            naps[-1].result()
        except CancelledError:
            print(f"{kind}: its result:           CancelledError")

        done, not_done = wait(naps[:2])
        print(f"{kind}: wait:                ", len(done), "done,", len(not_done), "not done")
        print(
            f"{kind}: as_completed:        ", sorted(future.result() for future in as_completed(naps[2:-1]))
        )
    print(f"{kind}: the callback heard:  ", heard)  # shutdown(wait=True) is what leaving `with` does
    try:
        pool.submit(square, 1)
    except RuntimeError as error:
        print(f"{kind}: after shutdown:      ", error)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kinds", default="thread,user,process")
    for kind in parser.parse_args().kinds.split(","):
        show(kind)


if __name__ == "__main__":
    main()
