"""A thread writes to the memory of all, a process to its own copy."""

import multiprocessing
import threading

balance = 100


def spend_everything(who: str) -> None:
    global balance
    balance = 0
    print(f"  the {who} has set it to {balance}", flush=True)


def main() -> None:
    print("at first it is", balance)

    process = multiprocessing.Process(target=spend_everything, args=("process",))
    process.start()
    process.join()
    print("after the process it is", balance)

    thread = threading.Thread(target=spend_everything, args=("thread",))
    thread.start()
    thread.join()
    print("after the thread it is", balance)


if __name__ == "__main__":
    main()
