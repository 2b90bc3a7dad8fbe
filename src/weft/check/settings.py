"""What a search may do and how long it may take."""

__all__ = ["Settings"]


class Settings:
    """What a search may do."""

    def __init__(self) -> None:
        self.seconds = 10.0
        self.schedules: int | None = None
        self.seed = 0
        self.strategy = "portfolio"
        self.bound = 2
        self.limit = 20_000
        self.notes = False  # whether notes are told too
