"""What is said of calls that no order explains: who called what and what it gave, and what it could have given."""

from typing import Any

from weft.check.findings import Finding
from weft.check.linear.history import comes_before
from weft.check.linear.results import Raised, Result, said
from weft.check.linear.scenario import Scenario

__all__ = ["MOST_ORDERS", "Possible", "gave", "not_linearizable", "place_of_method", "with_calls"]

MOST_ORDERS = 200  # that are looked at
MOST_TOLD = 3  # of them
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


def gave(result: Result) -> str:
    """What a call gave, as the end of a sentence."""
    return f"raises {said(result)}" if isinstance(result, Raised) else f"returns {said(result)}"


def not_linearizable(scenario: Scenario, record: Any, possible: list[Possible]) -> Finding:
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


def with_calls(finding: Finding, scenario: Scenario, record: Any) -> Finding:
    """A finding of threads that wait, with the calls that they make."""
    lines = [
        *_table(scenario, record),
        *_times(scenario, record),
        "in no order of these calls, made one after another, would they wait there",
        *finding["lines"],
    ]
    return {**finding, "lines": lines}


def _cell(scenario: Scenario, record: Any, number: int) -> str:
    text = scenario.calls[number].text
    if record.ended[number] is not None:
        result = record.results[number]
        return f"{text} raises {said(result)}" if isinstance(result, Raised) else f"{text} = {said(result)}"
    return f"{text} never returns" if record.begun[number] is not None else f"{text} never begins"


def _table(scenario: Scenario, record: Any) -> list[str]:
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


def _times(scenario: Scenario, record: Any) -> list[str]:
    """Which calls had returned before those of other threads began."""
    spans = record.spans(list(range(len(scenario))))
    lines = []
    for index, numbers in enumerate(scenario.threads):
        for others in scenario.threads[:index] + scenario.threads[index + 1 :]:
            lines += _just_before(scenario, record, spans, numbers, others)
    return lines


def _just_before(scenario: Scenario, record: Any, spans: Any, mine: list[int], theirs: list[int]) -> list[str]:
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


def _orders(scenario: Scenario, record: Any, possible: list[Possible]) -> list[str]:
    """What the calls could have given, the nearest to what they gave first."""
    told: dict[str, tuple[int, str]] = {}
    for order, results in possible:
        different = [n for n in sorted(results) if said(results[n]) != said(record.results[n])]
        gives = ", ".join(f"{_named(scenario, n)} {gave(results[n])}" for n in different)
        steps = ", ".join(_named(scenario, number) for number in order if scenario.who(number))
        told.setdefault(gives, (len(different), steps))
    nearest = sorted(told.items(), key=lambda item: item[1][0])
    lines = [
        f"in the order {steps}: {gives or 'the same by its text'}" for gives, (_, steps) in nearest[:MOST_TOLD]
    ]
    if len(nearest) > MOST_TOLD:
        lines.append(f"and {len(nearest) - MOST_TOLD} other outcomes of orders, further away")
    return lines
