"""One interface to pools of kernel threads, user threads and processes."""

import time

from weft.futures import CancelledError, as_completed, executor


def square(n: int) -> int:
    return n * n


def main() -> None:
    for kind in ("thread", "user", "process"):
        with executor(kind, max_workers=2) as pool:
            future = pool.submit(square, 12)
            print(f"{kind}: submit {future.result(timeout=30)}, map {list(pool.map(square, range(5)))}")

    with executor("user", max_workers=1) as pool:
        naps = [pool.submit(time.sleep, 0.02) for _ in range(3)]
        naps[0].add_done_callback(lambda _: print("the first is over"))
        try:
            naps[0].result(timeout=0.001)
        except TimeoutError:
            print("not there yet")
        print("the last one cancelled:", naps[2].cancel())
        print("over without it:", len(list(as_completed(naps[:2]))))
        try:
            naps[2].result()
        except CancelledError:
            print("no result: cancelled")


if __name__ == "__main__":
    main()
