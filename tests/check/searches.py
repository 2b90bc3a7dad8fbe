"""`python -m tests.check.searches`: searches over functions, each in a process of its own, as standard input
says: a line of JSON for each, and a line for what came of it.

A request has `name` of a function of searches_programs, `settings`, and whichever it wants of `note` (a file
that gets the choices of each execution of an exhaustive search), `kill` (each unit's process is killed once,
when it has begun so many executions), `stop` (an interrupt after so many), `keep` and `resume` (files).
"""

import sys

from weft.check import supply

supply.install()

import json  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
from typing import Any  # noqa: E402

from weft.check import resume  # noqa: E402
from weft.check.execution import Executor  # noqa: E402
from weft.check.explore import Explorer  # noqa: E402
from weft.check.program import Function  # noqa: E402
from weft.check.schedule import to_text  # noqa: E402
from weft.check.settings import Settings  # noqa: E402
from weft.check.workers import ForkedWorkers  # noqa: E402
from weft.errors import WeftError  # noqa: E402
from weft.host.children import fork_child  # noqa: E402


class Killed(ForkedWorkers):
    """Processes of which each is killed once for each unit."""

    after = 1

    def wait(self, seconds: float) -> Any:
        done = super().wait(0.001)
        for busy in self._busy:
            if busy.unit.tries == 0 and self._numbers[busy.slot] >= self.after:
                os.kill(busy.child.pid, signal.SIGKILL)
        return done


class Interrupt:
    """A signal that comes when it is told to."""

    number = 0

    def leave(self) -> None:
        """Children do not see it."""


def note_in(path: str) -> None:
    """Have the choices of each execution of an exhaustive search written to a file."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    run = Executor.run

    def noted(self: Any, strategy: Any, *args: Any, **kwargs: Any) -> Any:
        outcome = run(self, strategy, *args, **kwargs)
        if strategy.name in ("dfs", "delay", "dpor"):
            os.write(fd, (to_text(outcome.choices) + "\n").encode())
        return outcome

    Executor.run = noted


def search(request: dict[str, Any]) -> dict[str, Any]:
    program = Function(
        f"tests.check.searches_programs:{request['name']}", [], {"exclude": ["tests.check.searches"]}
    )
    program.prepare()
    explorer = Explorer(program, Settings(**request["settings"]))
    if "note" in request:
        note_in(request["note"])
    if "kill" in request:

        def killed(explorer: Any, until: float) -> Any:
            workers = Killed(explorer.settings.jobs, explorer.do, until, None)
            workers.after = request["kill"]
            return workers

        explorer.make_workers = killed
    if "stop" in request:
        explorer.interrupts = Interrupt()

        def watch(explorer: Any, running: int) -> None:
            if explorer.report.executions + running >= request["stop"]:
                explorer.interrupts.number = 2

        explorer.watch = watch
    if "resume" in request:
        explorer.before_search = lambda explorer: resume.go_on(explorer, request["resume"])
    try:
        report = explorer.explore()
    except WeftError as error:
        return {"error": str(error)}
    if "keep" in request:
        resume.save(explorer, request["keep"])
    schedule = report.schedule
    return {
        "findings": report.findings,
        "executions": report.executions,
        "choices": to_text(schedule.choices) if schedule is not None else None,
        "complete": report.complete,
        "exhausted": report.exhausted,
        "unseen": report.unseen,
        "bound": report.bound,
        "within": report.within,
        "rest": explorer.has_rest,
        "problems": report.problems,
    }


if __name__ == "__main__":
    for line in sys.stdin:
        child = fork_child(lambda send, line=line: send(search(json.loads(line))))
        try:
            print(json.dumps(child.receive(100)), flush=True)
            child.end()
        except EOFError:
            print(json.dumps({"error": f"status {child.end()}"}), flush=True)
