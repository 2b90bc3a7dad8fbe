"""Which units a search consists of, and in which order.

The plan goes by numbers of executions and by what has come of earlier units, never by time or by how many
processes there are. Units grow with what has been run, so that none takes more than a part of the time that
there is, whether the program makes ten thousand executions a second or ten.
"""

from typing import Any

from weft.check.frontier import BoundedFrontier, DporFrontier
from weft.check.settings import Settings
from weft.check.units import BATCH, EXHAUSTIVE, SHOT, Unit

__all__ = ["Plan", "Planned"]

FIRST = 32  # executions of the first batch
LEAST, MOST = 16, 2_048  # executions of later ones
STEPS = 60_000  # of a batch
SHOTS, SHOTS_AT_ONCE, SHOTS_LATER = 50, 8, 4
TOGETHER = 3  # units that are done one after the other before several are done at once


class Planned(Unit):
    """A unit in the coordinator's hands.

    Attributes:
        mark: where the plan stood before it.
        frontier, taken: of which it searches a part, and that part.
        tries: how often a process that did it was killed.
    """

    def __init__(self, number: int, kind: str, strategy: str, size: int, steps: int, seed: int) -> None:
        super().__init__(number, kind, strategy, size, steps, seed)
        self.mark: list[int] = []
        self.frontier: Any = None
        self.taken: Any = None
        self.tries = 0

    def put_back(self) -> None:
        """It has not been done; of several the last one comes back first."""
        if self.frontier is not None:
            self.frontier.put_back(self.taken)


class Plan:
    """The units of a search.

    Attributes:
        ended: there are no more.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.frontiers: dict[str, BoundedFrontier | DporFrontier] = {}
        self.begin_anew()
        self.ended = False
        self.run_out = False  # a strategy that is no search has nothing more to try
        # The number of the next unit, its turn, its place in the turn, one-shots, executions of batches of
        # chance, executions that have been given out
        self._at = [0, 0, 0, 0, 0, 0]

    def begin_anew(self) -> None:
        """Exhaustive searches have to start from the beginning: there are other schedules now."""
        name = self.settings.strategy
        bound = self.settings.bound
        self.frontiers["dpor"] = DporFrontier()
        self.frontiers["delay" if name == "delay" else "dfs"] = BoundedFrontier(bound)

    @property
    def over(self) -> bool:
        """Whether nothing is left to do, however long one waits."""
        name = self.settings.strategy
        return self.run_out or (name in EXHAUSTIVE and self.frontiers[name].over)

    def count_from(self, executions: int) -> None:
        """So many executions of the budget have been run; what was given out before belongs to another."""
        self._at[5] = executions

    @property
    def mark(self) -> list[int]:
        """Where the plan stands."""
        return list(self._at)

    def go_back(self, mark: list[int]) -> None:
        """Go on from there: what was planned since has not been done."""
        self._at = list(mark)
        self.ended = False

    @property
    def together(self) -> bool:
        """Whether the next unit may be done while others are."""
        return self._at[0] >= TOGETHER

    def next(self, out: int, executions: int) -> Planned | None:
        """The next unit; None: there is none, or none before what is out has come back.

        Args:
            out: units whose outcome is not known.
            executions: that have been run.
        """
        if self.ended:
            return None
        room = self._room(out, executions)
        if room is None or self.run_out:
            return None
        mark = self.mark
        if self.settings.strategy == "portfolio":
            unit = self._of_portfolio()
        else:
            unit = self._alone(self.settings.strategy)
        if unit is None:
            self._at = mark
            return None
        unit.mark = mark
        unit.size = min(unit.size, room)
        self._at[0] += 1
        self._at[5] += unit.size
        return unit

    def _room(self, out: int, executions: int) -> int | None:
        """Executions that may be given out."""
        most = self.settings.schedules
        if most is None:
            return MOST
        if self._at[5] >= most:
            if out:
                return None
            self._at[5] = executions  # units may have run fewer than they might have
            if executions >= most:
                self.ended = True
                return None
        return most - self._at[5]

    # -- kinds of search ----------------------------------------------------------------------------------

    def _alone(self, name: str) -> Planned | None:
        size = min(MOST, FIRST << min(10, self._at[1]))
        self._at[1] += 1
        if name not in EXHAUSTIVE:
            return self._of_chance(name, size)
        unit = self._exhaustive(name, size)
        if unit is None and self.frontiers[name].over:
            self.ended = True
        return unit

    def _of_portfolio(self) -> Planned | None:
        """The next place of a turn that has something to do."""
        at = self._at
        while True:
            turn, place = at[1], at[2]
            size = _grown(turn)
            at[2] += 1
            if place == 0 and turn == 0:
                return self._shot()
            if place < SHOTS_AT_ONCE and turn:
                if at[3] < SHOTS or (turn % 2 and place < SHOTS_LATER):
                    return self._shot()
                at[2] = SHOTS_AT_ONCE
            elif place == SHOTS_AT_ONCE and turn:
                name = "dpor" if turn % 2 else "dfs" if turn % 4 == 2 else ""
                if name and not self.frontiers[name].over:
                    return self._exhaustive(name, size)
            else:
                at[1], at[2] = turn + 1, 0
                return self._of_chance("portfolio", FIRST if turn == 0 else size)

    def _made(self, kind: str, name: str, size: int) -> Planned:
        number = self._at[0]
        return Planned(number, kind, name, size, STEPS, (self.settings.seed << 40) + number)

    def _shot(self) -> Planned:
        unit = self._made(SHOT, "walk", 1)
        unit.before = self._at[3]
        self._at[3] += 1
        return unit

    def _of_chance(self, name: str, size: int) -> Planned:
        unit = self._made(BATCH, name, size)
        unit.before = self._at[4]
        self._at[4] += size
        return unit

    def _exhaustive(self, name: str, size: int) -> Planned | None:
        frontier: Any = self.frontiers[name]
        taken = frontier.take()
        if taken is None:
            return None
        unit = self._made(BATCH, name, size)
        unit.frontier, unit.taken = frontier, taken
        unit.part = frontier.wire(taken)
        return unit

    # -- to go on another time ----------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Any]:
        """Where it stands, while nothing is out, of plain types."""
        return {"at": self.mark, "frontiers": {name: each.state for name, each in self.frontiers.items()}}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self._at = list(state["at"])
        for name, each in self.frontiers.items():
            each.state = state["frontiers"][name]


def _grown(turn: int) -> int:
    """Executions of the batches of a turn."""
    return min(MOST, int(LEAST * 1.5**turn))
