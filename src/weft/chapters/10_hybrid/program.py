"""Six threads call C, one of them for long. Who is through first?"""

import ctypes
import threading

c = ctypes.CDLL(None)
through: list[str] = []


def sit_in_c(name: str, milliseconds: int) -> None:
    c.usleep(1000 * milliseconds)  # no scheduler can look inside
    through.append(name)


threads = [threading.Thread(target=sit_in_c, args=("the long call", 100))]
threads += [threading.Thread(target=sit_in_c, args=("a short call", 2)) for _ in range(5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("through first:", through[0])
print("calls in all:", len(through))
