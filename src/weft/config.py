"""Settings with their units and reasons, and the only reader of WEFT_* variables."""

import os

from weft.errors import WeftError

__all__ = ["MODELS", "POLICIES", "SLICE", "VERSION", "Config", "parse_slice"]

VERSION = "0.1.0.dev0"
MODELS = ("kernel", "user", "hybrid")
POLICIES = ("fifo", "priority", "fair")
SLICE = 0.010  # seconds; long enough that preemption costs nothing that can be measured
SHORTEST_SLICE = 0.0001  # seconds; below it the watchdog's own switches are the load
LONGEST_SLICE = 60  # seconds
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class Config:
    """How a runtime is set up.

    Args:
        model: a name of MODELS.
        policy: a name of POLICIES, or "module:Class".
        slice: seconds that a thread runs before a ready one gets its turn; 0: never preempt.

    Raises:
        WeftError: a name is unknown, or the two do not go together.
    """

    __slots__ = ("model", "policy", "slice")

    def __init__(self, model: str = "user", policy: str = "fifo", slice: float = SLICE) -> None:
        self.model = model
        self.policy = policy
        self.slice = slice
        if model not in MODELS:
            raise WeftError(f"there is no model {model!r}; choose one of: {', '.join(MODELS)}")
        if not isinstance(slice, (int, float)):
            raise WeftError(f"a slice is a number of seconds, not {slice!r}")
        if slice != 0 and not SHORTEST_SLICE * 0.999 <= slice <= LONGEST_SLICE:
            raise WeftError(f"a slice of {slice} s cannot be kept; choose between 100us and 60s, or 0")
        if policy not in POLICIES and ":" not in policy:
            raise WeftError(
                f"there is no policy {policy!r}; choose one of: {', '.join(POLICIES)}, "
                "or name your own as module:Class"
            )
        if model == "kernel" and policy != "fifo":
            raise WeftError("the kernel schedules kernel threads: --policy needs --model user")

    @classmethod
    def from_environment(cls, **given: object) -> "Config":
        """What was given, then WEFT_MODEL, WEFT_POLICY and WEFT_SLICE, then the defaults."""
        env = os.environ
        values: dict[str, object] = {}
        for name in ("model", "policy", "slice"):
            value = given.get(name)
            if value is None and (text := env.get(f"WEFT_{name.upper()}")):
                value = parse_slice(text) if name == "slice" else text
            if value is not None:
                values[name] = value
        return cls(**values)  # type: ignore[arg-type]


def parse_slice(text: str) -> float:
    """Seconds out of "10ms", "200us", "0.01s" or a bare number of seconds; "0" or "off": never.

    Raises:
        WeftError: it is not a time, or too short to be kept.
    """
    if text in ("off", "0"):
        return 0.0
    number, unit = text, 1.0
    for suffix in ("us", "ms", "s"):
        if text.endswith(suffix):
            number, unit = text[: -len(suffix)], UNITS[suffix]
            break
    try:
        seconds = float(number) * unit
    except ValueError:
        raise WeftError(f"{text!r} is no time; write it as 10ms, 200us or 0.01s") from None
    if not SHORTEST_SLICE * 0.999 <= seconds <= LONGEST_SLICE:
        raise WeftError(f"a slice of {text} cannot be kept; choose between 100us and 60s, or off")
    return seconds
