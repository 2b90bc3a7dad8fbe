"""The process in which `weft.check(function)` and tests are checked: requests come in, JSON goes out.

The first line of standard input says what process it is to be. One for a function answers and ends; one for
tests runs pytest, and answers a line for each test until there are no more; one for calls (weft.check.linear)
answers a line for each scenario.
"""

import importlib
import json
import os
import sys
from typing import Any, NoReturn

from weft.check import tell
from weft.check.order import parse
from weft.check.settings import Settings
from weft.check.stacks import NOTING
from weft.check.start import begin
from weft.errors import WeftError
from weft.host.children import fork_child, mute

__all__ = ["answer", "main"]

LONG = 1e6  # seconds: a search ends by itself


def main() -> NoReturn:
    """Answer, and end."""
    session = begin()
    lines = os.fdopen(os.dup(0), encoding="utf-8")
    request = json.loads(lines.readline())
    sys.path[:] = ["", *request["path"]]
    out, _ = mute(also_errors=request["kind"] != "tests")
    try:
        if request["kind"] == "tests":
            _serve(session, request, lines, out)
        elif request["kind"] == "calls":
            serving = importlib.import_module("weft.check.linear.serving")
            serving.serve(request, lines, lambda answer: _say(out, answer))
        elif request["kind"] == "order":
            _say(out, _steered(session, request))
        else:
            program = session.named(request["kind"], request["what"], request["args"], request["choice"])
            _say(out, answer(session, program, request))
    except WeftError as error:
        _say(out, {"error": str(error)})
    os._exit(0)


def answer(session: Any, program: Any, request: dict[str, Any]) -> dict[str, Any]:
    """A search, with the settings of `request`: its report, and the same for people, or an error."""
    try:
        settings = Settings(**request["settings"])
        report, path = session.check(program, settings)
    except WeftError as error:
        return {"error": str(error)}
    return {
        "report": json.loads(tell.as_json(report, path)),
        "text": tell.verdict(report, path),
        "status": tell.exit_status(report, request.get("strict", False)),
    }


def _steered(session: Any, request: dict[str, Any]) -> dict[str, Any]:
    order = parse(request["order"])
    settings = Settings(**request["settings"])
    strict = request["strict"]
    _, report, path, missed = session.steer(request["words"], request["choice"], order, settings, strict)
    if path is not None:  # as it is seen from where it was asked for
        path = os.path.relpath(path, request["from"])
    return {
        "report": json.loads(tell.as_json(report, path)),
        "text": tell.verdict(report, path),
        "missed": missed,
    }


def _say(out: int, answer: dict[str, Any]) -> None:
    data = (json.dumps(answer) + "\n").encode()
    while data:
        data = data[os.write(out, data) :]


def _serve(session: Any, first: dict[str, Any], lines: Any, out: int) -> None:
    """A session of pytest that answers; each search has a process of its own, forked from it."""
    tests = importlib.import_module("weft.check.tests")
    NOTING.on = bool(first.get("orders"))

    def search(program: Any, request: dict[str, Any]) -> Any:
        def work(send: Any) -> None:
            said = answer(session, program, request)
            send({**said, "skipped": program.skipped(), "orders": program.orders()})

        return work

    def work(session_of_pytest: Any) -> None:
        _say(out, {"ready": True})
        for line in lines:
            request = json.loads(line)
            program = tests.Test(request["what"], first["args"], first["choice"])
            try:
                program.take(session_of_pytest)
            except WeftError as error:
                _say(out, {"error": str(error)})
                continue
            child = fork_child(search(program, request))
            try:
                said = child.receive(LONG)
            except EOFError:
                said = {"error": "the process that searched has ended without a word"}
            child.end()
            program.forget()
            _say(out, said)

    tests.Tests(first["args"], first["choice"], work).hold(first["folder"])
