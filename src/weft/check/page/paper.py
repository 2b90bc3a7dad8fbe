"""The page as the checking process sees it: a file, the facts, and an interpreter that makes it of them."""

import json
import sys
from typing import TYPE_CHECKING, Any

from weft.check import tell
from weft.config import VERSION, environment_with_weft
from weft.errors import WeftError
from weft.host.children import ask
from weft.host.files import writable, write_whole

if TYPE_CHECKING:
    from weft.check.report import Report
    from weft.check.schedule import Schedule

__all__ = ["MISSING", "Paper", "facts_of_check", "facts_of_replay"]

EXTRA = "weft[html]"
MISSING = 3  # status of the interpreter that makes the page where it has no template library


class Paper:
    """The file of a page, known to be writable, and that a page can be made.

    Raises:
        WeftError: it cannot be written, or what makes pages is not installed.
    """

    def __init__(self, name: str) -> None:
        self.path = writable(name)
        self._ask(b"")

    def write(self, facts: dict[str, Any]) -> None:
        """Make the page and write it, whole or not at all.

        Raises:
            WeftError: that went wrong.
        """
        write_whole(self.path, self._ask(json.dumps(facts).encode()))

    def _ask(self, data: bytes) -> bytes:
        """Ask a fresh interpreter: here the modules are those of the program, and so are its locks."""
        command = [sys.executable, "-P", "-m", "weft.check.page"]
        status, said = ask(command, environment_with_weft(), data)
        if status == MISSING:
            why = said.decode(errors="replace")
            raise WeftError(
                f"--html makes its page with jinja2, which cannot be loaded ({why});"
                f" it comes with the extra {EXTRA}: python -m pip install '{EXTRA}'"
            )
        if status:
            raise WeftError(f"the page could not be made (status {status}); please report it")
        return said


def facts_of_check(report: "Report", schedule: str | None, words: list[str]) -> dict[str, Any]:
    """What a page of a check is made from, of plain types.

    Args:
        schedule: the file that replays.
        words: the command as it was typed, without `weft check`.
    """
    shown = report.schedule
    runs = {}
    if shown is not None and shown.steps:
        runs["minimal"] = _run(shown)
        if report.whole is not None:
            runs["full"] = report.whole
    return {
        **_common("check", words),
        "findings": report.findings,
        "executions": report.executions,
        "seconds": report.seconds,
        "complete": report.complete,
        "exhausted": report.exhausted,
        "unseen": report.unseen,
        "bound": report.bound,
        "bounded": report.bounded,
        "within": report.within,
        "preemptions": report.preemptions,
        "schedule": schedule,
        "notes": tell.remarks(report),
        "shown": shown.finding if shown is not None else None,
        "runs": runs,
    }


def facts_of_replay(
    schedule: "Schedule", found: list[dict[str, Any]], path: str, words: list[str]
) -> dict[str, Any]:
    """What a page of a replay is made from."""
    return {
        **_common("replay", words),
        "findings": found,
        "executions": 1,
        "seconds": 0.0,
        "complete": False,
        "exhausted": False,
        "unseen": [],
        "bound": None,
        "bounded": "",
        "within": 0,
        "preemptions": None,
        "schedule": path,
        "notes": [],
        "shown": schedule.finding,
        "runs": {"minimal": _run(schedule)} if schedule.steps else {},
    }


def _common(command: str, words: list[str]) -> dict[str, Any]:
    return {
        "command": " ".join(["weft", command, *words]),
        "replayed": command == "replay",
        "version": VERSION,
    }


def _run(schedule: "Schedule") -> dict[str, Any]:
    return {
        "steps": schedule.steps,
        "details": schedule.details,
        "waits": schedule.waits,
        "threads": list(schedule.threads.items()),
        "lanes": schedule.lanes,
    }
