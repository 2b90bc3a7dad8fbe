"""The file of one run: read with a clear word on what is wrong with it, written whole, a round a line."""

import json
import os
from pathlib import Path
from typing import Any

__all__ = ["FORMAT", "BadResultsError", "read", "write"]

FORMAT = 1
NEEDED = {"made": dict, "machine": dict, "versions": dict, "parts": dict}
DIGITS = 6  # significant ones that are kept of a figure
Results = dict[str, Any]


class BadResultsError(Exception):
    """A file of results cannot be used; the text says which, where and what to do."""


def read(path: Path) -> Results:
    """What a run has left.

    Raises:
        BadResultsError: there is no such file, or it is not one of results.
    """
    again = "make it again: ./dev bench"
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadResultsError(f"{path}: {error.strerror}; {again}") from None
    except UnicodeDecodeError as error:
        raise BadResultsError(f"{path}: not text, from byte {error.start} on; {again}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadResultsError(f"{path}: not JSON, {where}: {error.msg}; {again}") from None
    if not isinstance(results, dict) or results.get("format") != FORMAT:
        raise BadResultsError(f"{path}: not results of the format {FORMAT}, which this reads; {again}")
    for name, kind in NEEDED.items():
        if not isinstance(results.get(name), kind):
            raise BadResultsError(f"{path}: it has no {name!r}; {again}")
    return results


def write(path: Path, results: Results) -> None:
    """Put results there, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(_text(_rounded(results)) + "\n", encoding="utf-8")
    os.replace(new, path)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _text(value: Any, indent: int = 0) -> str:
    """JSON in which what holds nothing but figures stands on one line."""
    each = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if not any(isinstance(one, dict | list) for one in each):
        return json.dumps(value)
    inner = " " * (indent + 1)
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(str(key))}: {_text(one, indent + 1)}" for key, one in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
    lines = [inner + _text(one, indent + 1) for one in value]
    return "[\n" + ",\n".join(lines) + "\n" + " " * indent + "]"
