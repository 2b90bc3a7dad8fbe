"""`python -m weft.check.page`: facts as JSON on standard input, a page on standard output.

Without facts it only says whether it could: the status is MISSING, with the reason on standard output, where
the template library cannot be loaded.
"""

import json
import platform
import sys

from weft.check.page.paper import MISSING

__all__ = ["main"]


def main() -> int:
    """Read, make, write; the status."""
    try:
        from weft.check.page.render import render  # noqa: PLC0415 - it stands on an extra
    except ImportError as why:
        sys.stdout.write(str(why))
        return MISSING
    facts = sys.stdin.buffer.read()
    if facts:
        from weft.check.page.build import build  # noqa: PLC0415 - whoever only asks has no need of it

        text = render(build(json.loads(facts) | {"python": platform.python_version()}))
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
