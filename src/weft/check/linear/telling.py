"""What is said of calls that no order explains: who called what, what it gave, what it could have given."""

from types import MethodType
from typing import Any

from weft.check.findings import Finding
from weft.check.linear.history import comes_before
from weft.check.linear.record import Record
from weft.check.linear.results import Names, Raised, Result, said
from weft.check.linear.scenario import Scenario
from weft.check.teller import Wait

__all__ = [
    "MOST_ORDERS",
    "Possible",
    "gave",
    "is_refused",
    "nondeterministic",
    "not_linearizable",
    "place_of_method",
    "waits_of_calls",
    "with_calls",
]

MOST_ORDERS = 200  # that are looked at
MOST_TOLD = 3  # of them
MAIN = 0  # its number
JOINS = "MainThread waits for the end of "
Possible = tuple[list[int], dict[int, Result]]
"""An order of calls, and what each gives in it."""


def place_of_method(subject: Any, name: str) -> str:
    """Where a method is defined: "file:line in function"; "?" if it is not written in Python."""
    for cls in type(subject).__mro__:
        found = vars(cls).get(name)
        if found is not None:
            code = getattr(getattr(found, "__func__", found), "__code__", None)
            if code is None:
                code = getattr(getattr(found, "__wrapped__", None), "__code__", None)
            return "?" if code is None else f"{code.co_filename}:{code.co_firstlineno} in {code.co_name}"
    return "?"


def is_refused(error: TypeError, subject: Any, name: str) -> bool:
    """Whether a method in Python was not even entered: it was given other arguments than it takes."""
    own = error.__traceback__
    entered = own is not None and own.tb_next is not None
    return not entered and isinstance(getattr(subject, name, None), MethodType)


def nondeterministic(
    scenario: Scenario, order: tuple[int, ...], results: tuple[Result, Result], returned: tuple[bool, bool]
) -> str:
    """That the same calls in the same order gave something else the second time."""
    texts = [gave(result) if did else "never returns" for result, did in zip(results, returned, strict=True)]
    calls = ", ".join(scenario.calls[number].text for number in order)
    return (
        f"the calls {calls}, made one after another, do not give the same each time:"
        f" {scenario.calls[order[-1]].text} {texts[0]}, then {texts[1]}. It may depend on the real time, on"
        " addresses (id()), on files, on what lasts from one object to the next, or on how far threads of its"
        " own have come by then."
    )


def gave(result: Result, names: Names | None = None) -> str:
    """What a call gave, as the end of a sentence."""
    return f"{'raises' if isinstance(result, Raised) else 'returns'} {said(result, names)}"


def not_linearizable(scenario: Scenario, record: Record, possible: list[Possible]) -> Finding:
    """No order of the calls gives what they gave."""
    lines = [*_table(scenario, record), *_times(scenario, record), *_orders(scenario, record, possible)]
    names = [scenario.name(index) for index in range(len(scenario.threads))]
    return {
        "kind": "not-linearizable",
        "level": "failure",
        "title": "no order of these calls gives what they gave",
        "threads": names,
        "places": [],
        "names": sorted({call.name for call in scenario}),
        "lines": lines,
    }


def with_calls(finding: Finding, scenario: Scenario, record: Record) -> Finding:
    """A finding of threads that wait, with the calls that they make."""
    lines = [
        *_table(scenario, record),
        *_times(scenario, record),
        "in no order of these calls, made one after another, would they wait there",
        *(line for line in finding["lines"] if not line.startswith(JOINS) or _main_calls(scenario, record)),
    ]
    return {**finding, "lines": lines}


def waits_of_calls(waits: list[Wait], scenario: Scenario, record: Record) -> list[Wait]:
    """What threads wait for, without the main thread's wait for their end."""
    return [wait for wait in waits if wait[0] != MAIN or _main_calls(scenario, record)]


def _main_calls(scenario: Scenario, record: Record) -> bool:
    return any(number in record.pending for number in (*scenario.before, *scenario.after))


def _cell(scenario: Scenario, record: Record, number: int) -> str:
    text = scenario.calls[number].text
    if record.ended[number] is not None:
        result = record.results[number]
        return f"{text} {'raises' if isinstance(result, Raised) else '='} {said(result, record.names)}"
    return f"{text} never returns" if record.begun[number] is not None else f"{text} never begins"


def _table(scenario: Scenario, record: Record) -> list[str]:
    """The calls, a column for each thread."""
    lines = [f"before: {_cell(scenario, record, number)}" for number in scenario.before]
    columns = [
        [scenario.name(index), *(_cell(scenario, record, number) for number in numbers)]
        for index, numbers in enumerate(scenario.threads)
    ]
    widths = [max(map(len, column)) for column in columns]
    for row in range(max(map(len, columns), default=0)):
        cells = [
            (column[row] if row < len(column) else "").ljust(width)
            for column, width in zip(columns, widths, strict=True)
        ]
        lines.append(" | ".join(cells).rstrip())
    lines += [f"after: {_cell(scenario, record, number)}" for number in scenario.after]
    return lines


def _times(scenario: Scenario, record: Record) -> list[str]:
    """Which calls had returned before those of other threads began."""
    spans = record.spans(list(range(len(scenario))))
    lines = []
    for index, numbers in enumerate(scenario.threads):
        for others in scenario.threads[:index] + scenario.threads[index + 1 :]:
            lines += _just_before(scenario, record, spans, numbers, others)
    return lines


def _just_before(
    scenario: Scenario, record: Record, spans: Any, mine: list[int], theirs: list[int]
) -> list[str]:
    """Pairs of calls of two threads from which all others of theirs follow."""
    lines = []
    told = -1
    for later in theirs:
        if record.begun[later] is None:
            continue
        earlier = [number for number in mine if comes_before(spans[number], spans[later])]
        if earlier and earlier[-1] > told:
            told = earlier[-1]
            one, other = _named(scenario, told), _named(scenario, later)
            lines.append(f"{one} had returned before {other} was called")
    return lines


def _named(scenario: Scenario, number: int) -> str:
    who = scenario.who(number)
    return f"{who}'s {scenario.calls[number].text}" if who else scenario.calls[number].text


def _orders(scenario: Scenario, record: Record, possible: list[Possible]) -> list[str]:
    """What the calls could have given, the nearest to what they gave first."""
    told: dict[str, tuple[int, str]] = {}
    in_time = record.returned
    mine = {number: gave(record.results[number], record.names) for number in in_time}
    for order, results in possible:
        names: Names = {}
        theirs = {number: gave(results[number], names) for number in in_time}
        different = [number for number in sorted(theirs) if theirs[number] != mine[number]]
        gives = ", ".join(f"{_named(scenario, number)} {theirs[number]}" for number in different)
        steps = ", ".join(_named(scenario, number) for number in order if scenario.who(number))
        told.setdefault(gives, (len(different), steps))
    nearest = sorted(told.items(), key=lambda item: item[1][0])
    lines = [
        f"in the order {steps}: {gives or 'values of the same text'}"
        for gives, (_, steps) in nearest[:MOST_TOLD]
    ]
    if len(nearest) > MOST_TOLD:
        lines.append(f"and {len(nearest) - MOST_TOLD} other outcomes of orders, further away")
    return lines
