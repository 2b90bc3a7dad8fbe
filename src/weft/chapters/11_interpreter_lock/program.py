"""How long a thread has to wait for the interpreter's lock while another one computes."""

import statistics
import sys
import threading
import time


def usual_delay(interval: float) -> float:
    """Seconds that a nap is late (the median of five) beside a thread that only computes."""
    sys.setswitchinterval(interval)
    late: list[float] = []

    def nap() -> None:
        for _ in range(5):
            begin = time.perf_counter()
            time.sleep(0.01)
            late.append(time.perf_counter() - begin - 0.01)

    napper = threading.Thread(target=nap)
    napper.start()
    while napper.is_alive():
        sum(range(100))  # computes, and never lets go by itself
    return statistics.median(late)


has_lock = getattr(sys, "_is_gil_enabled", lambda: True)()
short, long = usual_delay(0.0002), usual_delay(0.02)
print("the interpreter has one lock for all threads:", has_lock)
print("a longer switch interval makes others wait longer:", long > short)
print("a nap of 10 ms is late by at least 10 ms then:", long > 0.010)
