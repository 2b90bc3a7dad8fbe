"""Row 25: the timer.

`Timer(1, hello)` is a thread that waits one second and then calls `hello`, once. Cancelled in time, it
never does.

Prints "hello" once, with the time when it came. The second timer would have said "never" at half a
second.
"""

import threading
import time


def main() -> None:
    begin = time.monotonic()

    def hello() -> None:
        print(f"hello, after {time.monotonic() - begin:.1f} s")

    greeting = threading.Timer(1, hello)
    mistake = threading.Timer(0.5, print, args=("never",))
    greeting.start()
    mistake.start()
    mistake.cancel()

    mistake.join()
    print(f"cancelled and gone after {time.monotonic() - begin:.1f} s")
    greeting.join()
    time.sleep(0.3)
    print(f"nothing more after {time.monotonic() - begin:.1f} s")


if __name__ == "__main__":
    main()
