"""Row 2: 100 processes of one trivial function are started and joined, once."""

import multiprocessing

COUNT = 100


def trivial() -> None:
    pass


def main() -> None:
    processes = [multiprocessing.Process(target=trivial) for _ in range(COUNT)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    ended = sum(process.exitcode == 0 for process in processes)
    print(f"{ended} processes have run")


if __name__ == "__main__":
    main()
