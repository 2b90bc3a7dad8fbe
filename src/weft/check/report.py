"""What a search has found."""

from typing import Any

from weft.check.findings import Finding
from weft.check.schedule import Schedule

__all__ = ["Report"]


class Report:
    """What a search has found.

    Attributes:
        complete: every schedule there is has been run, or one that is the same for the program.
        exhausted: so it seems from what was seen; `unseen` says what was not.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.schedule: Schedule | None = None
        self.whole: dict[str, Any] | None = None  # the run that was found, before it was made smaller
        self.executions = 0
        self.threads = 0  # most that an execution has had
        self.seconds = 0.0
        self.exhausted = False
        self.unseen: list[str] = []
        self.bound: int | None = None  # all schedules with at most so many have been run
        self.bounded = "preemptions"  # what the bound is of
        self.within = 0  # how many those are
        self.preemptions: int | None = None  # in the schedule
        self.unconfirmed = 0
        self.silenced: set[str] = set()  # what the program declares harmless
        self.stuck = 0
        self.over_bound = 0
        self.problems: list[str] = []
        self.interrupted = 0  # the signal that ended the search early
        self.rest: str | None = None  # the file from which the search can go on

    @property
    def complete(self) -> bool:
        """Whether nothing is left to try."""
        return self.exhausted and not self.unseen

    def missed(self, *what: str) -> None:
        """Something that keeps a search from being complete."""
        self.unseen += [each for each in what if each not in self.unseen]
