"""Figures in a person's words."""

from collections.abc import Sequence

__all__ = ["NONE", "count", "listed", "memory", "ratio", "seconds"]

NONE = "-"  # nobody knows


def seconds(value: float | None) -> str:
    """A time, with three digits that mean something."""
    if value is None:
        return NONE
    if value < 0.0005:
        return f"{value * 1e6:.0f} us"
    if value < 0.9995:
        return f"{value * 1e3:.3g} ms" if value < 0.0995 else f"{value * 1e3:.0f} ms"
    return f"{value:.2f} s" if value < 100 else f"{value:,.0f} s"


def memory(value: float | None) -> str:
    """Bytes."""
    return NONE if value is None else f"{value / 1e6:.1f} MB" if value < 1e8 else f"{value / 1e6:,.0f} MB"


def count(value: float | None) -> str:
    """How often."""
    return NONE if value is None else f"{value:,.0f}"


def ratio(value: float) -> str:
    """How many times as much."""
    return f"{value:.2f} times as much" if value < 2 else f"{value:,.1f} times as much"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 2 else names)
