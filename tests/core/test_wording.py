"""A count is told with its noun in the right number."""

import pytest

from weft.wording import counted


@pytest.mark.parametrize(
    ("count", "nouns", "told"),
    [
        (0, ("execution",), "0 executions"),
        (1, ("execution",), "1 execution"),
        (2000, ("execution",), "2,000 executions"),
        (1, ("switch", "switches"), "1 switch"),
        (3, ("switch", "switches"), "3 switches"),
    ],
)
def test_counts(count: int, nouns: tuple[str, ...], told: str) -> None:
    assert counted(count, *nouns) == told
