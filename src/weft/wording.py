"""How counts are told."""

__all__ = ["counted"]


def counted(count: int, one: str, many: str = "") -> str:
    """The count with its noun: "1 execution", "2,000 executions"; `many` is for those that take no "s"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
