"""One program, with threads or with processes: the model decides, not the code."""

import os
import queue
import threading


def work(jobs: queue.Queue[int | None], done: queue.Queue[tuple[int, int]]) -> None:
    while (job := jobs.get()) is not None:
        done.put((job * job, os.getpid()))


def main() -> None:
    jobs: queue.Queue[int | None] = queue.Queue()
    done: queue.Queue[tuple[int, int]] = queue.Queue()
    workers = [threading.Thread(target=work, args=(jobs, done)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for job in [1, 2, 3, 4, 5, None, None]:
        jobs.put(job)
    for worker in workers:
        worker.join()
    results = [done.get() for _ in range(5)]
    print("squares:", sorted(square for square, _ in results))
    print("made in the main thread's process:", all(pid == os.getpid() for _, pid in results))


if __name__ == "__main__":
    main()
