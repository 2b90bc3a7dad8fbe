"""A kind of operation that says by itself what it is, and where: what no line of the program does."""

__all__ = ["Said"]


class Said(str):
    """The text of an operation.

    No `str` to who looks at the class of kinds: whether two of them touch the same is decided by their keys.

    Args:
        text: what the thread does.
        place: "file:line in function" for it, or "?".
    """

    __slots__ = ("place",)

    place: str

    def __new__(cls, text: str, place: str) -> "Said":
        made = super().__new__(cls, text)
        made.place = place
        return made
