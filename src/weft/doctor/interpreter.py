"""The interpreter that runs weft, and what is installed beside it."""

import importlib.metadata
import platform
import re
import sys
from collections.abc import Iterator

from weft.config import VERSION
from weft.doctor.facts import NOTE, OK, PROBLEM, Fact
from weft.host.platform import CPYTHON, TESTED, gil_enabled

__all__ = ["extras", "fits", "interpreter"]

#: Extras that people install who use weft, and what each is for; the others are for work on weft.
EXTRAS = {
    "html": "pages of `weft check`, `weft replay`, `weft trace` and `weft compare`",
    "tour": "colours and wrapped text of `weft tour`",
    "terminal": "`weft ps --watch`",
    "viewer": "`vizviewer`, which opens the files of `weft trace`",
    "pytest": "`weft check --all` and the pytest plugin",
    "linearizable": "weft.check.linearizable",
    "cluster": "weft.futures.ClusterExecutor, `weft check --cluster`",
}
NEEDED = re.compile(r"([\w.-]+)(?:\[[^\]]*\])?\s*([<>=!~][^;]*)?(?:;.*extra\s*==\s*['\"]([\w-]+)['\"])?")


def interpreter() -> Iterator[Fact]:
    """Python, the lock it has or not, and weft itself."""
    part = "interpreter"
    name = platform.python_implementation()
    version = platform.python_version()
    told = f"{name} {version}, {sys.executable}"
    if not CPYTHON:
        yield Fact(part, "python", PROBLEM, told, "weft runs on CPython alone", version)
    elif not TESTED:
        yield Fact(part, "python", NOTE, told, "weft is tested with 3.11, 3.12 and 3.13", version)
    else:
        yield Fact(part, "python", OK, told, "", version)
    locked = gil_enabled()
    if locked:
        text = "on: one thread at a time runs Python code, on every model but process"
    else:
        text = "off: threads run Python code at the same time; all of weft's models but kernel work here"
    yield Fact(part, "GIL", OK if locked else NOTE, text, "", locked)
    yield Fact(part, "weft", OK, f"{VERSION}, {_home()}", "", VERSION)
    yield _base()


def _home() -> str:
    return str(sys.modules["weft"].__file__).rpartition("__init__.py")[0].rstrip("/")


def _base() -> Fact:
    try:
        found = importlib.metadata.version("greenlet")
    except importlib.metadata.PackageNotFoundError:
        return Fact("interpreter", "greenlet", PROBLEM, "not installed", "pip install greenlet")
    wanted = _requirements().get("", {}).get("greenlet", "")
    if not fits(found, wanted):
        advice = f"pip install 'greenlet{wanted}'"
        return Fact("interpreter", "greenlet", PROBLEM, f"{found}; weft needs {wanted}", advice, found)
    return Fact("interpreter", "greenlet", OK, found, "", found)


def extras() -> Iterator[Fact]:
    """What is installed of what weft can use."""
    requirements = _requirements()
    for name, what in EXTRAS.items():
        versions: dict[str, str | None] = {}
        wrong = []
        for package, wanted in requirements.get(name, {}).items():
            try:
                versions[package] = importlib.metadata.version(package)
            except importlib.metadata.PackageNotFoundError:
                versions[package] = None
            if versions[package] and not fits(str(versions[package]), wanted):
                wrong.append(f"{package} {versions[package]} is not {wanted}")
        advice = f"pip install 'weft[{name}]'"
        told = ", ".join(f"{package} {found}" for package, found in versions.items() if found)
        missing = [package for package, found in versions.items() if not found]
        if wrong:
            yield Fact("extras", name, PROBLEM, "; ".join(wrong), f"{advice}; it is for {what}", versions)
        elif missing or not versions:
            lacks = f"without {', '.join(missing)}" if missing else "not known: weft is not installed"
            yield Fact("extras", name, OK, f"{lacks}; it is for {what}: {advice}", "", versions)
        else:
            yield Fact("extras", name, OK, told, "", versions)


def _requirements() -> dict[str, dict[str, str]]:
    """What weft needs, by extra ("" for the base): package and range."""
    try:
        lines = importlib.metadata.requires("weft") or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        if match := NEEDED.fullmatch(line.strip()):
            package, wanted, extra = match.groups()
            found.setdefault(extra or "", {})[package] = (wanted or "").strip()
    return found


def fits(version: str, wanted: str) -> bool:
    """Whether a version lies in a range such as `>=3.1,<4`; of other operators nothing is said."""
    has = _numbers(version)
    for bound in wanted.split(","):
        match = re.fullmatch(r"\s*(>=|<)\s*([\d.]+)\s*", bound)
        if match is None:
            continue
        operator, limit = match.group(1), _numbers(match.group(2))
        if (has >= limit) is not (operator == ">="):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(number) for number in re.findall(r"\d+", re.split(r"[a-z+]", version)[0])]
    while numbers and numbers[-1] == 0:  # 4.0 is 4
        numbers.pop()
    return tuple(numbers)
