"""A program that uses every part of weft's interface, as somebody else's project would."""

import weft
from weft.futures import executor

weft.install("user", policy="fair", slice=0.005, offload=["driver:query"], carriers=None)


class Newest:
    """A policy of one's own."""

    def __init__(self) -> None:
        self.ready: list[weft.ControlBlock] = []

    def add(self, block: weft.ControlBlock) -> None:
        self.ready.append(block)

    def pick(self) -> weft.ControlBlock:
        return self.ready.pop()

    def __len__(self) -> int:
        return len(self.ready)


def long_waits(limit: float) -> list[str]:
    """The places at which threads wait."""
    found: list[str] = []
    for thread in weft.threads():
        wait: weft.Wait | None = thread.wait
        if wait is not None and wait.deadline is None and wait.reason is weft.WaitReason.LOCK:
            found.append(f"{thread.name} at {wait.place} for {wait.holder}")
    return found


@weft.offloaded
def square(number: int) -> int:
    return number * number


def told(kind: weft.Kind, thread: weft.ControlBlock, by: weft.ControlBlock | None) -> None:
    print(kind.name, thread.name, by is not None, thread.state is weft.State.DONE)


def main() -> int:
    policy: weft.Policy = Newest()
    policies: list[weft.Policy] = [policy, weft.Fifo(), weft.Priority(), weft.FairShare()]
    total: int = square(3) + weft.offload(square, 4)
    later = weft.call_later(1.0, print, "later")
    later.cancel()
    weft.set_priority(weft.current(), 3)
    with weft.listen(told), weft.trace("trace.json", ring=1_000_000):
        weft.dump()
    with executor("user", max_workers=3) as pool:
        pool.submit(square, 2)
    return total + len(policies) + weft.run(main, model="kernel")


def test_it() -> None:
    found = weft.check(main, time=1.0, seed=3, jobs=2, net_faults=True)
    assert found.ok, found
    assert found.executions > 0
    steered = weft.steer("program.py", [("Ada", "reads left")], strict=True)
    assert steered.missed == [], str(steered)
    try:
        weft.check.linearizable(Newest, {"pick": ()}, examples=3)
    except weft.check.NotLinearizable as error:
        print(error.found.kind)


try:
    main()
except (weft.DeadlockError, weft.InternalError) as error:
    raise SystemExit(str(error)) from None
except weft.WeftError:
    weft.uninstall()
