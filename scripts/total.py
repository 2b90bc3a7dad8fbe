"""One closing line for tests that were run in parts: `total.py SECONDS LOG...`, what they took together, and
what each run of pytest printed.

A part that was broken off has no closing line of its own: that is told, and the status is 1.
"""

import re
import sys
from collections import Counter
from pathlib import Path

LAST = re.compile(r"=* ?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s\b")  # as pytest closes, with and without -q
ONE = {"errors": "error", "warnings": "warning"}  # of which there may be one


def closing(log: str) -> Counter[str] | None:
    """What pytest counted; None: it did not come to its end."""
    lines = log.strip().splitlines()
    found = LAST.match(lines[-1]) if lines else None
    if found is None:
        return None
    counts = Counter({word: int(n) for n, word in re.findall(r"(\d+) ([a-z]+)", found[1])})
    return Counter({ONE.get(word, word): n for word, n in counts.items()})


def total(seconds: float, logs: list[str]) -> tuple[str, bool]:
    """The line, and whether each part came to its end."""
    parts = [closing(log) for log in logs]
    whole = [part for part in parts if part is not None]
    counts = sum(whole, Counter())
    missing = len(parts) - len(whole)
    words = [f"{n} {word}{'s' if n > 1 and word in ONE.values() else ''}" for word, n in counts.items()]
    words = ([f"{missing} of {len(parts)} parts broken off"] if missing else []) + words
    return f"{', '.join(words)} in {seconds:.2f}s", not missing


if __name__ == "__main__":
    texts = [Path(name).read_text(encoding="utf-8", errors="replace") for name in sys.argv[2:]]
    line, ended = total(float(sys.argv[1]), texts)
    print(line)
    sys.exit(not ended)
