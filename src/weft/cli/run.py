"""`weft run`: a program on a thread model, run as `python` runs it."""

import sys
from typing import NoReturn

from weft.cli.output import no_option, refuse, say
from weft.config import (
    DEADLOCK_ACTIONS,
    MODELS,
    POLICIES,
    START_METHODS,
    parse_carriers,
    parse_entries,
    parse_limit,
    parse_slice,
    parse_stall_limit,
)
from weft.errors import WeftError
from weft.launch import Target, launch, prepare

__all__ = ["run_command"]

HELP = f"""\
usage: weft run [options] (program.py | -m module | -c code | -) [args]

Runs a Python program, unmodified, with its threads on a model of your choice.

  --model M    {", ".join(MODELS)} (user): kernel threads, user-level threads on one
               kernel thread, or on several, or processes
  --carriers N how many kernel threads carry the threads of the hybrid model (processors, 2 to 8)
  --policy P   {", ".join(POLICIES)}, or module:Class (fifo): which ready user thread runs next
  --slice T    how long a thread runs while others are ready, as 10ms or 0.01s (10ms); off: no preemption
  --offload N  a callable whose calls go to kernel threads, as module:function or module:Class.method;
               may be given more than once
  --blocked-limit T
               after how long in one C call, while other threads wait, that is told, as 500ms (2s);
               0: never
  --on-deadlock A
               {", ".join(DEADLOCK_ACTIONS)} (raise): what follows once it has been told that all threads wait
               for ever: a DeadlockError in the main thread, nothing, the end with status 70, or pdb
  --stall-limit T
               tell of each wait for a lock or another thread that lasts longer, as 10s, and who holds
               what it waits for (0: never)
  --no-ps      let nobody ask the program by `weft ps`
  --start-method S
               {", ".join(START_METHODS)}: how processes are started (fork where the system has it)
  --copy-globals
               let processes change their own copies of what threads would share, and say nothing
  -m, -c, -    a module, a piece of code, standard input: as `python` has them

WEFT_MODEL, WEFT_CARRIERS, WEFT_POLICY, WEFT_SLICE, WEFT_OFFLOAD (with commas), WEFT_BLOCKED_LIMIT,
WEFT_ON_DEADLOCK, WEFT_STALL_LIMIT, WEFT_PS (0: nobody may ask), WEFT_START_METHOD and WEFT_COPY_GLOBALS
stand in for options that are not given; WEFT_OFFLOAD_THREADS says how many kernel threads offloaded calls
may have. A program that is stuck is told so (not on process): each thread with what it waits for, and who
holds it. SIGQUIT prints every thread of a program that runs, and so does `weft ps` from another terminal.

Exit status: the program's own, 1 for an exception that nobody catches, 2 for a bad call.
"""
VALUED = (
    "--blocked-limit",
    "--carriers",
    "--model",
    "--offload",
    "--on-deadlock",
    "--policy",
    "--slice",
    "--stall-limit",
    "--start-method",
)  # options with a value behind them


def run_command(args: list[str]) -> None:
    """Parse what comes before the program, and run it."""
    options: dict[str, str] = {}
    offload: list[str] = []
    rest = list(args)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word in ("-h", "--help"):
            say(HELP)
            return
        if word in ("--copy-globals", "--no-ps"):
            options[word[2:]] = "1"
        elif name in VALUED:
            if not equals:
                if not rest:
                    _refuse(f"{name} needs a value")
                value = rest.pop(0)
            if name == "--offload":
                offload.append(value)
            else:
                options[name[2:]] = value
        elif word in ("-m", "-c"):
            if not rest:
                _refuse(f"{word} needs {'a module name' if word == '-m' else 'a piece of code'}")
            _go(Target("module" if word == "-m" else "code", rest.pop(0), rest), options, offload)
            return
        elif word == "-":
            _go(Target("stdin", "-", rest), options, offload)
            return
        elif word == "--" and rest:
            _go(Target("script", rest.pop(0), rest), options, offload)
            return
        elif word.startswith("-"):
            _refuse(no_option("run", word))
        else:
            _go(Target("script", word, rest), options, offload)
            return
    _refuse("no program was named")


def _go(target: Target, options: dict[str, str], offload: list[str]) -> None:
    try:
        code = prepare(
            target,
            model=options.get("model"),
            policy=options.get("policy"),
            slice=parse_slice(options["slice"]) if "slice" in options else None,
            offload=parse_entries(offload) if offload else None,
            carriers=parse_carriers(options["carriers"]) if "carriers" in options else None,
            blocked_limit=parse_limit(options["blocked-limit"]) if "blocked-limit" in options else None,
            on_deadlock=options.get("on-deadlock"),
            stall_limit=parse_stall_limit(options["stall-limit"]) if "stall-limit" in options else None,
            ps=False if "no-ps" in options else None,
            start_method=options.get("start-method"),
            copy_globals=True if "copy-globals" in options else None,
        )
    except WeftError as error:
        print(f"weft: {error}", file=sys.stderr)
        sys.exit(2)
    launch(target, code)


def _refuse(why: str) -> NoReturn:
    refuse("run", why)
