"""The reduced search sees every history that there is, times included: held against all schedules."""

import json
import subprocess
import sys
import textwrap

import pytest

from tests.check.programs import SECONDS

PROGRAM = """
    import json
    import sys
    from weft.check.start import begin
    begin()
    from weft.check.execution import Executor
    from weft.check.linear.calls import Calls
    from weft.check.linear.history import comes_before
    from weft.check.linear.results import said
    from weft.check.strategies.dfs import BoundedDfs
    from weft.check.strategies.dpor import Dpor
    from weft.check.world import MODEL

    what, calls = sys.argv[1], json.loads(sys.argv[2])
    sys.path.insert(0, sys.argv[3])
    made = {"factory": {"kind": "function", "args": []}, "spec": None, "equal": None, "calls": calls}
    program = Calls(f"tests.check.linear.classes:{what}", [json.dumps(made)])
    program.prepare()
    program.judge = lambda *_: None

    def histories(strategy):
        executor = Executor(program)
        found, more = set(), True
        while more:
            outcome = executor.run(strategy)
            record = program.record
            spans = record.spans(list(range(len(calls[0]) + sum(map(len, calls[1])))))
            if outcome.end != "pruned":
                times = [comes_before(one, other) for one in spans for other in spans]
                begun = [begun is not None for begun in record.begun]
                found.add(repr((list(map(said, record.results)), times, begun)))
            more = strategy.end(outcome.steps, outcome.trace)
            assert not executor.tried() - MODEL.release_points
        return found, executor.runs

    every, most = histories(BoundedDfs(99))
    reduced, few = histories(Dpor())
    print(reduced == every, len(every), most, few)
"""


@pytest.mark.parametrize(
    ("what", "calls", "count"),
    [
        ("Register", [[["get", []]], [["get", []]]], 3),
        ("Register", [[["put", [["plain", "1"]]]], [["get", []]]], 4),
        ("Slot", [[["get", []]], [["put", [["plain", "1"]]]]], 2),
    ],
)
def test_the_reduced_search_sees_every_history(what: str, calls: object, count: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), what, json.dumps([[], calls, []]), "."],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    words = done.stdout.split()
    assert words[:1] == ["True"], (done.stdout, done.stderr)
    assert int(words[1]) == count, done.stdout
    assert int(words[3]) < int(words[2]) < 20_000
