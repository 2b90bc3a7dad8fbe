"""What one run is made of: for each part the commands that measure it, in the full form and in the quick one.

Each command is a program of benchmarks/ with `--json FILE`. What it leaves there is kept under its key. The
full form takes about half an hour, the quick one less than five minutes.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["NAMES", "Command", "parts", "python_command"]

NAMES = (
    "micro",
    "start",
    "scale",
    "pools",
    "contest",
    "net",
    "http",
    "tls",
    "get",
    "scale_net",
    "hybrid",
    "tracing",
    "ps",
    "checking",
    "rates",
    "sct",
    "instrumented",
)
MICRO_PEERS = "raw,gevent,gevent-patched,eventlet,asyncio,uvloop,threading,weft"
MICRO_QUICK = "spawn_join,yield2,lock_free,lock_handoff,event_pp,queue1_pp,queue_pc,pool10k"
MEMORY_PEERS = "raw,gevent,gevent-patched,asyncio,weft"
SCT_PROGRAMS = (
    "account",
    "bounded_buffer",
    "circular_buffer",
    "deadlock01",
    "lazy01",
    "rad_bug6",
    "reorder_3",
    "reorder_5",
    "reorder_10",
    "stringbuffer",
    "token_ring",
    "twostage",
    "twostage_20",
    "work_steal_queue",
    "wronglock",
)
ALONE = ("checking.py", "instrumented.py")  # what they load is not to be found in their own folder
SCT_STRATEGIES = "surw,pct,pos,uniform,walk,dpor,portfolio"


@dataclass(frozen=True)
class Command:
    """A program of benchmarks/ with its arguments; `seconds` is when it is given up."""

    key: str
    arguments: tuple[str, ...]
    seconds: float


Times = Callable[[int, int], str]
One = Callable[..., Command]
Parts = dict[str, tuple[Command, ...]]


def parts(quick: bool, rounds: int | None, frontrun: tuple[str, ...] = ()) -> Parts:
    """The commands of each part.

    Args:
        quick: few rounds and small sizes.
        rounds: how many where a part has rounds, in place of its own number.
        frontrun: what benchmarks/rates/run.py is told of frontrun; nothing: it is not there.
    """

    def times(full: int, few: int) -> str:
        return str(rounds or (few if quick else full))

    def one(text: str, seconds: float = 900, key: str = "all", more: tuple[str, ...] = ()) -> Command:
        return Command(key, (*text.split(), *more), seconds)

    made = {
        **_costs(quick, times, one),
        **_servers(quick, times, one),
        "hybrid": (one(f"hybrid.py --rounds {times(5, 1)}"),),
        "tracing": (
            one(f"tracing.py --rounds {times(9, 1)}"),
            one(f"tracing_echo.py --pairs {10 if quick else 100}", key="echo"),
        ),
        "ps": (one(f"ps.py --rounds {times(3, 1)} --threads {5_000 if quick else 100_000}"),),
        "checking": (one(f"checking.py --executions {2_000 if quick else 20_000}"),),
        "rates": (
            one(f"rates/run.py --rounds {times(3, 1)} --seconds {0.5 if quick else 3}", more=frontrun),
        ),
        "sct": (_sct(quick, rounds),),
        "instrumented": (one(f"instrumented.py --rounds {times(9, 3)}"),),
    }
    return {name: made[name] for name in NAMES}


def _costs(quick: bool, times: Times, one: One) -> Parts:
    micro = f"micro.py --rounds {times(7, 2)} --target 0.08 --peers"
    million = "--peers raw,asyncio,weft --ns 1000000 --timeout 600"
    return {
        "micro": (
            one(f"{micro} raw,gevent,threading,weft --benches {MICRO_QUICK}")
            if quick
            else one(f"{micro} {MICRO_PEERS}", 1800),
        ),
        "start": (
            one(f"start.py --rounds {times(21, 5)}", key="start"),
            one(f"preempted.py --rounds {times(11, 3)}", key="preempted"),
        ),
        "scale": (
            one(f"scale.py --peers {MEMORY_PEERS} --ns 10000 --rounds {times(3, 1)}", key="ten thousand"),
            one(f"scale.py --peers threading --ns 1000 --rounds {times(3, 1)}", key="kernel threads"),
            one(f"scale.py --peers weft --serial {50_000 if quick else 1_000_000}", key="serial"),
            *(
                ()
                if quick
                else (
                    one(f"scale.py --peers {MEMORY_PEERS} --ns 100000 --rounds {times(3, 1)}", key="many"),
                    one(f"scale.py {million}", 1800, key="a million"),
                )
            ),
        ),
        "pools": (one(f"pools.py --rounds {times(9, 3)}"),),
        "contest": tuple(
            one(
                f"contest.py --peer {peer} --scale {0.005 if quick else 0.02} --rounds {times(5, 3)}"
                + (" --processes fork,forkserver,spawn" if peer == "threading" and not quick else ""),
                key=peer,
            )
            for peer in ("threading", "weft", *(() if quick else ("weft-kernel", "gevent", "gevent-patched")))
        ),
    }


def _servers(quick: bool, times: Times, one: One) -> Parts:
    seconds = 1 if quick else 1.5
    few, many = "--connections 100,1000", "--connections 100,1000,10000"
    echo = "--variants epoll,uvloop-protocol,weft,gevent,kernel" if quick else ""
    models = "--variants weft,weft-hybrid,weft-traced"
    http = "--variants http-weft,http-gevent-patched,http-kernel --connections 100" if quick else ""
    return {
        "net": (
            one(
                f"net.py --seconds {seconds} --rounds {times(3, 1)} {few if quick else many} {echo}",
                1800,
                key="echo",
            ),
            *(
                ()
                if quick
                else (one(f"net.py --seconds 1.5 --rounds {times(5, 1)} {few} {models}", key="models"),)
            ),
        ),
        "http": (
            one(
                f"net.py --http --seconds {1 if quick else 2} --rounds {times(3, 1)}"
                f" {http or '--connections 1,100,1000'}"
            ),
        ),
        "tls": (one(f"tls.py --rounds {times(9, 3)} --times {20 if quick else 50}"),),
        "get": (one(f"get.py --rounds {times(5, 2)} --threads {200 if quick else 1000}"),),
        "scale_net": (
            one(
                f"scale_net.py --rounds {times(3, 1)}" + (" --count 1000 --most 1000" if quick else ""),
            ),
        ),
    }


def _sct(quick: bool, rounds: int | None) -> Command:
    programs = ("account", "reorder_3", "deadlock01", "wronglock") if quick else SCT_PROGRAMS
    seeds, limit, seconds = (3, 500, 3) if quick else (10, 2000, 5)
    trials = f"--seeds {rounds or seeds} --limit {limit} --seconds {seconds}"
    arguments = f"sct/run.py {trials} --strategies {SCT_STRATEGIES}"
    return Command("all", (*arguments.split(), *programs), 1800)


def python_command(command: Command, result: str) -> list[str]:
    """The command line that runs it with this Python; `result` is where its figures go."""
    script, *arguments = command.arguments
    flags = ["-P"] if script in ALONE else []
    return [sys.executable, *flags, script, *arguments, "--json", result]
