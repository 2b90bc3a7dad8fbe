"""CPython 3.11, random.Random.gauss: two threads get the same number.

Expected: assertion
Options: --stdlib --only random
"""

from random import Random
from threading import Thread

chance, numbers = Random(1), []
chance.gauss()
threads = [Thread(target=lambda: numbers.append(chance.gauss())) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert numbers[0] != numbers[1], f"the same number twice: {numbers}"
