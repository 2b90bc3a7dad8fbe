"""The one table of commands and options: what the shells complete, what a misspelled word may have meant, and
the list that `weft --help` prints.

A command is an entry here, and a file `weft/cli/NAME.py` with `NAME_command(args)` and a `HELP`. Tests hold
each help text against the entry, and each option against the command that has to take it. `weft run` does not
load this.
"""

from typing import NamedTuple

from weft.config import DEADLOCK_ACTIONS, MODELS, PLAIN, POLICIES, START_METHODS

__all__ = ["COMMANDS", "FILE", "PYTHON", "Command", "Option", "usage"]

PYTHON = "*.py"  # what completes the name of a file: of this kind, or of any
FILE = "*"

STRATEGIES = ("portfolio", "walk", "uniform", "pct", "pos", "surw", "round-robin", "dfs", "delay", "dpor")
FAULTS = ("short", "delay", "reset")
SHELLS = ("bash", "zsh", "fish")


class Option(NamedTuple):
    """One option of a command.

    Attributes:
        names: all its names.
        about: what it does, in a few words.
        value: what stands behind it in the help, "" if nothing does; "[=F]" if it may be left out.
        choices: the words that can be its value; FILE: the name of a file.
    """

    names: tuple[str, ...]
    about: str
    value: str = ""
    choices: tuple[str, ...] = ()

    @property
    def takes_value(self) -> bool:
        """Whether the next word belongs to it."""
        return bool(self.value) and not self.value.startswith("[")


class Command(NamedTuple):
    """One command.

    Attributes:
        usage: how it is called, each way a line, without `weft`; and what it is for.
        about: the same in a few words.
        options: those that stand before what it works on.
        words: what it works on: words to choose from, or PYTHON or FILE for files.
    """

    usage: tuple[tuple[str, str], ...]
    about: str
    options: tuple[Option, ...]
    words: tuple[str, ...] = ()


_HELP = Option(("-h", "--help"), "say what it does and what it takes")
_JSON = Option(("--json",), "print JSON")
_HTML = Option(("--html",), "write a page that shows it", "FILE", (FILE,))
_ASKED = (
    Option(("-m",), "a module, as `python` has it", "module"),
    Option(("-c",), "a piece of code, as `python` has it", "code"),
)
_SEARCH = (
    Option(("--time",), "how long to search, in seconds", "T"),
    Option(("--schedules",), "how many executions at most", "N"),
    Option(("--seed",), "where chance begins", "N"),
    Option(("--strategy",), "who goes on at each choice", "S", STRATEGIES),
    Option(("--bound",), "preemptions or delays that are allowed", "N"),
    Option(("--steps",), "steps after which an execution is broken off", "N"),
    Option(("--only",), "rewrite these modules and no others", "P"),
    Option(("--exclude",), "leave these modules alone", "P"),
    Option(("--stdlib",), "rewrite the standard library too"),
    Option(("--strict",), "warnings count as failures"),
    _JSON,
)
_RUN = (
    Option(("--model",), "what carries threads", "M", MODELS),
    Option(("--carriers",), "how many kernel threads carry the threads of hybrid", "N"),
    Option(("--policy",), "which ready user thread runs next", "P", POLICIES),
    Option(("--slice",), "how long a thread runs while others are ready", "T"),
    Option(("--offload",), "a callable whose calls go to kernel threads", "N"),
    Option(("--blocked-limit",), "after how long in one C call that is told", "T"),
    Option(("--on-deadlock",), "what follows once a deadlock has been told", "A", DEADLOCK_ACTIONS),
    Option(("--stall-limit",), "tell of waits for a lock or a thread that last longer", "T"),
    Option(("--no-ps",), "let nobody ask the program by `weft ps`"),
    Option(("--start-method",), "how processes are started", "S", START_METHODS),
    Option(("--copy-globals",), "let processes change their own copies"),
    *_ASKED,
    _HELP,
)

COMMANDS: dict[str, Command] = {
    "run": Command(
        (("run [options] program.py [args]", "run a program on a thread model"),),
        "run a program on a thread model",
        _RUN,
        (PYTHON,),
    ),
    "compare": Command(
        (("compare [options] program.py [args]", "run it on each model and show what it cost there"),),
        "run a program on each model and show what it cost there",
        (
            Option(("--models",), "which, in which order, with commas", "M", ("list", PLAIN, *MODELS)),
            Option(("--runs",), "timed runs of each model", "N"),
            Option(("--timeout",), "how long a run may take", "T"),
            Option(("--contest",), "a program that comes with weft", "N", ("list",)),
            _JSON,
            _HTML,
            *_ASKED,
            _HELP,
        ),
        (PYTHON,),
    ),
    "trace": Command(
        (("trace [options] program.py [args]", "record what its threads do, and show it"),),
        "record what a program's threads do, and show it",
        (
            Option(("-o", "--output"), "where to: FILE.html and FILE.json", "FILE", (FILE,)),
            Option(("--open",), "show the page when it is made"),
            Option(("--ring",), "record no more than the last bytes", "N"),
            Option(("--from",), "make the files of a recording that was left", "SPOOL", (FILE,)),
            *_RUN,
        ),
        (PYTHON,),
    ),
    "check": Command(
        (
            ("check [options] program.py [args]", "find what can go wrong with its threads"),
            ("check --all [options] [PATH]", "the same for every test of a package"),
        ),
        "find what can go wrong with a program's threads",
        (
            Option(("--all",), "every test that pytest collects"),
            *_SEARCH,
            Option(("--net-faults",), "let the simulated network fail", "[=F]", FAULTS),
            Option(("--net-pass",), "let the program have the machine's sockets"),
            Option(("--notes",), "tell of races that are no failures, too"),
            Option(("--emit-test",), "write a test that fails until it is mended", "F", (FILE,)),
            _HTML,
            Option(("-j", "--jobs"), "processes that search at a time", "N", ("auto",)),
            Option(("--resume",), "go on where the same search has ended"),
            Option(("--cluster",), "search on a Dask cluster", "[=A]"),
            Option(("-q", "--quiet"), "do not show how it gets on"),
            _ASKED[0],
            Option(("--total-time",), "with --all: how long for all tests", "T"),
            _HELP,
        ),
        (PYTHON,),
    ),
    "ps": Command(
        (("ps [options] [PID]", "show the threads of a program that runs"),),
        "show the threads of a program that runs",
        (
            Option(("--stacks",), "also each thread's calls"),
            Option(("--all",), "each thread by itself"),
            Option(("--time",), "also the processor time of user threads"),
            _JSON,
            Option(("--watch",), "again and again, each second"),
            Option(("--timeout",), "how long to wait for an answer", "T"),
            _HELP,
        ),
    ),
    "replay": Command(
        (("replay [options] SCHEDULE", "run what was found again"),),
        "run what `weft check` has found again",
        (Option(("--pdb",), "under the debugger"), _HTML, _HELP),
        (FILE,),
    ),
    "tour": Command(
        (("tour [options] [NUMBER]", "learn threads by running them"),),
        "learn threads by running them",
        (
            Option(("--model",), "the thread model to run it on", "M", (PLAIN, *MODELS)),
            Option(("--answer",), "show the answer to the question, too"),
            Option(("--lang",), "the language", "L", ("en", "zh")),
            Option(("--program",), "print the program and nothing else"),
            _HELP,
        ),
    ),
    "doctor": Command(
        (("doctor [options]", "look whether weft works here, and say what to do if not"),),
        "look whether weft works here, and say what to do if not",
        (_JSON, _HELP),
    ),
    "completion": Command(
        (("completion SHELL", "print the script with which a shell completes all this"),),
        "print the script with which a shell completes commands and options",
        (_HELP,),
        SHELLS,
    ),
}


def usage() -> str:
    """What `weft --help` prints."""
    lines = [line for command in COMMANDS.values() for line in command.usage]
    width = max(len(call) for call, _ in lines)
    ways = [f"weft {call:{width}}  {about}" for call, about in lines]
    body = "\n       ".join([*ways, "weft --version"])
    more = "`weft COMMAND --help` says more of each; `weft doctor` helps if something does not work."
    return f"usage: {body}\n\n{more}\n"
