"""Row 1: process and thread.

The main thread, two more threads and two processes each say who they are. All threads have the pid of
the program; each process has its own. The kernel thread id tells who carries a thread: kernel threads
have one each, user threads share the one of the main thread. On the process model a thread is a process,
and has a pid of its own.

Prints five lines: name, pid, kernel thread id. The threads meet at a barrier, so that all of them live
at once and no id is used twice.
"""

import multiprocessing
import os
import threading


def kernel_thread_id() -> int:
    """The id of the kernel thread that runs this line, by the kernel's own word where it gives one."""
    try:
        return int(os.path.basename(os.readlink("/proc/thread-self")))
    except OSError:
        return threading.get_native_id()


def introduce(name: str) -> None:
    print(f"{name:<10} pid {os.getpid():>7}   kernel thread {kernel_thread_id():>7}", flush=True)


def live_for_a_moment(name: str, meeting: threading.Barrier) -> None:
    introduce(name)
    meeting.wait()


def main() -> None:
    introduce("main")

    meeting = threading.Barrier(2)
    threads = [
        threading.Thread(target=live_for_a_moment, args=(f"thread {number}", meeting)) for number in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for number in (1, 2):
        process = multiprocessing.Process(target=introduce, args=(f"process {number}",))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
