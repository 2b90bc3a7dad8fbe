"""Two locks taken in two orders, long after one another."""

import threading
import time

accounts, journal = threading.Lock(), threading.Lock()


def transfer():
    with accounts:
        with journal:
            pass


def audit():
    time.sleep(5)  # long after
    with journal:
        with accounts:
            pass


threads = [threading.Thread(target=transfer, name="transfer"), threading.Thread(target=audit, name="audit")]
for t in threads:
    t.start()
for t in threads:
    t.join()
