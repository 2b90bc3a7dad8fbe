"""A schedule as a value: who was chosen at each choice, as short text and as a JSON file.

The text is runs of equal choices, `0*3 1 2*5 ~`: a thread's number, how often in a row; `~` is the clock. The
file holds it with what makes the run happen again (program, arguments, seed) and the steps it took, so that a
replay can say where it parts from them. Whatever is read is checked: a file may be damaged, old, or somebody
else's.
"""

import json
import os
import re
from typing import Any

from weft.check.findings import Finding
from weft.check.settings import known_network
from weft.errors import WeftError
from weft.models.controlled import CLOCK

__all__ = ["FORMAT", "Schedule", "from_text", "load", "save", "to_text"]

FORMAT = 1
MOST_STEPS = 20_000  # steps that a file holds
MOST_CHOICES = 5_000_000
_PART = re.compile(r"(\d{1,6}|~)(?:\*(\d{1,7}))?")


class Schedule:
    """What a replay needs."""

    def __init__(self, program: str, args: list[str], seed: int, choices: list[int]) -> None:
        self.program = program
        self.kind = "script"  # as weft.check.program has it
        self.choice: dict[str, Any] = {}  # what is instrumented
        self.args = args
        self.seed = seed
        self.choices = choices
        self.clock = False  # whether the clock was a choice
        self.release: list[str] = []  # kinds of primitives whose release is a point
        self.network = ""  # how the program got sockets, as weft.check.world.NET has it
        self.finding: Finding | None = None
        self.steps: list[tuple[int, str, str]] = []
        self.details: list[tuple[int, str]] = []  # for the story: of each step what it touches, and a value
        self.waits: list[tuple[int, str, str, int]] = []  # in the end: whose, where, for what, its number
        self.threads: dict[int, str] = {}  # their names
        self.lanes: dict[str, Any] = {}  # as weft.check.lanes has them; not in a file

    def tell(self, again: Any) -> None:
        """Take the steps from what a run of it has sent, or from a file."""
        self.steps = [(step[0], step[1], step[2]) for step in again["steps"]]
        self.details = [(detail[0], detail[1]) for detail in again["details"]]
        self.waits = [(wait[0], wait[1], wait[2], wait[3]) for wait in again["waits"]]
        self.threads = {thread[0]: thread[1] for thread in again["threads"]}
        self.lanes = again.get("lanes", {})


def to_text(choices: list[int]) -> str:
    """The short text form."""
    parts: list[str] = []
    index = 0
    while index < len(choices):
        end = index
        while end < len(choices) and choices[end] == choices[index]:
            end += 1
        name = "~" if choices[index] == CLOCK else str(choices[index])
        parts.append(name if end - index == 1 else f"{name}*{end - index}")
        index = end
    return " ".join(parts)


def from_text(text: str) -> list[int]:
    """The choices that a text stands for.

    Raises:
        WeftError: it is no such text.
    """
    choices: list[int] = []
    for word in text.split():
        match = _PART.fullmatch(word)
        times = int(match[2] or 1) if match else 0
        if match is None or not times or len(choices) + times > MOST_CHOICES:
            raise WeftError(f"{word!r} is no part of a schedule: it has to be like 0, 1*3 or ~")
        choices += [CLOCK if match[1] == "~" else int(match[1])] * times
    return choices


def save(schedule: Schedule, path: str) -> None:
    """Write it.

    Raises:
        WeftError: the file cannot be written.
    """
    data = {
        "weft schedule": FORMAT,
        "program": schedule.program,
        "kind": schedule.kind,
        "instrument": schedule.choice,
        "args": schedule.args,
        "seed": schedule.seed,
        "clock": schedule.clock,
        "release": schedule.release,
        "network": schedule.network,
        "choices": to_text(schedule.choices),
        "finding": schedule.finding,
        "steps": [list(step) for step in schedule.steps[:MOST_STEPS]],
        "details": [list(detail) for detail in schedule.details[:MOST_STEPS]],
        "waits": [list(wait) for wait in schedule.waits],
        "threads": [list(thread) for thread in schedule.threads.items()],
    }
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
            file.write("\n")
    except OSError as error:
        raise WeftError(f"the schedule cannot be written to {path!r}: {error.strerror}") from None


def load(path: str) -> Schedule:
    """Read and check one.

    Raises:
        WeftError: it cannot be read, or is no schedule of ours.
    """
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except OSError as error:
        raise WeftError(f"can't open schedule {path!r}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise WeftError(f"{path!r} is no schedule: it is not JSON ({error})") from None
    if not isinstance(data, dict) or "weft schedule" not in data:
        raise WeftError(f"{path!r} is no schedule of weft")
    if data["weft schedule"] != FORMAT:
        raise WeftError(f"{path!r} is of format {data['weft schedule']!r}; this weft reads {FORMAT}")
    made = Schedule(
        _typed(data, "program", str, path),
        _list_of(data, "args", str, path),
        _typed(data, "seed", int, path),
        from_text(_typed(data, "choices", str, path)),
    )
    given = {"kind": made.kind, "instrument": made.choice, "network": "", **data}  # which files may leave out
    made.kind = _typed(given, "kind", str, path)
    made.choice = _choice(_typed(given, "instrument", dict, path), path)
    made.network = _typed(given, "network", str, path)
    if not known_network(made.network):
        raise WeftError(f"{path!r} is damaged: its 'network' is {made.network!r}")
    made.clock = _typed(data, "clock", bool, path)
    made.release = _list_of(data, "release", str, path)
    finding = data.get("finding")
    made.finding = _finding(finding, path) if finding is not None else None
    for name, types in (
        ("steps", [int, str, str]),
        ("details", [int, str]),
        ("waits", [int, str, str, int]),
        ("threads", [int, str]),
    ):
        for each in _list_of(data, name, list, path):
            if [type(field) for field in each] != types:
                raise WeftError(f"{path!r} is damaged: in its {name!r} is {each!r}")
    made.tell(data)
    return made


def _typed(data: dict[str, Any], name: str, kind: type, path: str) -> Any:
    value = data.get(name)
    if type(value) is not kind:
        raise WeftError(f"{path!r} is damaged: its {name!r} is {value!r}")
    return value


def _list_of(data: dict[str, Any], name: str, kind: type, path: str) -> Any:
    value = _typed(data, name, list, path)
    for each in value:
        if type(each) is not kind:
            raise WeftError(f"{path!r} is damaged: in its {name!r} is {each!r}")
    return value


def _choice(data: dict[str, Any], path: str) -> dict[str, Any]:
    for name in data:
        if name not in ("only", "exclude", "stdlib"):
            raise WeftError(f"{path!r} is damaged: in its 'instrument' is {name!r}")
        if name == "stdlib":
            _typed(data, name, bool, path)
        else:
            _list_of(data, name, str, path)
    return data


def _finding(data: Any, path: str) -> Finding:
    if not isinstance(data, dict):
        raise WeftError(f"{path!r} is damaged: its 'finding' is {data!r}")
    for name in ("kind", "level", "title"):
        _typed(data, name, str, path)
    for name in ("threads", "places", "lines"):
        _list_of(data, name, str, path)
    return data
