"""An update that gets lost: two threads add to one counter."""

import threading


class Counter:
    """Hits of a page."""

    def __init__(self):
        self.value = 7

    def add(self):
        old = self.value
        self.value = old + 1


counter = Counter()
threads = [threading.Thread(target=counter.add, name=name) for name in ("Ada", "Ben")]
for t in threads:
    t.start()
for t in threads:
    t.join()
