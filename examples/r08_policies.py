"""Row 8: the process picks the scheduling algorithm.

Who runs next is a choice, and the choice is a policy: `fifo`, `priority`, `fair`, or a class of one's
own, such as `LatestFirst` below. Three threads take four steps each and offer the turn after every
step.

Prints the order of the steps. Run it with each policy:

    weft run --model user --policy fifo examples/r08_policies.py
    weft run --model user --policy priority examples/r08_policies.py
    weft run --model user --policy fair examples/r08_policies.py
    weft run --model user --policy r08_policies:LatestFirst examples/r08_policies.py
"""

import threading
import time
from typing import Any

import weft

PRIORITIES = {"A": 2, "B": 1, "C": 3}  # the smaller number runs first


class LatestFirst:
    """A policy of one's own, a stack: who became ready last runs first."""

    def __init__(self) -> None:
        self.ready: list[Any] = []

    def add(self, block: Any) -> None:
        self.ready.append(block)

    def pick(self) -> Any:
        return self.ready.pop()

    def __len__(self) -> int:
        return len(self.ready)


def main() -> None:
    gate, steps = threading.Event(), []

    def walk(name: str) -> None:
        gate.wait()
        for _ in range(4):
            steps.append(name)
            time.sleep(0)  # offer the turn

    threads = [threading.Thread(target=walk, args=(name,), name=name) for name in PRIORITIES]
    for thread in threads:
        thread.start()
        weft.set_priority(thread, PRIORITIES[thread.name])
    time.sleep(0.05)  # let all of them come to the gate
    gate.set()
    for thread in threads:
        thread.join()
    print("order:", " ".join(steps))


if __name__ == "__main__":
    main()
