"""Settings with their units and reasons, and the only reader of WEFT_* variables."""

import os
from collections.abc import Callable, Iterable, Mapping

from weft.errors import WeftError

__all__ = [
    "BLOCKED_LIMIT",
    "CARRIERS",
    "DEADLOCK_ACTIONS",
    "DEADLOCK_STATUS",
    "MODELS",
    "OFFLOAD_THREADS",
    "PLAIN",
    "POLICIES",
    "RUNS",
    "SLICE",
    "START_METHODS",
    "TIMEOUT",
    "VERSION",
    "Config",
    "cache_folder",
    "check_options",
    "default_shell",
    "environment_with_fixed_hashes",
    "environment_with_weft",
    "environment_without_settings",
    "may_redraw",
    "parse_bytes",
    "parse_carriers",
    "parse_entries",
    "parse_limit",
    "parse_runs",
    "parse_slice",
    "parse_stall_limit",
    "parse_timeout",
    "plugins_load_themselves",
    "preferred_language",
    "runtime_folders",
    "settings_given",
    "take_counts_file",
    "take_trace_file",
    "wants_colours",
    "wants_guard",
    "wants_ps",
    "wants_pure",
    "with_counts_file",
    "with_trace_file",
]

VERSION = "0.1.0.dev0"
MODELS = ("kernel", "user", "hybrid", "process")
PLAIN = "plain"  # what `weft compare` calls Python without weft
POLICIES = ("fifo", "priority", "fair")
DEADLOCK_ACTIONS = ("raise", "report", "exit", "debug")
DEADLOCK_STATUS = 70  # of a program that is ended when it is stuck: "internal software error" of sysexits.h
START_METHODS = ("fork", "forkserver", "spawn")
SLICE = 0.010  # seconds; long enough that preemption costs nothing that can be measured
SHORTEST_SLICE = 0.0001  # seconds; below it the watchdog's own switches are the load
LONGEST_SLICE = 60  # seconds
OFFLOAD_THREADS = min(32, (os.cpu_count() or 1) + 4)  # kernel threads, as many as a pool has by default
MOST_OFFLOAD_THREADS = 1024
CARRIERS = max(2, min(8, os.cpu_count() or 1))  # one at least beside one that sits in C
MOST_CARRIERS = 64
BLOCKED_LIMIT = (
    2.0  # seconds; what takes longer a person notices, and what takes less is no reason for a line
)
SHORTEST_LIMIT = 0.01  # seconds; about how often the watchdog looks
LONGEST_LIMIT = 86_400  # seconds
RUNS = 5  # timed runs of a comparison: that the ranges of two equal models lie apart has 1 chance in 126
MOST_RUNS = 1000
TIMEOUT = 300.0  # seconds for one run of a comparison
LONGEST_TIMEOUT = 86_400 * 7  # seconds
SMALLEST_RING = 100_000  # bytes; below it a recording turns over faster than it is worth
COUNTS_FILE = "WEFT_COUNTS"
TRACE_FILE = "WEFT_TRACE"
TRACE_RING = "WEFT_TRACE_RING"  # bytes
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class Config:
    """How a runtime is set up.

    Args:
        model: a name of MODELS.
        policy: a name of POLICIES, or "module:Class".
        slice: seconds that a thread runs before a ready one gets its turn; 0: never preempt.
        offload: callables whose calls go to kernel threads, as "module:function" or "module:Class.method".
        offload_threads: how many kernel threads there may be for them.
        blocked_limit: seconds in one C call after which the program is told; 0: never.
        carriers: how many kernel threads carry the threads of the hybrid model; None: CARRIERS.
        start_method: how processes are started, a name of START_METHODS; None: as fits the system.
        copy_globals: whether processes may change their copies of what threads would share.
        on_deadlock: what follows once a deadlock has been told, a name of DEADLOCK_ACTIONS.
        stall_limit: seconds of one wait for a holder after which it is told; 0: never.

    Raises:
        WeftError: a name is unknown, a value is out of bounds, or two do not go together.
    """

    __slots__ = (
        "blocked_limit",
        "carriers",
        "copy_globals",
        "model",
        "offload",
        "offload_threads",
        "on_deadlock",
        "policy",
        "slice",
        "stall_limit",
        "start_method",
    )

    def __init__(
        self,
        model: str = "user",
        policy: str = "fifo",
        slice: float = SLICE,
        offload: Iterable[str] = (),
        offload_threads: int = OFFLOAD_THREADS,
        blocked_limit: float = BLOCKED_LIMIT,
        carriers: int | None = None,
        start_method: str | None = None,
        copy_globals: bool = False,
        on_deadlock: str = "raise",
        stall_limit: float = 0.0,
    ) -> None:
        self.model = model
        self.policy = policy
        self.slice = slice
        self.offload = parse_entries(offload)
        self.offload_threads = _check_threads(offload_threads)
        self.blocked_limit = _check_limit(blocked_limit, repr(blocked_limit))
        self.carriers = CARRIERS if carriers is None else _check_carriers(carriers)
        self.start_method = start_method
        self.copy_globals = copy_globals
        self.on_deadlock = on_deadlock
        self.stall_limit = _check_limit(stall_limit, repr(stall_limit), "stall limit")
        if on_deadlock not in DEADLOCK_ACTIONS:
            raise WeftError(
                f"on a deadlock there is no action {on_deadlock!r};"
                f" choose one of: {', '.join(DEADLOCK_ACTIONS)}"
            )
        if model not in MODELS:
            raise WeftError(f"there is no model {model!r}; choose one of: {', '.join(MODELS)}")
        if not isinstance(slice, (int, float)):
            raise WeftError(f"a slice is a number of seconds, not {slice!r}")
        if slice != 0 and not SHORTEST_SLICE * 0.999 <= slice <= LONGEST_SLICE:
            raise WeftError(f"a slice of {slice} s cannot be kept; choose between 100us and 60s, or 0")
        if not isinstance(policy, str) or (policy not in POLICIES and ":" not in policy):
            raise WeftError(
                f"there is no policy {policy!r}; choose one of: {', '.join(POLICIES)}, "
                "or name your own as module:Class"
            )
        if model in ("kernel", "process") and policy != "fifo":
            what = "kernel threads" if model == "kernel" else "processes"
            raise WeftError(
                f"the kernel schedules {what}: a policy (--policy, WEFT_POLICY) needs --model user"
            )
        if start_method is not None and start_method not in START_METHODS:
            raise WeftError(
                f"there is no start method {start_method!r}; choose one of: {', '.join(START_METHODS)}"
            )

    @classmethod
    def from_environment(cls, **given: object) -> "Config":
        """What was given, then the variable WEFT_ and the name in capitals, then the default."""
        env = os.environ
        values: dict[str, object] = {}
        for name, parse in _FROM_TEXT.items():
            value = given.get(name)
            if value is None and (text := env.get(f"WEFT_{name.upper()}")):
                try:
                    value = parse(text)
                    cls(**{name: value})  # type: ignore[arg-type]
                except WeftError as error:
                    raise WeftError(f"WEFT_{name.upper()}: {str(error).removeprefix('offload: ')}") from None
            if value is not None:
                values[name] = value
        return cls(**values)  # type: ignore[arg-type]


def environment_with_fixed_hashes() -> dict[str, str] | None:
    """The environment of an interpreter that hashes strings the same each time; None: it is one already."""
    if os.environ.get("PYTHONHASHSEED") == "0":
        return None
    return {**os.environ, "PYTHONHASHSEED": "0"}


def plugins_load_themselves() -> bool:
    """Whether pytest takes the plugins that are installed without being told."""
    return not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")


def environment_with_weft() -> dict[str, str]:
    """The environment of another interpreter that is to find this weft, wherever it was found."""
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def cache_folder() -> str | None:
    """Where weft keeps what it can make again; None: nowhere.

    WEFT_CACHE names a folder, or "off"; by default it is `weft` in the user's cache.
    """
    env = os.environ
    named = env.get("WEFT_CACHE")
    if named == "off":
        return None
    if named:
        return named
    above = env.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(above, "weft") if os.path.isabs(above) else None


def check_options(config: Config, given: Mapping[str, object]) -> None:
    """See that what was asked for on the command line can have an effect.

    Variables may: they serve many programs.

    Args:
        config: what is in force.
        given: what the command line said; None: nothing.

    Raises:
        WeftError: an option cannot have an effect.
    """
    for name, (models, why) in _ONLY.items():
        if given.get(name) is not None and config.model not in models:
            option = f"--{name.replace('_', '-')}"
            one, many = (
                ("process", "processes") if config.model == "process" else ("kernel thread", "kernel threads")
            )
            why = why.format(one=one, many=many)
            raise WeftError(
                f"{option} has no effect on --model {config.model}: {why};"
                f" leave it out, or choose {models[0]}"
            )
    if config.model not in ("user", "hybrid"):
        return
    if given.get("blocked_limit") and not config.slice:
        raise WeftError(
            "--blocked-limit has no effect with a slice (--slice, WEFT_SLICE) of 0: "
            "such calls are seen when one is to end"
        )


def parse_slice(text: str) -> float:
    """Seconds out of "10ms", "200us", "0.01s" or a bare number of seconds; "0" or "off": never.

    Raises:
        WeftError: it is not a time, or too short to be kept.
    """
    if text in ("off", "0"):
        return 0.0
    seconds = _parse_time(text)
    if not SHORTEST_SLICE * 0.999 <= seconds <= LONGEST_SLICE:
        raise WeftError(f"a slice of {text} cannot be kept; choose between 100us and 60s, or off")
    return seconds


def parse_limit(text: str) -> float:
    """Seconds out of the text of a blocked limit, written as a slice is.

    Raises:
        WeftError: it is not a time, or out of bounds.
    """
    return 0.0 if text in ("off", "0") else _check_limit(_parse_time(text), text)


def parse_stall_limit(text: str) -> float:
    """The same of a stall limit.

    Raises:
        WeftError: it is not a time, or out of bounds.
    """
    return 0.0 if text in ("off", "0") else _check_limit(_parse_time(text), text, "stall limit")


def parse_entries(entries: Iterable[str]) -> tuple[str, ...]:
    """Names of callables to offload, each once.

    Args:
        entries: each "module:function" or "module:Class.method", or several with commas between.

    Raises:
        WeftError: one of them is malformed.
    """
    if isinstance(entries, str):
        entries = [entries]
    if not isinstance(entries, Iterable):
        raise WeftError(f"offload takes a list of names such as 'module:function', not {entries!r}")
    found: dict[str, None] = {}
    for text in entries:
        if not isinstance(text, str):
            raise WeftError(f"offload takes names as text, such as 'module:function', not {text!r}")
        for entry in text.split(","):
            name = entry.strip()
            if not name:
                continue
            module, colon, path = name.partition(":")
            if not colon or not all(part.isidentifier() for part in f"{module}.{path}".split(".")):
                raise WeftError(
                    f"offload: {name!r} names no callable; write module:function or module:Class.method"
                )
            if module == "__main__":
                raise WeftError(
                    f"offload: {name!r} is in the program itself; put @weft.offloaded before it there"
                )
            found[name] = None
    return tuple(found)


def parse_runs(text: str) -> int:
    """How many timed runs a comparison makes.

    Raises:
        WeftError: it is no number, or out of bounds.
    """
    if not text.isdecimal() or not 1 <= int(text) <= MOST_RUNS:
        raise WeftError(f"there cannot be {text!r} runs; choose between 1 and {MOST_RUNS}")
    return int(text)


def parse_timeout(text: str) -> float:
    """Seconds that one run of a comparison may take; "off" or "0": any time.

    Raises:
        WeftError: it is not a time, or out of bounds.
    """
    if text in ("off", "0"):
        return float("inf")
    seconds = _parse_time(text)
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise WeftError(f"a timeout of {text} cannot be kept; choose up to 7 days, or off")
    return seconds


def parse_bytes(text: str) -> int:
    """Bytes out of "64MB", "2GB" or "500kB"; a bare number is megabytes.

    Raises:
        WeftError: it is not a size, or too small for a ring.
    """
    word = text.strip().lower().removesuffix("b").removesuffix("i")
    factor = {"k": 10**3, "m": 10**6, "g": 10**9}.get(word[-1:], 0)
    try:
        found = int(float(word[:-1] if factor else word) * (factor or 10**6))
    except (ValueError, OverflowError):
        raise WeftError(f"{text!r} is no size; write it as 64MB") from None
    if found < SMALLEST_RING:
        raise WeftError(f"a ring of {text} is too small; choose 100kB or more")
    return found


def take_counts_file() -> str | None:
    """Where to leave the figures of a run, if anybody wants them; what the program starts is not asked."""
    return os.environ.pop(COUNTS_FILE, None) or None


def with_counts_file(path: str | None) -> dict[str, str]:
    """The environment, and in it where to leave figures; None: nobody wants them."""
    env = {name: value for name, value in os.environ.items() if name != COUNTS_FILE}
    return env if path is None else {**env, COUNTS_FILE: path}


def take_trace_file() -> tuple[str, int] | None:
    """Where to record a run, and how many bytes of it are kept (0: all), if anybody wants it."""
    path, ring = os.environ.pop(TRACE_FILE, ""), os.environ.pop(TRACE_RING, "0")
    return (path, int(ring) if ring.isdecimal() else 0) if path else None


def with_trace_file(path: str, ring: int = 0) -> dict[str, str]:
    """The environment, and in it where to record a run; `ring` is how many bytes of it are kept (0: all)."""
    return {**os.environ, TRACE_FILE: path, TRACE_RING: str(ring)}


def preferred_language() -> str:
    """`zh` if the locale is a Chinese one, else `en`; the first variable that is set decides (POSIX)."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def wants_ps(given: bool | None) -> bool:
    """Whether `weft ps` can ask a program: as the command line says, then WEFT_PS, then yes.

    Raises:
        WeftError: WEFT_PS is neither on nor off.
    """
    return _switch("WEFT_PS", True) if given is None else given


def wants_pure() -> bool:
    """Whether what is compiled is left alone, and its Python version used (WEFT_PURE).

    Raises:
        WeftError: WEFT_PURE is neither on nor off.
    """
    return _switch("WEFT_PURE", False)


def wants_guard() -> bool:
    """Whether weft's code is guarded where the interpreter has its lock too (WEFT_GUARD=1), as tests do."""
    return os.environ.get("WEFT_GUARD") == "1"


def _switch(name: str, otherwise: bool) -> bool:
    text = os.environ.get(name)
    try:
        return _parse_switch(text) if text else otherwise
    except WeftError as error:
        raise WeftError(f"{name}: {error}") from None


def runtime_folders(owner: int) -> list[str]:
    """Where a user's programs listen: the first for those that start here and now, any for others.

    The system's folder for the user's running programs, or one under the temporary folder.
    """
    found = []
    for above in (os.environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{owner}"):
        try:
            if os.path.isabs(above) and os.stat(above).st_uid == owner:
                found.append(os.path.join(above, "weft"))
        except OSError:
            pass
    temporary = os.environ.get("TMPDIR", "")
    if not os.path.isabs(temporary):
        temporary = "/tmp"  # noqa: S108 - the folder in it is seen to be ours
    return list(dict.fromkeys([*found, os.path.join(temporary, f"weft-{owner}")]))


def wants_colours() -> bool:
    """Whether colours on a terminal are welcome (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def environment_without_settings(env: Mapping[str, str]) -> dict[str, str]:
    """The same without the variables WEFT_*: whoever runs there gets the defaults."""
    return {name: value for name, value in env.items() if not name.startswith("WEFT_")}


def settings_given() -> dict[str, str]:
    """The variables WEFT_* that are set, by name."""
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith("WEFT_")}


def default_shell() -> str:
    """The shell of who asks, as a path; "" if nobody says."""
    return os.environ.get("SHELL", "")


def _parse_time(text: str) -> float:
    number, unit = text, 1.0
    for suffix in ("us", "ms", "s"):
        if text.endswith(suffix):
            number, unit = text[: -len(suffix)], UNITS[suffix]
            break
    try:
        return float(number) * unit
    except ValueError:
        raise WeftError(f"{text!r} is no time; write it as 10ms, 200us or 0.01s") from None


def _check_limit(seconds: object, text: str, what: str = "blocked limit") -> float:
    if not isinstance(seconds, (int, float)):
        raise WeftError(f"a {what} is a number of seconds, not {seconds!r}")
    if seconds != 0 and not SHORTEST_LIMIT * 0.999 <= seconds <= LONGEST_LIMIT:
        raise WeftError(f"a {what} of {text} cannot be kept; choose between 10ms and 86400s, or 0")
    return float(seconds)


def parse_carriers(text: str) -> int:
    """How many carriers a text asks for.

    Raises:
        WeftError: it is no number, or there cannot be so many.
    """
    try:
        count = int(text)
    except ValueError:
        raise WeftError(f"{text!r} is no number of carriers") from None
    return _check_carriers(count)


def _check_carriers(count: object) -> int:
    if not isinstance(count, int) or not 1 <= count <= MOST_CARRIERS:
        raise WeftError(f"there cannot be {count!r} carriers; choose between 1 and {MOST_CARRIERS}")
    return count


def _parse_threads(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise WeftError(f"{text!r} is no number of kernel threads") from None


def _parse_switch(text: str) -> bool:
    word = text.lower()
    if word not in ("1", "0", "yes", "no", "on", "off", "true", "false"):
        raise WeftError(f"{text!r} is neither on nor off; write 1 or 0")
    return word in ("1", "yes", "on", "true")


def _check_threads(count: object) -> int:
    if not isinstance(count, int) or not 1 <= count <= MOST_OFFLOAD_THREADS:
        raise WeftError(
            f"there cannot be {count!r} kernel threads for offloaded calls; "
            f"choose between 1 and {MOST_OFFLOAD_THREADS}"
        )
    return count


_ONLY: dict[str, tuple[tuple[str, ...], str]] = {
    "slice": (("user", "hybrid"), "the system says how long {many} run"),
    "blocked_limit": (("user", "hybrid"), "a call in C holds up no other {one}"),
    "offload": (("user", "kernel", "hybrid"), "a call in C holds up no other {one}"),
    "carriers": (("hybrid",), "only hybrid has several"),
    "on_deadlock": (("user", "kernel", "hybrid"), "who waits for whom is not known across processes"),
    "stall_limit": (("user", "kernel", "hybrid"), "who waits for whom is not known across processes"),
    "start_method": (("process",), "it starts no processes"),
    "copy_globals": (("process",), "its threads share the program's memory"),
}
_FROM_TEXT: dict[str, Callable[[str], object]] = {
    "model": str,
    "policy": str,
    "slice": parse_slice,
    "offload": lambda text: parse_entries([text]),
    "offload_threads": _parse_threads,
    "blocked_limit": parse_limit,
    "carriers": parse_carriers,
    "start_method": str,
    "copy_globals": _parse_switch,
    "on_deadlock": str,
    "stall_limit": parse_stall_limit,
}


def may_redraw() -> bool:
    """Whether a line may be written over on a terminal: not on one that cannot, nor where a log is kept."""
    return os.environ.get("TERM") != "dumb" and not os.environ.get("CI")
