r"""Row 5: the thread control block.

The runtime keeps a record of each thread: its state, what it waits for, who holds that, since when,
where in the source, its stack, its locals. `weft.threads()` gives the records of all live threads;
`weft.dump()` and the signal SIGQUIT (Ctrl-\) print the same, from a program that runs.

Prints a table with one thread in each kind of wait, the stack of one, what each owns, and the states of
one thread from new to done. Needs weft: `weft run --model user examples/r05_control_block.py`.
"""

import queue
import threading
import time

import weft


def hold(lock: threading.Lock, held: threading.Event, enough: threading.Event) -> None:
    with lock:
        held.set()
        enough.wait()


def want(lock: threading.Lock) -> None:
    with lock:
        pass


def take_from(orders: "queue.Queue[str]") -> None:
    orders.get()


def show_table() -> None:
    print(f"{'thread':<11}{'state':<9}{'waits for':<34}{'held by':<9}at")
    for block in weft.threads():
        wait = block.wait
        reason, holder, place = "", "", ""
        if wait is not None:
            reason, place = str(wait.reason), wait.place
            holder = wait.holder.name if wait.holder else ""
        print(f"{block.name:<11}{block.state.name:<9}{reason:<34}{holder:<9}{place}".rstrip())


def show_owners() -> None:
    for block in weft.threads():
        if block.wait is not None and block.wait.holder is not None:
            print(f"{block.wait.holder.name} owns what {block.name} waits for: {block.wait.on!r}")


def main() -> None:
    lock, held, enough = threading.Lock(), threading.Event(), threading.Event()
    orders: queue.Queue[str] = queue.Queue()
    threads = [
        threading.Thread(target=hold, args=(lock, held, enough), name="holder"),
        threading.Thread(target=want, args=(lock,), name="wanter"),
        threading.Thread(target=take_from, args=(orders,), name="taker"),
        threading.Thread(target=time.sleep, args=(0.5,), name="sleeper"),
    ]
    for thread in threads:
        thread.start()
        held.wait()  # the first one is to have the lock
    time.sleep(0.1)  # let each come to its wait

    show_table()
    print()
    show_owners()
    taker = next(block for block in weft.threads() if block.name == "taker")
    print(f"stack of {taker.name} (ident {taker.ident}, {taker.locals_count} thread-locals):")
    for frame in taker.stack():
        print(f"  {frame}")

    states = [taker.state.name]
    orders.put("coffee")
    states.append(taker.state.name)
    enough.set()
    for thread in threads:
        thread.join()
    states.append(taker.state.name)
    print(f"states of the taker: {' -> '.join(states)}")
    print(f"still live: {[block.name for block in weft.threads()]}, {weft.current().state.name}")


if __name__ == "__main__":
    main()
