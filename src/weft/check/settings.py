"""What a search may do and how long it may take."""

from typing import Any

from weft.errors import WeftError

__all__ = ["FAULT_NAMES", "STRATEGIES", "Settings", "known_network", "option"]

#: Names of strategies, as people write them.
STRATEGIES = (
    "portfolio",
    "walk",
    "uniform",
    "pct",
    "pos",
    "surw",
    "round-robin",
    "dfs",
    "delay",
    "dpor",
)

_Bounds = tuple[type, float, float, str]
#: What people may set: the field, its type, the least and the most, what it is.
_NUMBERS: dict[str, tuple[str, _Bounds]] = {
    "time": ("seconds", (float, 0.001, 1e9, "seconds, more than 0")),
    "schedules": ("schedules", (int, 1, 1e15, "a number of executions, 1 or more")),
    "seed": ("seed", (int, 0, 2**63, "a whole number, 0 or more")),
    "bound": ("bound", (int, 0, 1_000, "a number of preemptions or delays, 0 or more")),
    "steps": ("limit", (int, 1, 1e12, "a number of steps, 1 or more")),
    "jobs": ("jobs", (int, 1, 1_000, "a number of processes, 1 or more")),
}

#: What may happen to simulated connections.
FAULT_NAMES = ("short", "delay", "reset")
_SWITCHES = ("net_faults", "net_pass")


class Settings:
    """What a search may do.

    Args:
        options: `time`, `schedules`, `seed`, `bound`, `steps`, `jobs`, `strategy`, `net_faults`, `net_pass`;
            None is what it is by default.

    Raises:
        WeftError: there is no such option, or its value cannot be.
    """

    def __init__(self, **options: Any) -> None:
        self.seconds = 10.0
        self.schedules: int | None = None
        self.seed = 0
        self.strategy = "portfolio"
        self.bound = 2
        self.limit = 20_000
        self.jobs = 1  # processes that search at a time
        self.notes = False  # whether notes are told too
        self.net_faults: bool | str = False  # what may happen to simulated connections: all, or names
        self.net_pass = False  # whether sockets are those of the machine
        for name, value in options.items():
            self.set(name, value)

    def set(self, name: str, value: Any) -> None:
        """Set one option, by the name that people know it by.

        Raises:
            WeftError: there is no such option, or its value cannot be.
        """
        if name not in _NUMBERS and name not in _SWITCHES and name != "strategy":
            known = ", ".join(sorted([*_NUMBERS, *_SWITCHES, "strategy"]))
            raise WeftError(f"there is no option {name!r}: a check takes {known}")
        if value is None:
            return
        if name in _SWITCHES:
            if type(value) is not bool and not (name == "net_faults" and _faults(value)):
                names = f", or some of {', '.join(FAULT_NAMES)}" if name == "net_faults" else ""
                raise WeftError(f"{name} takes True or False{names}, not {value!r}")
            setattr(self, name, value)
            return
        if name == "strategy":
            if value not in STRATEGIES:
                raise WeftError(f"there is no strategy {value!r}: {', '.join(STRATEGIES)}")
            self.strategy = value
            return
        field, (kind, least, most, meaning) = _NUMBERS[name]
        fits = type(value) in ((int, float) if kind is float else (int,))
        if not fits or not least <= value <= most:
            raise WeftError(f"{name} takes {meaning}, not {value!r}")
        setattr(self, field, value)

    @property
    def network(self) -> str:
        """How the program gets sockets, as weft.check.world.NET has it.

        Raises:
            WeftError: it cannot be both ways.
        """
        if self.net_faults and self.net_pass:
            raise WeftError("net-faults are those of the simulated network, which net-pass does without")
        if self.net_faults:
            return " ".join(["faults", *(_faults(self.net_faults) or FAULT_NAMES)])
        return "pass" if self.net_pass else ""


def _faults(value: Any) -> list[str]:
    """The names of faults in a text with commas between them; none if it has others."""
    names = [word.strip() for word in value.split(",")] if isinstance(value, str) else []
    return names if all(name in FAULT_NAMES for name in names) else []


def known_network(mode: str) -> bool:
    """Whether this is a way to get sockets (weft.check.world.NET)."""
    first, *names = mode.split() or [""]
    if first == "faults":
        return bool(names) and all(name in FAULT_NAMES for name in names)
    return first in ("", "pass") and not names


def option(settings: Settings, name: str, text: str) -> None:
    """Set what a command line has: `text` is what stands there.

    Raises:
        WeftError: its value cannot be.
    """
    value: Any = text
    if name in _NUMBERS:
        try:
            value = float(text.removesuffix("s")) if name == "time" else int(text)
        except ValueError:
            pass  # refused as the text that it is
    settings.set(name, value)
