"""Row 3: what is shared.

A process gets a copy of the program's memory: it sets the global to 0, and the parent's 100 stays. A
thread lives in the same memory: what it writes, all see. On the process model a thread is a process: weft
refuses to start it, since its write would be lost, or with --copy-globals shows that it is.

Prints the value that each of them leaves behind, as it sees it and as the main thread sees it.
"""

import multiprocessing
import threading

balance = 100


def spend_everything(who: str) -> None:
    global balance
    balance = 0
    print(f"  the {who} set it and sees {balance}", flush=True)


def main() -> None:
    print(f"at first the main thread sees {balance}")

    process = multiprocessing.Process(target=spend_everything, args=("process",))
    process.start()
    process.join()
    print(f"after the process the main thread sees {balance}")

    thread = threading.Thread(target=spend_everything, args=("thread",))
    thread.start()
    thread.join()
    print(f"after the thread the main thread sees {balance}")


if __name__ == "__main__":
    main()
