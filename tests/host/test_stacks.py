"""Stacks: workers begin shallow, one after another, and their frames can be seen while they rest."""

import sys
from collections import deque
from typing import Any

from weft.host.stacks import Nursery, Worker, frame_of, getcurrent, root


class Block:
    """What a nursery needs of a control block."""

    resume: Any = None
    on: Any = None


def depth() -> int:
    frame, count = sys._getframe(), 0
    while frame is not None:
        frame, count = frame.f_back, count + 1  # type: ignore[assignment]
    return count


def test_workers_begin_from_a_shallow_stack_however_deep_the_caller_is() -> None:
    depths: list[int] = []
    main = getcurrent()

    def loop() -> None:
        depths.append(depth())
        main.switch()

    nursery = Nursery(loop, deque())

    def begin(deep: int) -> Block:
        if deep:
            return begin(deep - 1)
        block = Block()
        nursery.begin(block)()
        return block

    blocks = [begin(deep) for deep in (0, 50, 200)]
    assert len(set(depths)) == 1
    assert all(isinstance(block.resume.__self__, Worker) for block in blocks)


def test_next_begins_those_that_wait_beside_the_nursery_in_their_order() -> None:
    seen: list[Any] = []
    main = getcurrent()

    def loop() -> None:
        me: Any = getcurrent()
        seen.append(me.block)
        main.switch()

    nursery = Nursery(loop, deque())
    first, named, second = Block(), Block(), Block()
    nursery.fresh.extend((first, second))
    nursery.next()
    nursery.begin(named)()  # one that is asked for by name does not stand in the row
    nursery.next()
    assert seen == [first, named, second]
    assert not nursery.fresh


def test_a_spare_worker_is_taken_before_a_new_one_is_made() -> None:
    seen: list[Any] = []
    main = getcurrent()
    spares: deque[Worker] = deque()

    def loop() -> None:
        while True:
            me: Any = getcurrent()
            seen.append((me, me.block))
            spares.append(me)
            main.switch()

    nursery = Nursery(loop, spares)
    blocks = [Block() for _ in range(3)]
    for block in blocks:
        nursery.begin(block)()
    assert [block for _, block in seen] == blocks
    assert len({id(worker) for worker, _ in seen}) == 1


def test_a_worker_on_which_a_finalizer_waits_is_no_spare() -> None:
    seen: list[Any] = []
    main = getcurrent()

    def loop() -> None:
        seen.append(getcurrent())
        main.switch()

    busy = Worker(loop)
    busy.block = Block()
    busy.block.on = "waits"
    nursery = Nursery(loop, deque([busy]))
    nursery.begin(Block())()
    assert len(seen) == 1
    assert seen[0] is not busy


def test_a_resting_stack_shows_its_innermost_frame() -> None:
    main = getcurrent()

    def rests() -> None:
        main.switch()

    worker = Worker(rests)
    assert frame_of(worker.switch) is None
    worker.switch()
    frame = frame_of(worker.switch)
    assert frame is not None
    assert frame.f_code.co_name == "rests"
    worker.switch()
    assert worker.dead
    assert frame_of(worker.switch) is None


def test_what_is_no_stack_has_no_frame() -> None:
    assert frame_of(None) is None
    assert frame_of(print) is None


def test_the_root_is_the_same_from_every_stack() -> None:
    seen: list[Any] = []
    Worker(lambda: seen.append(root())).switch()
    assert seen == [root()]
    assert root().parent is None
