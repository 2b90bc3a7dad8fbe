"""A thread lives in its process; another process has a number of its own."""

import multiprocessing
import os
import threading


def introduce(name: str, home: int, carrier: str) -> None:
    process = "the same" if os.getpid() == home else "another"
    kernel = "the same" if os.readlink("/proc/thread-self") == carrier else "another"
    print(f"{name}: {process} process, {kernel} kernel thread", flush=True)


def main() -> None:
    here = (os.getpid(), os.readlink("/proc/thread-self"))
    introduce("main thread", *here)
    for name in ("first thread", "second thread"):
        thread = threading.Thread(target=introduce, args=(name, *here))
        thread.start()
        thread.join()
    child = multiprocessing.Process(target=introduce, args=("child process", *here))
    child.start()
    child.join()


if __name__ == "__main__":
    main()
