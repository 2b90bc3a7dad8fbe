import threading


class Counter:
    def __init__(self):
        self.value = 0

    def add(self, amount):
        self.value += amount


counter = Counter()
threads = [threading.Thread(target=counter.add, args=(n,)) for n in (1, 2)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert counter.value == 3
