"""Reports: what is said of each thread, and of the cycles among them."""

import io

from tests.core.carrier import FakeCarrier, Lot, begun
from weft.core.channel import Channel
from weft.core.thread import ControlBlock
from weft.watch.dump import dump, render, render_deadlock


def waiting(name: str, holder: ControlBlock | None, carrier: FakeCarrier) -> ControlBlock:
    block = begun(carrier, name)
    Lot(holder).register(block)
    block.since = 5.0
    return block


LOT = "<tests.core.carrier.Lot at 0x..>"


def masked(text: str) -> str:
    import re

    return re.sub(r"0x[0-9a-f]+", "0x..", text)


def test_one_thread_that_runs() -> None:
    assert render([begun(name="only")], stacks=False) == "1 thread\n  'only' (running, daemon)"


def test_a_wait_is_told_with_object_holder_age_and_place() -> None:
    carrier = FakeCarrier()
    holder = begun(carrier, "holder")
    holder.daemon = False
    block = waiting("waiter", holder, carrier)
    assert masked(render([holder, block], now=7.5)).splitlines() == [
        "2 threads",
        "  'holder' (running)",
        "        here",
        f"  'waiter' (blocked, daemon) waits for a lock {LOT} held by 'holder' for 2.50 s",
        "      at here",
    ]


def test_a_holder_that_has_ended_is_told() -> None:
    carrier = FakeCarrier()
    holder = begun(carrier, "holder")
    holder.done = True
    report = render_deadlock([waiting("waiter", holder, carrier)])
    assert "held by 'holder', which has ended" in report
    assert report.endswith("no cycle: what they wait for is never released, set, put, taken or sent")


def test_a_cycle_is_told_link_by_link() -> None:
    carrier = FakeCarrier()
    one, two = begun(carrier, "one"), begun(carrier, "two")
    Lot(two).register(one)
    Lot(one).register(two)
    assert masked(render_deadlock([one, two])).splitlines()[-3:] == [
        "  cycle: 'one' -> 'two' -> 'one'",
        "    'one' waits for a lock <tests.core.carrier.Lot at 0x..> that 'two' holds, at here",
        "    'two' waits for a lock <tests.core.carrier.Lot at 0x..> that 'one' holds, at here",
    ]


def test_a_cycle_through_a_join_does_not_say_that_a_thread_holds_itself() -> None:
    carrier = FakeCarrier()
    one, two = begun(carrier, "one"), begun(carrier, "two")
    one.on, two.on = two, one
    assert "'two' that 'two' holds" not in render_deadlock([one, two])


def test_a_dump_goes_to_the_file() -> None:
    file = io.StringIO()
    dump([begun(name="only")], None, file)
    assert file.getvalue() == "1 thread\n  'only' (running, daemon)\n        here\n"


def test_threads_that_wait_alike_are_counted() -> None:
    carrier = FakeCarrier()
    blocks = [waiting(f"worker {n}", None, carrier) for n in range(5001)]
    lines = render_deadlock([begun(carrier, "other"), *blocks]).splitlines()
    assert len(lines) == 1 + 1 + 3 * 2 + 1 + 1
    assert lines[-2] == "  and 4,998 more like it"
    few = render_deadlock(blocks[:4])
    assert "more like it" not in few
    assert "'worker 3'" in few


class Deep(FakeCarrier):
    """Whose threads are in three calls, the one in the middle being the program's."""

    def stack(self, block: ControlBlock) -> list[str]:
        return ["outer", "here", "library"] if block.begun else []


def test_of_many_that_do_the_same_the_calls_are_told_once() -> None:
    carrier = Deep()
    blocks = [waiting(f"worker {n}", None, carrier) for n in range(10_000)]
    other = begun(FakeCarrier(), "other")
    lines = masked(render([*blocks, other], now=6.0)).splitlines()
    assert lines == [
        "10,001 threads",
        f"  'worker 0' (blocked, daemon) waits for a lock {LOT} for 1.00 s",
        "      at here",
        "        outer",
        "        here",
        "        library",
        *(
            line
            for n in (1, 2)
            for line in (
                f"  'worker {n}' (blocked, daemon) waits for a lock {LOT} for 1.00 s",
                "      at here",
            )
        ),
        "  and 9,997 more like it",
        "  'other' (running, daemon)",
        "        here",
    ]
    few = render(blocks[:4], now=6.0).splitlines()
    assert [line.strip() for line in few].count("outer") == 4
    assert "more like it" not in few[-1]


def test_threads_whose_targets_are_the_wait_itself_are_alike() -> None:
    class Bare(FakeCarrier):
        def place(self, block: ControlBlock) -> str:
            return f"the start of {block.name!r}, whose target is Event.wait"

        def stack(self, block: ControlBlock) -> list[str]:
            return []

    carrier = Bare()
    blocks = [waiting(f"waiter {n}", None, carrier) for n in range(1000)]
    for report in (render(blocks), render_deadlock(blocks)):
        assert (
            "\n      at the start of 'waiter 2', whose target is Event.wait\n  and 997 more like it" in report
        )


def test_threads_that_have_not_begun_or_run_alike_are_counted() -> None:
    carrier = Deep()
    fresh = [ControlBlock(carrier) for _ in range(100)]
    running = [begun(carrier, f"runner {n}") for n in range(100)]
    lines = render([*fresh, *running]).splitlines()
    assert lines.count("  and 97 more like it") == 2
    assert len(lines) == 1 + 3 + 1 + 3 + 3 + 1
    assert sum("(running" in line for line in render(running, stacks=False).splitlines()) == 3


def test_of_many_cycles_some_are_told() -> None:
    carrier = FakeCarrier()
    blocks = []
    for number in range(50):
        one, two = begun(carrier, f"one {number}"), begun(carrier, f"two {number}")
        Lot(two).register(one)
        Lot(one).register(two)
        blocks += [one, two]
    lines = render(blocks).splitlines()
    assert [line.partition(":")[0] for line in lines if line.startswith("  cycle ")] == [
        f"  cycle {number}" for number in range(1, 11)
    ]
    assert sum("(blocked, daemon, in cycle 10)" in line for line in lines) == 2
    assert lines[-1] == "  and 40 more cycles"


def test_a_thread_that_sleeps_in_the_kernel_is_not_called_one_that_runs() -> None:
    class Kernel(FakeCarrier):
        def sleeps(self, block: ControlBlock) -> bool:
            return block.name == "reader"

    carrier = Kernel()
    report = render([begun(carrier, "reader"), begun(carrier, "spinner")])
    assert report.splitlines()[1:] == [
        "  'reader' (running, daemon) waits in a call of the system",
        "      at here",
        "  'spinner' (running, daemon)",
        "        here",
    ]


def test_a_wait_for_descriptors_tells_their_ends_and_not_thousands() -> None:
    block = begun(name="server")
    block.since = 1.0
    block.on = Channel(7)
    assert "waits for descriptor 7 (a friend)\n" in render([block], ends=lambda fd: "a friend")
    assert "waits for descriptor 7\n" in render([block])

    class Many(Channel):
        numbers = tuple(range(1000))

    Many.__module__ = "weft.made_up"
    block.on = Many(7)
    assert "waits for descriptors 0, 1, 2 (it), 3, 4 and 995 more\n" in render(
        [block], ends=lambda fd: "it" if fd == 2 else ""
    )
