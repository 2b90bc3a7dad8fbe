"""What strategies promise: SURW alike likely orders, PCT its bound, the bounded searches their numbers."""

from collections import Counter
from math import comb

import pytest

from tests.check.simulated import READ, WRITE, Program, Variable, bounded_orders, increments, orders
from weft.check.strategies.delay import DelayDfs
from weft.check.strategies.dfs import BoundedDfs
from weft.check.strategies.pct import Pct
from weft.check.strategies.pos import Pos
from weft.check.strategies.robin import RoundRobin
from weft.check.strategies.surw import Surw
from weft.check.strategies.walk import Walk
from weft.host.entropy import Stream
from weft.models.controlled import Task

RUNS = 20_000


def writes(*counts: int) -> Program:
    """Threads with so many writes each to one variable."""
    variable = Variable()
    return Program([[(WRITE, variable, "n")] * count for count in counts])


def frequencies(program: Program, strategy: object, runs: int = RUNS) -> Counter[tuple[int, ...]]:
    program.run(strategy)  # what it learns its numbers from
    return Counter(tuple(program.run(strategy)) for _ in range(runs))


def chi_squared(found: Counter[tuple[int, ...]], cells: int) -> float:
    expected = found.total() / cells
    return (
        sum((count - expected) ** 2 / expected for count in found.values()) + (cells - len(found)) * expected
    )


# The values that chance alone exceeds once in 10,000 times, for cells - 1 degrees of freedom.
@pytest.mark.parametrize(
    ("counts", "limit"),
    [((2, 3), 33.7), ((1, 1, 1), 25.7), ((2, 2, 2), 145.5), ((1, 5), 25.7), ((4, 4), 120.0)],
)
def test_surw_makes_all_orders_alike_likely(counts: tuple[int, ...], limit: float) -> None:
    every = set(orders(counts))
    found = frequencies(writes(*counts), Surw(Stream(1), whole=False))
    assert set(found) == every
    assert chi_squared(found, len(every)) < limit


def test_surw_is_uniform_in_what_it_has_chosen_whatever_else_is_done() -> None:
    """Ten private steps in one thread put nobody at a disadvantage."""
    variable, own = Variable(), Variable()
    private = [(WRITE, own, "mine")] * 10
    mine = [(WRITE, variable, "n")] * 2
    program = Program([[*private, *mine], [(WRITE, variable, "n")] * 3])

    def shared(order: list[int]) -> tuple[int, ...]:
        first = [number for number, count in enumerate_steps(order) if number == 2 or count > 10]
        return tuple(first)

    strategy = Surw(Stream(2), whole=False)
    program.run(strategy)
    found = Counter(shared(program.run(strategy)) for _ in range(RUNS))
    assert len(found) == comb(5, 2)
    assert chi_squared(found, 10) < 33.7
    walked = Counter(shared(program.run(walk)) for walk in [Walk(Stream(2), (0.0,))] for _ in range(RUNS))
    assert chi_squared(walked, 10) > 1_000, "a random walk is far from it"


def enumerate_steps(order: list[int]) -> list[tuple[int, int]]:
    """(thread, its how manieth step)."""
    counts: Counter[int] = Counter()
    steps = []
    for number in order:
        counts[number] += 1
        steps.append((number, counts[number]))
    return steps


def test_surw_goes_on_where_the_intended_thread_has_to_wait() -> None:
    lock, variable = Variable(), Variable()
    body = [("acquire", lock, None), *increments(variable, 2)]
    found = frequencies(Program([body, body, body]), Surw(Stream(3)), 2_000)
    assert len(found) == 6  # the orders of the three


def test_surw_lets_a_held_thread_go_on_where_the_intended_one_polls() -> None:
    """The first would poll for ever, were the second held until the first has made its chosen operation."""
    variable, flag = Variable(), Variable()
    write = (WRITE, variable, "n")
    program = Program([[*[(READ, flag, "set")] * 5_000, write], [write]])
    strategy = Surw(Stream(4), whole=False)
    program.run(strategy)
    assert max(program.run(strategy).index(2) for _ in range(20)) < 1_000


@pytest.mark.parametrize("depth", [2, 3])
def test_pct_holds_its_bound(depth: int) -> None:
    """A bug of depth d shows with a probability of at least 1 / (n * k ** (d - 1)) in each execution."""
    program = writes(6, 2)
    # One constraint more than the order of the threads for each change of the running thread.
    wanted = {2: (1, 1, 1, 2, 2, 1, 1, 1), 3: (1, 1, 2, 1, 1, 1, 1, 2)}[depth]
    strategy = Pct(Stream(4), depths=(depth,))
    program.run(strategy)
    runs = 40_000
    strategy.k = 8 + 2
    found = Counter(tuple(program.run(strategy)) for _ in range(runs))
    assert strategy.k == 8 + 2, "all choices: each step, and the two starts"
    bound = runs / (3 * strategy.k ** (depth - 1))
    assert found[wanted] >= bound


def test_pos_reaches_every_order() -> None:
    found = frequencies(writes(2, 2, 2), Pos(Stream(5)))
    assert set(found) == set(orders((2, 2, 2)))


@pytest.mark.parametrize("delays", [False, True])
@pytest.mark.parametrize("bound", [0, 1, 2, 3])
@pytest.mark.parametrize("counts", [(3, 2), (2, 2, 2), (1, 1, 1, 1), (4, 1)])
def test_a_bounded_search_runs_each_schedule_within_its_bound_once(
    counts: tuple[int, ...], bound: int, delays: bool
) -> None:
    program = writes(*counts)
    search = DelayDfs(bound) if delays else BoundedDfs(bound)
    watched = Watched(search)
    while watched.more:
        program.run(watched)
    wanted = set(bounded_orders(counts, bound, delays))
    assert search.runs == len(wanted)
    assert set(watched.seen) == wanted


class Watched:
    """A search, with the whole order of each of its executions."""

    def __init__(self, search: BoundedDfs) -> None:
        self.search = search
        self.seen: list[tuple[int, ...]] = []
        self.more = True
        self.every = True
        self._order: list[int] = []

    def begin(self) -> None:
        self._order = []
        self.search.begin()

    def pick(self, enabled: list[Task], me: Task | None) -> Task | None:
        chosen = self.search.pick(enabled, me) if len(enabled) > 1 else enabled[0]
        assert chosen is not None
        self._order.append(chosen.number)
        return chosen

    def end(self, steps: int, trace: None) -> bool:
        self.seen.append(tuple(self._order))
        self.more = self.search.end(steps, trace)
        return self.more


def test_round_robin_ends() -> None:
    robin = RoundRobin(most=3)
    program = writes(3, 3)
    turns = [program.run(robin) for _ in range(4)]
    assert turns[0] == [1, 1, 1, 2, 2, 2]
    assert turns[1] != turns[0]
    assert not robin.end(0, None)
