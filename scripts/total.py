"""One closing line for tests that were run in parts: `total.py LOG...`, each what one run of pytest printed.

A part that was broken off has no closing line of its own: that is told, and the status is 1.
"""

import re
import sys
from collections import Counter
from pathlib import Path

LAST = re.compile(r"=* ?((?:\d+ [a-z]+(?:, )?)+) in ([\d.]+)s\b")  # as pytest closes, with and without -q
ONE = {"errors": "error", "warnings": "warning"}  # of which there may be one


def closing(log: str) -> tuple[Counter[str], float] | None:
    """What pytest counted, and its seconds; None: it did not come to its end."""
    lines = log.strip().splitlines()
    found = LAST.match(lines[-1]) if lines else None
    if found is None:
        return None
    counts = Counter({word: int(n) for n, word in re.findall(r"(\d+) ([a-z]+)", found[1])})
    return Counter({ONE.get(word, word): n for word, n in counts.items()}), float(found[2])


def total(logs: list[str]) -> tuple[str, bool]:
    """The line, and whether each part came to its end."""
    parts = [closing(log) for log in logs]
    whole = [part for part in parts if part is not None]
    counts = sum((counted for counted, _ in whole), Counter())
    missing = len(parts) - len(whole)
    words = [f"{n} {word}{'s' if n > 1 and word in ONE.values() else ''}" for word, n in counts.items()]
    words = ([f"{missing} of {len(parts)} parts broken off"] if missing else []) + words
    return f"{', '.join(words)} in {max((seconds for _, seconds in whole), default=0.0):.2f}s", not missing


if __name__ == "__main__":
    line, ended = total([Path(name).read_text(encoding="utf-8", errors="replace") for name in sys.argv[1:]])
    print(line)
    sys.exit(not ended)
