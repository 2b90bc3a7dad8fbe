"""A search that ended before it was done, as a file, and the same search going on from there.

The file holds where the plan stands, what is left of exhaustive searches, what is known of the program, and
what was counted and seen. It fits one program, in one state of its sources, under one version of Python and
of weft; anything else is refused, since the choices of an execution would mean something else.
"""

import base64
import json
import os
import sys
import zlib
from types import ModuleType
from typing import Any

from weft.check.explore import Explorer
from weft.check.program import Program
from weft.check.settings import Settings
from weft.check.units import Knowledge
from weft.check.world import MODEL
from weft.config import VERSION
from weft.errors import WeftError
from weft.host.digests import sha256
from weft.instrument import points

__all__ = ["FORMAT", "differing", "discard", "go_on", "path_of", "save", "settings_of", "sources_of"]

FORMAT = 1
#: The settings that make a search what it is: (as people know them, the field).
_SAME = (
    ("strategy", "strategy"),
    ("seed", "seed"),
    ("bound", "bound"),
    ("steps", "limit"),
    ("notes", "notes"),
    ("net-faults", "net_faults"),
    ("net-pass", "net_pass"),
)
_COUNTS = ("executions", "unconfirmed", "stuck", "over_bound", "exhausted", "bound", "bounded", "within")
_LISTS = ("unseen", "problems")
_STANDARD = os.path.dirname(os.__file__) + os.sep
_OURS = ("weft", "greenlet", "__main__")


def path_of(folder: str, program: Program) -> str:
    """The file of the search over a program."""
    words = json.dumps([program.kind, program.what, program.args, program.choice], sort_keys=True)
    return os.path.join(folder, f"{program.short}-{sha256(words.encode()).hexdigest()[:8]}.search.json")


def save(explorer: Explorer, path: str) -> None:
    """Write where a search stands that has come to its end.

    Raises:
        WeftError: the file cannot be written.
    """
    report = explorer.report
    body = {
        "settings": {name: getattr(explorer.settings, field) for name, field in _SAME},
        "sources": sources_of(explorer.program),
        "sites": len(points.sites),
        "parts": explorer.snapshot_size,
        "seconds": report.seconds,
        "report": {name: getattr(report, name) for name in (*_COUNTS, *_LISTS)},
        "silenced": sorted(report.silenced),
        "known": explorer.known.plain,
        "doubted": explorer.doubted,
        "buried": explorer.buried,
        "others": explorer.others,
        "plan": _plain(explorer.plan_state),
    }
    packed = base64.b64encode(zlib.compress(json.dumps(body).encode(), 1)).decode()
    data = {
        "weft search": FORMAT,
        "program": explorer.program.what,
        "python": sys.version,
        "weft": VERSION,
        "digest": _digest(packed),
        "body": packed,
    }
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
            file.write("\n")
        os.replace(path + ".new", path)
    except OSError as error:
        raise WeftError(f"the search cannot be kept in {path!r}: {error.strerror}") from None


def discard(path: str) -> None:
    """There is nothing to go on with."""
    try:
        os.unlink(path)
    except OSError:
        return


def _load(path: str) -> dict[str, Any]:
    """Read and check the file: what it holds.

    Raises:
        WeftError: there is none, it is damaged or foreign, or of another version of something.
    """
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except FileNotFoundError:
        raise WeftError(
            f"there is no search to go on with: {path!r} does not exist. One is kept when its time is up"
        ) from None
    except OSError as error:
        raise WeftError(f"can't open {path!r}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise WeftError(f"{path!r} is no search: it is not JSON ({error}). {_ANEW}") from None
    if not isinstance(data, dict) or "weft search" not in data:
        raise WeftError(f"{path!r} is no search of weft. {_ANEW}")
    if data["weft search"] != FORMAT:
        raise WeftError(f"{path!r} is of format {data['weft search']!r}; this weft reads {FORMAT}. {_ANEW}")
    for name, now in (("python", sys.version), ("weft", VERSION)):
        if data.get(name) != now:
            raise WeftError(f"{path!r} was made with another version of {name}: {data.get(name)!r}. {_ANEW}")
    body = data.get("body")
    if not isinstance(body, str) or _digest(body) != data.get("digest"):
        raise WeftError(f"{path!r} is damaged. {_ANEW}")
    found: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(body)))
    return found


_ANEW = "Without --resume the search begins anew"


def settings_of(path: str, settings: Settings, given: set[str]) -> None:
    """Take the settings of a search from its file; those that were given have to be the same.

    Args:
        given: their names.

    Raises:
        WeftError: they are not, or there is no such file.
    """
    for name, field in _SAME:
        value = _load(path)["settings"][name]
        if name in given and getattr(settings, field) != value:
            raise WeftError(f"the search that was kept has --{name} {value}: it goes on with that. {_ANEW}")
        setattr(settings, field, value)


def go_on(explorer: Explorer, path: str) -> None:
    """Have a search that is prepared go on where it stood.

    Raises:
        WeftError: the program is not the one that it was.
    """
    body = _load(path)
    changed = differing(body["sources"], sources_of(explorer.program))
    if changed or body["sites"] != len(points.sites):
        raise WeftError(f"the program has changed since the search was kept{changed}. {_ANEW}")
    report = explorer.report
    for name in (*_COUNTS, *_LISTS):
        setattr(report, name, body["report"][name])
    report.silenced.update(body["silenced"])
    known = Knowledge.of(body["known"])
    if body["parts"] != explorer.snapshot_size:
        known.hot = set()
    explorer.known = known
    MODEL.release_points = known.release
    explorer.doubted.update(body["doubted"])
    explorer.buried = body["buried"]
    explorer.others.update(body["others"])
    explorer.plan.state = _from_plain(body["plan"])
    explorer.goes_on(body["seconds"])


def sources_of(program: Program) -> dict[str, str]:
    """The modules of the program and what it imports, outside the standard library: path and digest."""
    found = {}
    files = {program.what.partition(":")[0]} if program.kind in ("script", "function") else set()
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        if isinstance(module, ModuleType) and top not in sys.stdlib_module_names and top not in _OURS:
            files.add(getattr(module, "__file__", None) or "")
    for path in sorted(files):
        standard = path.startswith(_STANDARD) and "site-packages" not in path
        if not standard and os.path.isfile(path):
            with open(path, "rb") as file:
                found[path] = sha256(file.read()).hexdigest()
    return found


def differing(sources: dict[str, str], others: dict[str, str]) -> str:
    """Which files differ, as the end of a sentence; empty: none do."""
    changed = sorted(name for name in {*sources, *others} if sources.get(name) != others.get(name))
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    return f": {changed[0]}{more}" if changed else ""


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """As JSON has it: bytes are an object with one name."""
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {"items": [[_plain(key), _plain(each)] for key, each in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value


def _from_plain(value: Any) -> Any:
    if isinstance(value, dict):
        if "bytes" in value:
            return base64.b64decode(value["bytes"])
        return {_from_plain(key): _from_plain(each) for key, each in value["items"]}
    if isinstance(value, list):
        return [_from_plain(each) for each in value]
    return value
