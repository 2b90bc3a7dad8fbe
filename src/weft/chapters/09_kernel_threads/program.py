"""Who carries four threads that live at once, and what C code that lets the lock go allows."""

import hashlib
import os
import threading

meeting = threading.Barrier(4)
carriers: set[str] = set()


def note_carrier() -> None:
    carriers.add(os.readlink("/proc/thread-self"))
    meeting.wait()  # nobody leaves before all are here


threads = [threading.Thread(target=note_carrier) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("kernel threads that carried four threads:", len(carriers))

counted = 0
hashing = threading.Thread(target=hashlib.pbkdf2_hmac, args=("sha256", b"secret", b"salt", 100_000))
hashing.start()
while hashing.is_alive():
    counted += 1  # Python code, beside a long computation in C
print("this thread went on meanwhile:", counted > 1000)
