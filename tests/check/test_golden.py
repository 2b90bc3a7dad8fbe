"""The bounded search against counts that another checker, CHESS, has published for the same tiny programs.

The counts are of classes of schedules, told apart by what came before what, with 1, 2 and 3 preemptions. Two
of the programs keep a variable from one execution to the next there, so that their first execution, and none
after it, takes a lock once more: one class more than where each execution begins afresh.
"""

import pytest

from tests.check.programs import asked

PUBLISHED = {
    "one_lock": (2, 2, 2),
    "two_atoms": (1, 1, 1),
    "two_adds": (2, 2, 2),
    "three_adds": (6, 6, 6),
    "three_orphans": (6, 6, 6),
    "two_events": (1, 1, 1),
    "one_among_ten": (3, 12, 12),
    "two_of_one_and_one_of_two": (11, 13, 13),
    "stealing": (25,),  # with more, a failure ends the search
}
KEPT = ("one_among_ten", "two_of_one_and_one_of_two")


def counted(name: str, bound: int) -> tuple[int, int, str]:
    ran, classes, end = asked("golden", name, bound).split()
    return int(ran), int(classes), end


@pytest.mark.parametrize(
    ("name", "bound", "classes"),
    [(name, bound, n) for name, counts in PUBLISHED.items() for bound, n in enumerate(counts, 1)],
)
def test_as_many_classes_as_published(name: str, bound: int, classes: int) -> None:
    ran, found, end = counted(name, bound)
    assert found == classes - (name in KEPT)
    assert end == "end"
    assert ran >= found


@pytest.mark.parametrize("bound", [2, 3])
def test_the_wrong_deque_fails_with_two_preemptions(bound: int) -> None:
    ran, _, end = counted("stealing", bound)
    assert end == "assertion"
    assert ran <= 205  # what was published for two
